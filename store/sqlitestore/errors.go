package sqlitestore

import (
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/confab-chat/confab/chat"
)

// retryAfter is what a writer is told to wait when the disk is full or the queue is.
const retryAfter = time.Second

// outcome is what an error of SQLite means to the store.
type outcome uint8

const (
	fatal   outcome = iota // the disk or the program failed: stop writing
	damaged                // the file is not what was written
	full                   // no room: it heals when there is some
	busy                   // another program holds the database
)

// damage is found by the store's own checks, not by SQLite.
type damage string

func (d damage) Error() string { return string(d) }

// damagef describes damage: which room, number or row it is in.
func damagef(format string, args ...any) error { return damage(fmt.Sprintf(format, args...)) }

// classify tells what an error means. SQLITE_ERROR is damage too: the statements are constants
// that work on an undamaged schema.
func classify(err error) outcome {
	var d damage
	if errors.As(err, &d) {
		return damaged
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fatal
	}
	switch e.Code() {
	case sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA:
		return damaged
	case sqlite3.SQLITE_IOERR_SHMSIZE: // the index of the write-ahead log found no room
		return full
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR,
		sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG,
		sqlite3.SQLITE_RANGE, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_READONLY:
		return damaged
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy
	}
	return fatal
}

// corrupt is the error for a damaged file: it names the file and the next step.
func corrupt(op, file string, cause error) error {
	return &chat.Error{
		Kind: chat.Corrupt, Op: op, Err: cause,
		Message: fmt.Sprintf("%s is damaged: run `confab check`, restore a backup with `confab restore`",
			file),
	}
}

// domainError gives the *chat.Error of an error that a read met.
func domainError(op, file string, err error) error {
	var e *chat.Error
	if errors.As(err, &e) {
		return err
	}
	switch classify(err) {
	case damaged:
		return corrupt(op, file, err)
	default:
		return &chat.Error{Kind: chat.Unavailable, Op: op, RetryAfter: retryAfter, Err: err}
	}
}
