package sqlitestore

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"

	"github.com/confab-chat/confab/chat"
)

// ReadMarker is how far a user has read a room.
type ReadMarker struct {
	Room, User string
	Seq        uint64
}

// Display is what a user is shown as beside the name.
type Display struct{ User, Display string }

// Record is one thing that a data folder holds: a chat.Head (of a room), chat.User, Display,
// chat.Member (who has left too), ReadMarker, auth.Account, auth.Session, auth.Entry or chat.Message.
type Record any

// ReadOptions say what ReadAll reads. The zero value leaves out who is signed in, and ends at
// damage.
type ReadOptions struct {
	Sessions bool // devices that are signed in too, by the hashes of their secrets
	// Damaged is told what cannot be read, in a line that names the room and the message; it is left
	// out, and reading goes on. In the place of a message stands one that is void. Nil: reading ends
	// with Corrupt.
	Damaged func(line string)
	// Progress is told the messages that were read, of those in all. Nil: nobody is.
	Progress func(done, total int64)
}

// ReadAll reads a data folder, or a database file, that a server may be using: all is as it was
// when reading began. Records come as [Build] takes them: rooms, the lobby first, before what
// belongs to them, and messages last, in the order of their arrival. Links, and who left lately,
// are no records.
func ReadAll(ctx context.Context, path string, o ReadOptions, emit func(Record) error) (err error) {
	s, err := openSource(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := reading{
		c: s.conn, ctx: ctx, o: o, emit: emit,
		rooms: map[int64]*readingRoom{}, known: map[string]*readingRoom{}, named: map[string]bool{},
	}
	if _, err = s.exec("BEGIN"); err == nil {
		err = r.all()
		s.rollback() // nothing was written, and COMMIT fails where a page was damaged
	}
	if err != nil && ctx.Err() == nil {
		return openError(s.file, err)
	}
	return err
}

// reading is one ReadAll.
type reading struct {
	c    *conn
	ctx  context.Context
	o    ReadOptions
	emit func(Record) error

	version int64
	cuts    map[string]uint64
	rooms   map[int64]*readingRoom  // by their number
	known   map[string]*readingRoom // by their ids
	named   map[string]bool         // users
	taken   bool                    // emit has failed: it is no damage
}

// readingRoom is a room whose messages are read.
type readingRoom struct {
	head chat.Head
	next uint64 // the number expected
}

// problem tells of damage, if somebody wants to know and go on. Any other error is given back.
func (r *reading) problem(err error) error {
	if err == nil || r.taken || r.o.Damaged == nil || r.ctx.Err() != nil || classify(err) != damaged {
		return err
	}
	r.o.Damaged(err.Error())
	return nil
}

// give hands a record over.
func (r *reading) give(record Record) error {
	err := r.emit(record)
	r.taken = r.taken || err != nil
	return err
}

func (r *reading) all() error {
	var err error
	if r.version, err = checkSchema(r.c); err != nil {
		return err
	}
	r.cuts, err = readCuts(r.c, r.version)
	if err := r.problem(err); err != nil {
		return err
	}
	if err := r.readRooms(); err != nil {
		return err
	}
	for _, table := range []func() error{
		r.users, r.displays, r.members, r.reads, r.accounts, r.sessions, r.audit,
	} {
		if err := table(); err != nil {
			return err
		}
	}
	return r.messages()
}

// readRows gives the rows of a table as records; what record refuses is left out. A table that has
// fewer or other rows than were written is damaged.
func readRows[T any](
	r *reading, table, order string, scan func(row) (T, error), record func(T) Record,
) error {
	var t *verified
	for i := range verifiedTables {
		if verifiedTables[i].name == table {
			t = &verifiedTables[i]
		}
	}
	bad := false
	query := "SELECT " + t.columns + " FROM " + table + " ORDER BY " + order
	err := r.c.each(query, func(one row) error {
		value, err := scan(one)
		if err != nil {
			bad = true
			return r.problem(err)
		}
		if out := record(value); out != nil {
			return r.give(out)
		}
		return r.ctx.Err()
	})
	if err == nil && !bad {
		err = t.verify(r.c, r.ctx.Err)
	}
	return r.problem(err)
}

// readRooms gives the rooms.
func (r *reading) readRooms() error {
	err := readRows(r, inRooms, "n", scanRoom, func(found roomRow) Record {
		r.rooms[found.n] = &readingRoom{head: found.head}
		return nil
	})
	if err != nil {
		return err
	}
	if r.rooms[1] == nil { // there is no log without a lobby; the new epoch has clients read it anew
		r.rooms[1] = &readingRoom{head: chat.Head{
			Room: chat.Lobby, Name: chat.Lobby, Kind: chat.LobbyRoom, Epoch: rand.Text(),
		}}
	}
	if err := r.lastNumbers(); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(r.rooms)) {
		room := r.rooms[n]
		h := &room.head
		if r.version >= 2 {
			if err := r.problem(readKept(r.c, h)); err != nil {
				return err
			}
		}
		h.Seq = max(h.Seq, h.Cut)
		room.next, r.known[h.Room] = h.Cut+1, room
		if err := r.give(*h); err != nil {
			return err
		}
	}
	return nil
}

// lastNumbers finds the last number of each room: the table has it but for the youngest messages.
func (r *reading) lastNumbers() error {
	complete, err := readSum(r.c, youngest)
	if err := r.problem(err); err != nil {
		return err
	}
	for n, room := range r.rooms {
		seq, err := readSeq(r.c, n, room.head.Room)
		if err != nil {
			complete.rows = 0 // all messages are asked instead
		}
		room.head.Seq = seq
		if err := r.problem(err); err != nil {
			return err
		}
	}
	const query = "SELECT room, max(seq) FROM messages WHERE pos > ? GROUP BY room"
	err = r.c.each(query, func(one row) error {
		if room := r.rooms[one.int(0)]; room != nil {
			room.head.Seq = max(room.head.Seq, one.uint(1))
		}
		return nil
	}, complete.rows)
	return r.problem(err)
}

func (r *reading) users() error {
	return readRows(r, inUsers, "name", scanUser, func(u userRow) Record {
		r.named[u.name] = true
		return u.user()
	})
}

func (r *reading) displays() error {
	if r.version < 2 {
		return nil
	}
	return readRows(r, inDisplays, "user", scanDisplay, func(d displayRow) Record {
		if !r.named[d.user] {
			return nil
		}
		return Display{User: d.user, Display: d.display}
	})
}

func (r *reading) members() error {
	return readRows(r, inMembers, "room, user", scanMember, func(m memberRow) Record {
		if r.known[m.room] == nil {
			return nil
		}
		return m.member()
	})
}

func (r *reading) reads() error {
	return readRows(r, inReads, "user, room", scanRead, func(m readRow) Record {
		room := r.known[m.room]
		if room == nil {
			return nil
		}
		return ReadMarker{Room: m.room, User: m.user, Seq: min(m.seq, room.head.Seq)}
	})
}

func (r *reading) accounts() error {
	return readRows(r, inAccounts, "id", scanAccount, func(a accountRow) Record { return a.Account })
}

func (r *reading) sessions() error {
	if !r.o.Sessions {
		return nil
	}
	return readRows(r, inSessions, "hash", scanSession, func(n sessionRow) Record { return n.Session })
}

func (r *reading) audit() error {
	return readRows(r, inAudit, "id", scanEntry, func(e entryRow) Record { return e.Entry })
}
