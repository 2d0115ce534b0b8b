package sqlitestore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copyOf copies a data folder as it is, while a store may have it open: what a crash would leave.
// The index of the write-ahead log is left out, as it is in memory only.
func copyOf(tb testing.TB, dir string) string {
	tb.Helper()
	to := tb.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), data, fs.FileMode(0o600))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return to
}
