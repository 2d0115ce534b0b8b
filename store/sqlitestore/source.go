package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/confab-chat/confab/chat"
)

// source is a database that is only read, beside a server that may be using it.
type source struct {
	*conn
	file string
	lock *os.File // of a folder that no server uses; nil otherwise
}

// openSource opens a data folder or a database file for reading. A folder that no server uses is
// locked meanwhile. Without a write-ahead log nothing is put beside the file.
func openSource(path string) (*source, error) {
	s := &source{file: path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		s.file = filepath.Join(path, databaseFile)
		if info, err = os.Stat(s.file); err != nil {
			return nil, fmt.Errorf("no chat data in %s: %w", path, err)
		}
		if s.lock, err = lock(path); err != nil && !chat.Is(err, chat.Taken) {
			return nil, err
		}
	}
	if info.Size() == 0 {
		return nil, errors.Join(corrupt("open", s.file, damagef("the file is empty")), s.unlock())
	}
	query := "mode=ro"
	if missing(s.file+"-wal") && (s.lock != nil || path == s.file) {
		query += "&immutable=1"
	}
	if s.conn, err = connect(uri(s.file, query), readerPragmas...); err != nil {
		return nil, errors.Join(openError(s.file, err), s.unlock())
	}
	return s, nil
}

func (s *source) unlock() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

func (s *source) close() error { return errors.Join(s.conn.close(), s.unlock()) }

// backupStep is how many pages are copied at once, between two looks at the context.
const backupStep = 256

// copyTo copies the database as it is now to a new file, and makes that durable.
func (s *source) copyTo(ctx context.Context, file string, progress func(done, total int)) error {
	if err := touch(file); err != nil {
		return err
	}
	err := s.within("BEGIN", func() error {
		if _, err := checkSchema(s.conn); err != nil { // and from here on the copy is of this moment
			return err
		}
		backup, err := s.db.(interface {
			NewBackup(uri string) (*sqlite.Backup, error)
		}).NewBackup(uri(file, "mode=rw"))
		if err != nil {
			return err
		}
		more := true
		for more && err == nil {
			if more, err = backup.Step(backupStep); err == nil {
				total := backup.PageCount()
				progress(total-backup.Remaining(), total)
				err = ctx.Err()
			}
		}
		return errors.Join(err, backup.Finish())
	})
	if err != nil {
		return openError(s.file, err)
	}
	return syncFile(file)
}

// Backup copies the chat data of a folder into one file (0600), while a server may be using it: the
// copy is of the moment when it began. The file is checked as Check does before it gets its name, and
// an existing one is never overwritten (Taken). progress is called with pages done of pages in all.
func Backup(ctx context.Context, dir, file string, progress func(done, total int)) (err error) {
	if !missing(file) {
		return chat.E(chat.Taken, "%s exists already", file)
	}
	s, err := openSource(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	part := file + ".part"
	removeAll(part)
	defer removeAll(part)
	if err := s.copyTo(ctx, part, progress); err != nil {
		return err
	}
	if err := Check(ctx, part, func(string) {}); err != nil {
		return fmt.Errorf("the backup is not good, so it was not kept: %w", err)
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// Restore makes a new data folder from a backup that is checked before. Every room gets a new epoch,
// so that clients who have seen later messages are told to start again; numbers are kept. Links are
// left out: one that was used since the backup would be good again. A folder that is there and not
// empty is Taken.
func Restore(ctx context.Context, backupFile, newDir string) error {
	if err := Check(ctx, backupFile, func(string) {}); err != nil {
		return err
	}
	return newFolder(newDir, func(fresh string) (err error) {
		s, err := openSource(backupFile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.close()) }()
		if err := s.copyTo(ctx, fresh, func(int, int) {}); err != nil {
			return err
		}
		return renew(fresh)
	})
}
