package sqlitestore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/confab-chat/confab/chat"
)

// Check looks at everything in a data folder or a database file: SQLite's own structure, the CRC of
// each row, that no number and no row is missing. It may run beside a server. Each problem is
// reported in a line that names the room and the message; if there is any, Check gives Corrupt, which
// names the file.
func Check(ctx context.Context, path string, report func(string)) (err error) {
	s, err := openSource(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	k := checker{c: s.conn, ctx: ctx, report: report}
	err = s.within("BEGIN", k.all)
	if err == nil && k.found != nil {
		err = k.found
	}
	if err != nil && ctx.Err() == nil {
		return openError(s.file, err)
	}
	return err
}

// checker collects problems.
type checker struct {
	c      *conn
	ctx    context.Context
	report func(string)
	found  error // the first problem
}

// problem reports damage, and gives any other error to its caller.
func (k *checker) problem(err error) error {
	switch {
	case err == nil:
		return nil
	case k.ctx.Err() != nil:
		return k.ctx.Err()
	case classify(err) != damaged:
		return err
	}
	k.report(err.Error())
	if k.found == nil {
		k.found = err
	}
	return nil
}

func (k *checker) all() error {
	if err := checkSchema(k.c); err != nil {
		if chat.KindOf(err) == chat.Internal {
			return k.problem(err)
		}
		return err // of a newer program
	}
	for _, check := range []func() error{k.structure, k.tables, k.rooms, k.sentIDs} {
		if err := k.problem(check()); err != nil {
			return err
		}
	}
	return nil
}

// structure has SQLite check its trees and indexes.
func (k *checker) structure() error {
	return k.c.each("PRAGMA integrity_check", func(r row) error {
		if line := r.text(0); line != "ok" {
			return k.problem(damagef("SQLite: %s", line))
		}
		return k.ctx.Err()
	})
}

// tables checks the rows that are tallied.
func (k *checker) tables() error {
	for i := range verifiedTables {
		if err := k.problem(verifiedTables[i].verify(k.c, k.ctx.Err)); err != nil {
			return err
		}
	}
	return nil
}

// rooms checks the head and the messages of each room.
func (k *checker) rooms() error {
	var rooms []roomRow
	err := k.c.each("SELECT "+roomColumns+" FROM rooms", func(r row) error {
		found, err := scanRoom(r)
		if err == nil {
			rooms = append(rooms, found)
		}
		return k.problem(err)
	})
	if err != nil {
		return err
	}
	var given uint64
	for _, r := range rooms {
		seq, err := readSeq(k.c, r.n, r.head.Room)
		if err == nil {
			given += seq
			err = k.messages(r.n, r.head.Room, seq)
		}
		if err := k.problem(err); err != nil {
			return err
		}
	}
	stored, err := k.c.one("SELECT count(*), (SELECT count(*) FROM heads) FROM messages NOT INDEXED")
	if err != nil {
		return err
	}
	if stored.uint(0) != given || stored.int(1) != int64(len(rooms)) {
		return damagef("there are %d messages and %d heads, and should be %d and %d",
			stored.int(0), stored.int(1), given, len(rooms))
	}
	return nil
}

// messages checks that a room has each number up to its head, with a good CRC.
func (k *checker) messages(n int64, room string, last uint64) error {
	next := uint64(1)
	err := k.c.each("SELECT "+messageColumns+" FROM messages WHERE room = ? ORDER BY seq", func(r row) error {
		m, err := scanMessage(r, room)
		for ; next < m.Seq && err == nil; next++ {
			if err := k.problem(damagef("room %q: message %d is missing", room, next)); err != nil {
				return err
			}
		}
		next = m.Seq + 1
		if err := k.problem(err); err != nil {
			return err
		}
		return k.ctx.Err()
	}, n)
	if err != nil {
		return fmt.Errorf("room %q: message %d and later: %w", room, next, err)
	}
	if next != last+1 {
		return damagef("room %q: the last message is %d, and should be %d", room, next-1, last)
	}
	return nil
}

// sentIDs checks that each id in the table is that of its message.
func (k *checker) sentIDs() error {
	return k.c.each(`SELECT s.key, s.seq, h.room, m.sender, m.id FROM sent s
		LEFT JOIN heads h ON h.n = s.room LEFT JOIN messages m ON m.room = s.room AND m.seq = s.seq`,
		func(r row) error {
			// Ids that share a key stand one after the other.
			if d := r.int(0) - sentKey(r.text(2), r.text(3), r.text(4)); d < 0 || d > 64 {
				return k.problem(damagef("room %q: the sent id of message %d is not its id", r.text(2), r.uint(1)))
			}
			return k.ctx.Err()
		})
}

// renewEpochs gives every room of a database a new epoch.
func renewEpochs(file string) (err error) {
	c, err := connect(uri(file, "mode=rw"), "journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close(), syncFile(file)) }()
	return c.within("BEGIN IMMEDIATE", func() error {
		var rooms []roomRow
		err := c.each("SELECT "+roomColumns+" FROM rooms", func(r row) error {
			found, err := scanRoom(r)
			rooms = append(rooms, found)
			return err
		})
		if err != nil {
			return err
		}
		t := tally{}
		for _, r := range rooms {
			before := r.crc()
			r.head.Epoch = rand.Text()
			_, err := c.exec("UPDATE rooms SET epoch = ?, crc = ? WHERE room = ?", r.head.Epoch, r.crc(), r.head.Room)
			if err != nil {
				return err
			}
			t.add(inRooms, before, r.crc())
		}
		return t.flush(c)
	})
}
