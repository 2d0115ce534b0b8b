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

	version int64
	cuts    map[string]uint64 // by room: messages up to there are gone
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

func (k *checker) all() (err error) {
	if k.version, err = checkSchema(k.c); err != nil {
		if chat.KindOf(err) == chat.Internal {
			return k.problem(err)
		}
		return err // of a newer program
	}
	for _, check := range []func() error{k.structure, k.tables, k.kept, k.rooms, k.sentIDs} {
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
		t := &verifiedTables[i]
		if t.since > k.version {
			continue
		}
		if err := k.problem(t.verify(k.c, k.ctx.Err)); err != nil {
			return err
		}
	}
	return nil
}

// kept reads up to where the messages of rooms are gone.
func (k *checker) kept() (err error) {
	k.cuts, err = readCuts(k.c, k.version)
	return err
}

// checkedRoom is what is known of a room while its messages are read.
type checkedRoom struct {
	room    string
	carried uint64 // the last number in places
	next    uint64 // the number expected
	begun   bool   // a message was read
	places  int64  // a sum over the places of its messages, of which the table's are subtracted
	broken  bool   // its head is, so that carried is not known
}

// placeSum is what one place adds to a sum.
func placeSum(seq uint64, pos int64) int64 { return content(nil).num(seq).num(uint64(pos)).crc() }

// rooms checks the heads, the messages in the order of their arrival, and that places leads to them.
func (k *checker) rooms() error {
	rooms := map[int64]*checkedRoom{}
	err := k.c.each("SELECT "+roomColumns+" FROM rooms", func(r row) error {
		found, err := scanRoom(r)
		if err == nil {
			rooms[found.n] = &checkedRoom{room: found.head.Room, next: k.cuts[found.head.Room] + 1}
		}
		return k.problem(err)
	})
	if err != nil {
		return err
	}
	for n, r := range rooms {
		r.carried, err = readSeq(k.c, n, r.room)
		r.broken = err != nil
		if err := k.problem(err); err != nil {
			return err
		}
	}
	heads, err := k.c.one("SELECT count(*) FROM heads")
	if err == nil && heads.int(0) != int64(len(rooms)) {
		err = k.problem(damagef("there are %d heads, and should be %d", heads.int(0), len(rooms)))
	}
	if err != nil {
		return err
	}
	if err := k.problem(k.messages(rooms)); err != nil {
		return err
	}
	return k.places(rooms)
}

// messages checks that each has the number that is next in its room and a good CRC, and that as many
// are there as were stored.
func (k *checker) messages(rooms map[int64]*checkedRoom) error {
	want, err := readSum(k.c, inLog)
	if err != nil {
		return err
	}
	var got sum
	err = k.c.each("SELECT "+messageColumns+", m.pos, m.room FROM messages m ORDER BY m.pos", func(r row) error {
		got.rows++
		got.total += r.int(6)
		room := rooms[r.int(8)]
		if room == nil {
			return k.problem(damagef("the message at position %d is in no room", r.int(7)))
		}
		if err := k.problem(k.message(room, r)); err != nil {
			return err
		}
		return k.ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("the message after the first %d: %w", got.rows, err)
	}
	if got != want {
		return damagef("there are %d messages with a CRC of %d in all, and should be %d with %d",
			got.rows, got.total, want.rows, want.total)
	}
	return nil
}

// message checks one message of a room.
func (k *checker) message(room *checkedRoom, r row) error {
	m, err := scanMessage(r, room.room)
	if !room.begun {
		room.begun, room.next = true, min(room.next, m.Seq) // rows of what is gone may be there
	}
	for ; room.next < m.Seq && err == nil; room.next++ {
		if err := k.problem(damagef("room %q: message %d is missing", room.room, room.next)); err != nil {
			return err
		}
	}
	room.next = m.Seq + 1
	if m.Seq <= room.carried {
		room.places += placeSum(m.Seq, r.int(7))
	}
	return err
}

// places checks that the table leads to the messages of each room, and to nothing else.
func (k *checker) places(rooms map[int64]*checkedRoom) error {
	err := k.c.each("SELECT "+placesColumns+" FROM places", func(r row) error {
		p, err := scanPlaces(r)
		if err != nil {
			return k.problem(err)
		}
		if room := rooms[p.room]; room != nil {
			p.each(func(seq uint64, pos int64) { room.places -= placeSum(seq, pos) })
		}
		return k.ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, room := range rooms {
		switch {
		case room.broken:
		case room.next <= room.carried:
			err = damagef("room %q: the last message is %d, and should be %d", room.room, room.next-1, room.carried)
		case room.places != 0:
			err = damagef("room %q: places does not lead to its messages", room.room)
		}
		if err := k.problem(err); err != nil {
			return err
		}
		err = nil
	}
	return nil
}

// sentIDs checks that each id in the table is that of its message.
func (k *checker) sentIDs() error {
	return k.c.each(`SELECT s.key, s.pos, h.room, m.sender, m.id, m.seq FROM sent s
		LEFT JOIN messages m ON m.pos = s.pos LEFT JOIN heads h ON h.n = m.room`,
		func(r row) error {
			if cut := k.cuts[r.text(2)]; cut > 0 && r.uint(5) <= cut {
				return nil // its message is gone
			}
			// Ids that share a key stand one after the other.
			if d := r.int(0) - sentKey(r.text(2), r.text(3), r.text(4)); d < 0 || d > 64 {
				return k.problem(damagef("the sent id of the message at position %d is not its id", r.int(1)))
			}
			return k.ctx.Err()
		})
}

// renew makes a copied database one that goes on by itself: of this program's version, with new
// epochs, and without links.
func renew(file string) (err error) {
	c, err := connect(uri(file, "mode=rw"), "journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close(), syncFile(file)) }()
	version, err := checkSchema(c)
	if err == nil && version < schemaVersion {
		err = migrate(c, version)
	}
	if err != nil {
		return err
	}
	return c.within("BEGIN IMMEDIATE", func() error {
		t := tally{}
		if err := errors.Join(renewEpochs(c, t), forgetLinks(c, t)); err != nil {
			return err
		}
		return t.flush(c)
	})
}

// renewEpochs gives every room of a database a new epoch.
func renewEpochs(c *conn, t tally) error {
	var rooms []roomRow
	err := c.each("SELECT "+roomColumns+" FROM rooms", func(r row) error {
		found, err := scanRoom(r)
		rooms = append(rooms, found)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range rooms {
		before := r.crc()
		r.head.Epoch = rand.Text()
		_, err := c.exec("UPDATE rooms SET epoch = ?, crc = ? WHERE room = ?", r.head.Epoch, r.crc(), r.head.Room)
		if err != nil {
			return err
		}
		t.add(inRooms, before, r.crc())
	}
	return nil
}
