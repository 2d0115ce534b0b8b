//go:build unix

package sqlitestore_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/confab-chat/confab/store/sqlitestore"
)

// TestOpen_modes wants nobody else to be able to read the data, whatever the umask is.
func TestOpen_modes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		parent := t.TempDir()
		before := syscall.Umask(umask)
		dir := filepath.Join(parent, "new", "data")
		s, err := sqlitestore.Open(dir, sqlitestore.Options{})
		if err == nil {
			fill(t, s, 1)
			err = sqlitestore.Backup(t.Context(), dir, filepath.Join(dir, "backup"), noProgress)
		}
		syscall.Umask(before)
		ok(t, err)
		wantMode(t, dir, 0o700)
		entries, err := os.ReadDir(dir)
		ok(t, err)
		if len(entries) != 5 { // database, log, its index, lock, backup
			t.Errorf("got %v, want five files", entries)
		}
		for _, e := range entries {
			wantMode(t, filepath.Join(dir, e.Name()), 0o600)
		}
		ok(t, s.Close())
	}
	t.Run("of a folder that was open to others", func(t *testing.T) {
		dir := t.TempDir()
		ok(t, os.Chmod(dir, 0o755))
		open(t, dir, sqlitestore.Options{})
		wantMode(t, dir, 0o700)
	})
}
