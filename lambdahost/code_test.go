package lambdahost

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is a file of an archive.
type entry struct {
	name, text string
	mode       fs.FileMode
}

// archive makes a zip archive.
func archive(tb testing.TB, entries ...entry) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "code.zip")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := zip.NewWriter(file)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		header.SetMode(e.mode)
		part, err := w.CreateHeader(header)
		if err == nil {
			_, err = part.Write([]byte(e.text))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	file.Close()
	return path
}

// files gives what is in a folder, links and executable files marked.
func files(tb testing.TB, dir string) string {
	tb.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if target, err := os.Readlink(path); err == nil {
			all = append(all, name+" -> "+target)
			return nil
		}
		text, err := os.ReadFile(path)
		info, _ := e.Info()
		if info.Mode()&0o111 != 0 {
			name += "*"
		}
		all = append(all, name+": "+string(text))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// installed gives the folders of a function's code and layers.
func installed(tb testing.TB, h *Host, f Function) (*deployed, error) {
	tb.Helper()
	f.Name, f.Runtime = "f", "provided.al2023"
	d, err := h.prepare(f)
	if err == nil {
		tb.Cleanup(func() { d.remove() })
	}
	return d, err
}

func TestCode_archive(t *testing.T) {
	h := newHost(t, Config{})
	d, err := installed(t, h, Function{Code: archive(t,
		entry{"bootstrap", "run", 0o755}, entry{"a/", "", fs.ModeDir | 0o755}, entry{"a/b/c.txt", "text", 0o644},
		entry{"a/link", "b/c.txt", fs.ModeSymlink | 0o777}, entry{`win\dows.txt`, "text", 0o666},
		entry{"secret", "x", 0o200 | fs.ModeSetuid},
	)})
	if err != nil {
		t.Fatal(err)
	}
	want := "a/b/c.txt: text\na/link -> b/c.txt\nbootstrap*: run\nsecret: x\nwin/dows.txt: text"
	if got := files(t, d.task); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if info, err := os.Stat(filepath.Join(d.task, "secret")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := d.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.task); err == nil {
		t.Error("it is still there")
	}
}

func TestCode_hostileArchives(t *testing.T) {
	h := newHost(t, Config{})
	outside := filepath.Join(filepath.Dir(h.dir), "escaped")
	for name, entries := range map[string][]entry{
		"dots":           {{"../escaped", "x", 0o644}},
		"dots within":    {{"a/../../escaped", "x", 0o644}},
		"absolute":       {{outside, "x", 0o644}},
		"backslashes":    {{`..\escaped`, "x", 0o644}},
		"empty":          {{"", "x", 0o644}},
		"dot":            {{".", "x", 0o644}},
		"link out":       {{"a", "../..", fs.ModeSymlink | 0o777}},
		"absolute link":  {{"a", os.TempDir(), fs.ModeSymlink | 0o777}},
		"through a link": {{"a", "b/..", fs.ModeSymlink | 0o777}, {"a/../../escaped", "x", 0o644}},
		"device":         {{"a", "x", fs.ModeDevice | 0o644}},
		"file as folder": {{"a", "x", 0o644}, {"a/b", "x", 0o644}},
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := installed(t, h, Function{Code: archive(t, entries...)}); err == nil {
				t.Errorf("accepted:\n%s", files(t, d.task))
			}
			if _, err := os.Lstat(outside); err == nil {
				t.Error("it got out")
			}
		})
	}
	t.Run("no archive", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "code.zip")
		if err := os.WriteFile(path, []byte("PK is not enough"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := installed(t, h, Function{Code: path}); err == nil {
			t.Error("accepted")
		}
	})
	entries, err := os.ReadDir(h.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d entries left behind, %v", len(entries), err)
	}
}

// What archives become is bounded, all of a function's together.
func TestCode_bombs(t *testing.T) {
	h := newHost(t, Config{})
	if h.unzipped != 250*1024*1024 {
		t.Errorf("%d bytes", h.unzipped)
	}
	h.unzipped = 2_500_000
	layer := archive(t, entry{"zeros", strings.Repeat("\x00", 1_000_000), 0o644})
	if _, err := installed(t, h, Function{Code: layer, Layers: []string{layer}}); err != nil {
		t.Error(err)
	}
	_, err := installed(t, h, Function{Code: layer, Layers: []string{layer, layer}})
	if err == nil || !strings.Contains(err.Error(), "more than 250 MB") {
		t.Errorf("too large: %v", err)
	}
}

// A header that lies about the size is found out.
func TestCode_lyingHeaders(t *testing.T) {
	h := newHost(t, Config{})
	for _, size := range []uint64{1, 9, 1 << 40, 1 << 63} {
		path := filepath.Join(t.TempDir(), "code.zip")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(file)
		part, err := w.CreateRaw(&zip.FileHeader{Name: "a", CompressedSize64: 10, UncompressedSize64: size})
		if err == nil {
			_, err = part.Write([]byte("0123456789"))
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		file.Close()
		if d, err := installed(t, h, Function{Code: path}); err == nil {
			t.Errorf("%d: accepted: %s", size, files(t, d.task))
		}
	}
}

// Layers are merged in their order; a single folder is used where it is.
func TestCode_layers(t *testing.T) {
	h := newHost(t, Config{})
	code, folder := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"same": "folder", "bin/tool": "tool", "python/m.py": "m"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("bin/tool", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	first := archive(t, entry{"same", "archive", 0o644}, entry{"link", "file", 0o644}, entry{"python/n.py", "n", 0o644})
	for name, c := range map[string]struct {
		layers []string
		want   string
	}{
		"archive, folder": {[]string{first, folder}, "bin/tool*: tool\nlink -> bin/tool\npython/m.py*: m\npython/n.py: n\nsame*: folder"},
		"folder, archive": {[]string{folder, first}, "bin/tool*: tool\nlink: file\npython/m.py*: m\npython/n.py: n\nsame: archive"},
		"archive":         {[]string{first}, "link: file\npython/n.py: n\nsame: archive"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := installed(t, h, Function{Code: code, Layers: c.layers})
			if err != nil {
				t.Fatal(err)
			}
			if got := files(t, d.opt); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if d.task != code {
				t.Errorf("the code is in %s", d.task)
			}
		})
	}
	if d, err := installed(t, h, Function{Code: code, Layers: []string{folder}}); err != nil || d.opt != folder {
		t.Errorf("%v", err)
	}
}

// The bootstrap may be a layer's.
func TestCode_bootstrapOfLayer(t *testing.T) {
	h := newHost(t, Config{})
	deploy(t, h, func(f *Function) {
		f.Layers, f.Code = []string{f.Code}, archive(t, entry{"data", "x", 0o644})
	})
	if a := invoke(t, h, event{Env: "LAMBDA_TASK_ROOT"}); !strings.HasPrefix(a.Env, h.dir) {
		t.Errorf("%+v", a)
	}
}
