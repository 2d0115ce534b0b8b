package sqlitestore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Append stores a message: see chat.Log.
func (s *Store) Append(
	ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message),
) (chat.Message, error) {
	var a appending
	a.draft, a.then = d, then
	a.op.run, a.op.committed = a.run, a.committed
	if err := s.write(ctx, "append", &a.op); err != nil {
		return chat.Message{}, err
	}
	return a.stored, nil
}

// appending is an Append on its way.
type appending struct {
	op     op
	draft  chat.Draft
	then   func(chat.Head, chat.Message)
	head   chat.Head
	stored chat.Message
}

// committed tells of the message, unless it was stored before.
func (a *appending) committed() {
	if !a.stored.Duplicate {
		a.then(a.head, a.stored)
	}
}

// run gives the draft the next number.
func (a *appending) run(w *writer) error {
	d := &a.draft
	r, err := w.room(d.Room)
	if err != nil {
		return err
	}
	if err := w.mayAppend(r, d.From); err != nil {
		return err
	}
	next := r.head.Seq + 1
	hash := textHash(d.Text)
	fresh, err := w.insertSent(r, d, next, hash)
	if err != nil {
		return err
	}
	if !fresh {
		first, err := w.repeated(r, d, hash)
		if err != nil || first.Duplicate {
			a.stored = first
			return err
		}
	}
	a.stored = chat.Message{
		Room: d.Room, Seq: next, ID: d.ID, From: d.From, Text: d.Text,
		At: time.UnixMilli(d.At.UnixMilli()).UTC(),
	}
	if err := w.insertMessage(r, &a.stored); err != nil {
		return err
	}
	r.head.Seq = next
	w.touch(r)
	a.head = r.head
	return nil
}

// mayAppend tells whether a user is a member.
func (w *writer) mayAppend(r *room, user string) error {
	if r.head.Kind == chat.LobbyRoom {
		return nil
	}
	m, err := w.member(r, user)
	if err != nil {
		return err
	}
	switch m.state {
	case chat.Joined:
		return nil
	case chat.Left:
		return chat.E(chat.NotMember, "you have left this room")
	}
	return chat.E(chat.NotFound, "no such room")
}

// insertMessage stores a message as the last of all.
func (w *writer) insertMessage(r *room, m *chat.Message) error {
	_, err := w.conn.exec(
		"INSERT INTO messages (room, seq, state, id, sender, at, text, crc) VALUES (?, ?, 0, ?, ?, ?, ?, ?)",
		r.n, int64(m.Seq), m.ID, m.From, m.At.UnixMilli(), m.Text, messageCRC(w.scratch[:0], m, m.Text))
	return err
}

// sentRow is a row of sent: an id that was used, and for which message.
type sentRow struct {
	room       int64
	sender, id string
	seq        uint64
	at         int64 // milliseconds since 1970, by the store's clock
	hash       string
}

func (r *sentRow) crc(scratch content) int64 {
	return scratch.num(uint64(r.room)).text(r.sender).text(r.id).num(r.seq).num(uint64(r.at)).text(r.hash).crc()
}

const sentColumns = "room, sender, id, seq, at, hash, crc"

// scanSent reads a row of sentColumns.
func scanSent(r row) (sentRow, error) {
	found := sentRow{
		room: r.int(0), sender: r.text(1), id: r.text(2), seq: r.uint(3), at: r.int(4), hash: r.text(5),
	}
	if found.crc(nil) != r.int(6) {
		return found, damagef("the sent id %q of %q fails its CRC", found.id, found.sender)
	}
	return found, nil
}

// insertSent records the id of a message. It tells whether the id is new.
func (w *writer) insertSent(r *room, d *chat.Draft, seq uint64, hash string) (fresh bool, err error) {
	s := sentRow{room: r.n, sender: d.From, id: d.ID, seq: seq, at: w.now(), hash: hash}
	crc := s.crc(w.scratch[:0])
	changed, err := w.conn.exec("INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.room, s.sender, s.id, int64(s.seq), s.at, s.hash, crc)
	if err != nil || changed == 0 {
		return false, err
	}
	w.tally.add(inSent, 0, crc)
	return true, nil
}

// repeated gives the message for which the id was used, with Duplicate set. When that is longer
// ago than ids are remembered the id is recorded anew, and the message has not Duplicate set.
func (w *writer) repeated(r *room, d *chat.Draft, hash string) (chat.Message, error) {
	found, err := w.conn.one("SELECT "+sentColumns+" FROM sent WHERE room = ? AND sender = ? AND id = ?",
		r.n, d.From, d.ID)
	if err != nil {
		return chat.Message{}, err
	}
	if found == nil {
		return chat.Message{}, damagef("room %q: the sent id %q of %q is there and is not", d.Room, d.ID, d.From)
	}
	s, err := scanSent(found)
	if err != nil {
		return chat.Message{}, err
	}
	if s.at <= w.since(chat.DedupWindow) {
		return chat.Message{}, w.replaceSent(r, &s, hash)
	}
	if s.hash != hash {
		return chat.Message{}, chat.E(chat.IDReused, "this message id was used for another text")
	}
	m, err := readMessage(w.conn, r.n, d.Room, s.seq)
	if err != nil {
		return chat.Message{}, err
	}
	if m.ID != d.ID || m.From != d.From {
		return chat.Message{}, damagef("room %q: the sent id %q of %q is not that of message %d",
			d.Room, d.ID, d.From, s.seq)
	}
	m.Duplicate = true
	return m, nil
}

// replaceSent records an old id anew, for the room's next message.
func (w *writer) replaceSent(r *room, s *sentRow, hash string) error {
	before := s.crc(nil)
	s.seq, s.at, s.hash = r.head.Seq+1, w.now(), hash
	after := s.crc(nil)
	_, err := w.conn.exec(
		"UPDATE sent SET seq = ?, at = ?, hash = ?, crc = ? WHERE room = ? AND sender = ? AND id = ?",
		int64(s.seq), s.at, s.hash, after, s.room, s.sender, s.id)
	w.tally.add(inSent, before, after)
	return err
}
