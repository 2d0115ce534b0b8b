package sqlitestore

import (
	"maps"
	"slices"

	"github.com/confab-chat/confab/chat"
)

// readBatch is how many messages are read by one statement.
const readBatch = 1024

// messages gives the messages in the order of their arrival. Positions and numbers are dense.
func (r *reading) messages() error {
	log, err := readSum(r.c, inLog)
	if err := r.problem(err); err != nil {
		return err
	}
	end, err := r.c.one("SELECT max(pos) FROM messages")
	if err := r.problem(err); err != nil {
		return err
	}
	last := log.rows
	if len(end) > 0 {
		last = max(last, end.int(0))
	}
	for at := int64(0); at < last; at += readBatch {
		if err := r.batch(at, min(at+readBatch, last)); err != nil {
			return err
		}
		if r.o.Progress != nil {
			r.o.Progress(min(at+readBatch, last), last)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(r.rooms)) {
		room := r.rooms[n]
		if err := r.missing(room, room.head.Seq+1); err != nil {
			return err
		}
	}
	return nil
}

const readPositions = "SELECT " + messageColumns + `, m.pos, m.room FROM messages m
	WHERE m.pos > ? AND m.pos <= ? ORDER BY m.pos`

// batch gives the messages at the positions above from up to to. Where they cannot be read together
// because a page is damaged, they are read one by one.
func (r *reading) batch(from, to int64) error {
	next := from + 1
	err := r.c.each(readPositions, func(one row) error {
		err := r.position(one.int(7), &next)
		if err == nil {
			err = r.message(one)
		}
		if err == nil {
			err = r.ctx.Err()
		}
		return err
	}, from, to)
	if err == nil {
		return r.position(to+1, &next)
	}
	if err := r.problem(err); err != nil {
		return err
	}
	for ; next <= to; next++ {
		err := r.c.each(readPositions, r.message, next-1, next)
		if err := r.problem(err); err != nil {
			return err
		}
	}
	return nil
}

// position tells whether all messages before a position were there.
func (r *reading) position(pos int64, next *int64) error {
	for ; *next < pos; *next++ {
		if err := r.problem(damagef("the message at position %d is missing", *next)); err != nil {
			return err
		}
	}
	*next = pos + 1
	return nil
}

// message gives one message, and voids for those before it that are missing.
func (r *reading) message(one row) error {
	room := r.rooms[one.int(8)]
	if room == nil {
		return r.problem(damagef("the message at position %d is in no room that can be read", one.int(7)))
	}
	m, err := scanMessage(one, room.head.Room)
	if err != nil {
		if err := r.problem(err); err != nil || m.Seq != room.next {
			return err
		}
		m = chat.Message{Room: m.Room, Seq: m.Seq, State: chat.Void}
	}
	if m.Seq <= room.head.Cut {
		return nil
	}
	if m.Seq < room.next || m.Seq > room.head.Seq {
		return r.problem(damagef("room %q: message %d is out of place", m.Room, m.Seq))
	}
	if err := r.missing(room, m.Seq); err != nil {
		return err
	}
	room.next = m.Seq + 1
	return r.give(m)
}

// missing gives voids for the numbers of a room that should have come before one.
func (r *reading) missing(room *readingRoom, before uint64) error {
	for ; room.next < before; room.next++ {
		err := r.problem(damagef("room %q: message %d is missing", room.head.Room, room.next))
		if err == nil {
			err = r.give(chat.Message{Room: room.head.Room, Seq: room.next, State: chat.Void})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
