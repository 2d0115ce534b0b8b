package sqlitestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a data folder. SQLite adds the write-ahead log and its index beside the database.
const (
	databaseFile = "confab.db"
	lockFile     = "confab.lock"
	newFile      = "confab.db.new" // a database that is being made
)

// The modes of what holds other people's messages.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// sideFiles are what SQLite may have beside a database.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// touch makes an empty file that nobody else can read, under any umask.
func touch(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(fileMode), f.Close())
}

// makeDir makes a folder that nobody else can enter, and its parents.
func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, dirMode); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(dir))
}

// syncFile makes a file's content durable.
func syncFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// missing tells that a file is not there.
func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// removeAll removes a database and what SQLite has beside it.
func removeAll(file string) {
	for _, suffix := range append([]string{""}, sideFiles...) {
		_ = os.Remove(file + suffix) // it may well not be there
	}
}
