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
	a.key = sentKey(d.Room, d.From, d.ID)
	a.op.append = &a
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
	key    int64 // where the id belongs in the table of sent
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
	first, err := w.use(a)
	if err != nil {
		return err
	}
	if first != nil {
		a.stored = *first
		a.stored.Duplicate = true
		return nil
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
	pos := w.last + 1
	crc := messageCRC(w.scratch[:0], m, m.Text)
	_, err := w.conn.exec("INSERT INTO messages VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?)",
		pos, r.n, int64(m.Seq), m.ID, m.From, m.At.UnixMilli(), m.Text, crc)
	if err != nil {
		return err
	}
	w.last = pos
	w.staged = append(w.staged, place{r.n, m.Room, m.Seq, pos})
	w.tally.add(inLog, 0, crc)
	return nil
}
