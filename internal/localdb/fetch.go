package localdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Size is about what a Fetch takes from the net, in MB.
const Size = 48

//go:embed pom.xml
var pom []byte

//go:embed lib.sha256
var sums string

// Folder is where this user's engine is kept, in the system's place for what can be fetched again.
func Folder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "confab", "dynamodb-local-"+Version), nil
}

// Check tells whether a folder has the engine, every file of it as it was published: nil, an error
// that is fs.ErrNotExist where a file is missing, or which file is another.
func Check(folder string) error {
	for line := range strings.Lines(sums) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			continue
		}
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, file)
		file.Close()
		if err != nil {
			return err
		}
		if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
			return fmt.Errorf("%s is not the file that was published: its SHA-256 is %s, not %s",
				filepath.Join(folder, name), got, sum)
		}
	}
	return nil
}

// Fetch has the program mvn put the engine into a folder, which is not there before. It appears
// there whole and checked, or not at all.
func Fetch(ctx context.Context, mvn, folder string) (err error) {
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), ".fetch")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), pom, 0o600); err != nil {
		return err
	}
	lib := filepath.Join(work, "lib")
	cmd := exec.CommandContext(ctx, mvn, "-B", "-ntp", "-q", "-f", work,
		"dependency:copy-dependencies", "-DoutputDirectory="+lib)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", mvn, err, bytes.TrimSpace(out))
	}
	if err := Check(lib); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.Rename(lib, folder)
}

// Missing tells whether an error of Check says that there is no engine at all.
func Missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
