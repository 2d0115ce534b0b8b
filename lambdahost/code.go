package lambdahost

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of archives (Developer Guide, "Lambda quotas": a deployment package, layers included).
const (
	maxUnzipped = 250 << 20 // bytes
	maxFiles    = 100_000   // this package's own
)

// prepare checks a function and puts its code and layers where they run.
func (h *Host) prepare(function Function) (*deployed, error) {
	function, err := function.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &deployed{Function: function, host: h}
	if err := f.install(); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

// install finds or extracts the code and the layers.
func (f *deployed) install() (err error) {
	budget := &budget{bytes: f.host.unzipped, files: maxFiles}
	if f.task, err = f.folder(f.Code, budget); err != nil {
		return fmt.Errorf("code: %w", err)
	}
	switch len(f.Layers) {
	case 0:
	case 1:
		f.opt, err = f.folder(f.Layers[0], budget)
	default:
		f.opt, err = f.merge(budget)
	}
	if err != nil {
		return fmt.Errorf("layers: %w", err)
	}
	f.argv, err = f.command()
	return err
}

// folder gives the absolute path of a folder, or of one that an archive is extracted to.
func (f *deployed) folder(path string, b *budget) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return filepath.Abs(path)
	}
	dir, err := f.tempDir()
	if err != nil {
		return "", err
	}
	return dir, extract(path, dir, b)
}

// merge puts all layers into one folder, later ones over earlier ones.
func (f *deployed) merge(b *budget) (string, error) {
	dir, err := f.tempDir()
	if err != nil {
		return "", err
	}
	for _, layer := range f.Layers {
		info, err := os.Stat(layer)
		if err == nil && info.IsDir() {
			err = overlay(layer, dir, b)
		} else if err == nil {
			err = extract(layer, dir, b)
		}
		if err != nil {
			return "", err
		}
	}
	return dir, nil
}

// tempDir makes a folder that goes with the deployment.
func (f *deployed) tempDir() (string, error) {
	dir, err := os.MkdirTemp(f.host.dir, f.Name+"-")
	if err == nil {
		f.temp = append(f.temp, dir)
	}
	return dir, err
}

// budget bounds what an archive may become.
type budget struct{ bytes, files int64 }

// take takes a file of a size from the budget.
func (b *budget) take(size int64) error {
	b.files--
	b.bytes -= size
	if b.files < 0 || b.bytes < 0 {
		return fmt.Errorf("all in all more than %d MB or %d files", maxUnzipped>>20, maxFiles)
	}
	return nil
}

// extract extracts an archive. Names that lead out of the folder are an error.
func extract(archive, dir string, b *budget) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer r.Close() //nolint:errcheck // it was only read
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // files are closed for themselves
	for _, file := range r.File {
		if err := extractFile(file, root, b); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(archive), file.Name, err)
		}
	}
	return nil
}

// extractFile extracts one file of an archive.
func extractFile(file *zip.File, root *os.Root, b *budget) error {
	name := strings.TrimSuffix(strings.ReplaceAll(file.Name, `\`, "/"), "/")
	if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return errors.New("the name leads out of the archive")
	}
	if size := file.UncompressedSize64; size > maxUnzipped {
		return b.take(maxUnzipped + 1)
	}
	if err := b.take(int64(file.UncompressedSize64)); err != nil {
		return err
	}
	mode := file.Mode()
	if mode.IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	r, err := file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	// One byte beyond what was announced, so that the end is seen and the sum is checked.
	limited := io.LimitReader(r, int64(file.UncompressedSize64)+1)
	if mode.Type() == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(limited, 4<<10))
		if err != nil {
			return err
		}
		return link(root, name, string(target))
	}
	if !mode.IsRegular() {
		return errors.New("neither file, folder nor link")
	}
	return write(root, name, limited, mode.Perm())
}

// link makes a symbolic link that stays within the root.
func link(root *os.Root, name, target string) error {
	inside := filepath.Join(filepath.Dir(filepath.FromSlash(name)), filepath.FromSlash(target))
	if filepath.IsAbs(target) || !filepath.IsLocal(inside) {
		return errors.New("the link leads out of the archive")
	}
	if err := makeWay(root, name); err != nil {
		return err
	}
	return root.Symlink(target, name)
}

// write writes a file, executable where it was.
func write(root *os.Root, name string, r io.Reader, mode fs.FileMode) error {
	if err := makeWay(root, name); err != nil {
		return err
	}
	w, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600|mode&0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// makeWay makes the folders above a file, and removes what an earlier layer has put in its place.
func makeWay(root *os.Root, name string) error {
	if err := root.MkdirAll(filepath.Dir(filepath.FromSlash(name)), 0o755); err != nil {
		return err
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// overlay copies a folder over another one.
func overlay(from, to string, b *budget) error {
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // files are closed for themselves
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := b.take(info.Size()); err != nil {
			return err
		}
		return copyEntry(root, path, name, info)
	})
}

// copyEntry copies a file, a folder or a link.
func copyEntry(root *os.Root, path, name string, info fs.FileInfo) error {
	switch info.Mode().Type() {
	case fs.ModeDir:
		return root.MkdirAll(name, 0o755)
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		return link(root, name, target)
	case 0:
		r, err := os.Open(path)
		if err != nil {
			return err
		}
		defer r.Close()
		return write(root, name, r, info.Mode().Perm())
	}
	return fmt.Errorf("%s is neither file, folder nor link", path)
}
