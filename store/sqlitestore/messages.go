package sqlitestore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

const messageColumns = "seq, state, id, sender, at, text, crc"

// scanMessage reads a row of messageColumns.
func scanMessage(r row, room string) (chat.Message, error) {
	m := chat.Message{
		Room: room, Seq: r.uint(0), State: chat.MessageState(r.int(1)), ID: r.text(2), From: r.text(3),
		At: time.UnixMilli(r.int(4)).UTC(), Text: r.text(5),
	}
	if messageCRC(nil, &m, m.Text) != r.int(6) {
		return m, damagef("room %q: message %d fails its CRC", room, m.Seq)
	}
	if m.State == chat.Deleted {
		m.Text = ""
	}
	return m, nil
}

// readMessage reads the message of a number that was given.
func readMessage(c *conn, n int64, room string, seq uint64) (chat.Message, error) {
	found, err := c.one("SELECT "+messageColumns+" FROM messages WHERE room = ? AND seq = ?", n, int64(seq))
	if err != nil {
		return chat.Message{}, err
	}
	if found == nil {
		return chat.Message{}, damagef("room %q: message %d is missing", room, seq)
	}
	return scanMessage(found, room)
}

// Messages reads a page: see chat.Log.
func (s *Store) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	var page chat.Page
	err := s.read(ctx, "messages", func(c *conn) error {
		n, head, err := s.head(c, room)
		if err != nil {
			return err
		}
		page.Head = head
		reader := pageReader{n: n, room: room, limit: min(r.Limit, chat.MaxPage)}
		if r.Before == 0 {
			return reader.up(c, &page, r.After)
		}
		return reader.down(c, &page, r.Before)
	})
	if err != nil {
		return chat.Page{}, err
	}
	return page, nil
}

// pageReader collects a page. Numbers are dense below the head, so each row must be the one
// expected next.
type pageReader struct {
	n     int64
	room  string
	limit int
	bytes int
	next  uint64 // the number expected
	full  bool
}

// up reads the messages above after.
func (p *pageReader) up(c *conn, page *chat.Page, after uint64) error {
	last := page.Head.Seq
	if after >= last {
		return nil
	}
	p.next = after + 1
	err := c.each("SELECT "+messageColumns+` FROM messages
		WHERE room = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
		func(r row) error { return p.add(r, page, 1) },
		p.n, int64(after), int64(last), int64(p.limit))
	if err != nil {
		return err
	}
	page.More = p.next <= last
	return p.complete(min(last-after, uint64(p.limit)), page)
}

// down reads the messages below before, and puts them in ascending order.
func (p *pageReader) down(c *conn, page *chat.Page, before uint64) error {
	before = min(before, page.Head.Seq+1)
	if before <= 1 {
		return nil
	}
	p.next = before - 1
	err := c.each("SELECT "+messageColumns+` FROM messages
		WHERE room = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
		func(r row) error { return p.add(r, page, -1) },
		p.n, int64(before), int64(p.limit))
	if err != nil {
		return err
	}
	slices.Reverse(page.Messages)
	page.More = p.next > 0
	return p.complete(min(before-1, uint64(p.limit)), page)
}

// add adds a row, unless the page is full.
func (p *pageReader) add(r row, page *chat.Page, step int) error {
	if p.full {
		return nil
	}
	m, err := scanMessage(r, p.room)
	if err != nil {
		return err
	}
	if m.Seq != p.next {
		return damagef("room %q: message %d is missing", p.room, p.next)
	}
	if p.bytes += m.JSONSize(); p.bytes > chat.MaxPageBytes && len(page.Messages) > 0 {
		p.full = true
		return nil
	}
	page.Messages = append(page.Messages, m)
	p.next += uint64(step)
	return nil
}

// complete tells whether all rows were there.
func (p *pageReader) complete(want uint64, page *chat.Page) error {
	if !p.full && uint64(len(page.Messages)) < want {
		return damagef("room %q: message %d is missing", p.room, p.next)
	}
	return nil
}

// Delete takes the text of a message away: see chat.Log. When it has returned the text is in none
// of the files; see the package doc.
func (s *Store) Delete(ctx context.Context, room string, seq uint64, author string) (chat.Message, error) {
	var m chat.Message
	o := op{run: func(w *writer) (err error) {
		m, err = w.deleteMessage(room, seq, author)
		return err
	}}
	if err := s.write(ctx, "delete", &o); err != nil {
		return chat.Message{}, err
	}
	s.checkpoints.erase()
	return m, nil
}

// deleteMessage overwrites a text with as many zero bytes.
func (w *writer) deleteMessage(room string, seq uint64, author string) (chat.Message, error) {
	r, err := w.room(room)
	if err != nil {
		return chat.Message{}, err
	}
	if seq == 0 || seq > r.head.Seq {
		return chat.Message{}, chat.E(chat.NotFound, "no such message")
	}
	m, err := readMessage(w.conn, r.n, room, seq)
	if err != nil {
		return m, err
	}
	if author != "" && m.From != author {
		return chat.Message{}, chat.E(chat.Forbidden, "the message is another's")
	}
	if m.State == chat.Deleted {
		return m, nil
	}
	if err := w.keepHash(r, &m); err != nil {
		return m, err
	}
	zero := strings.Repeat("\x00", len(m.Text))
	m.State, m.Text = chat.Deleted, ""
	_, err = w.conn.exec("UPDATE messages SET state = ?, text = ?, crc = ? WHERE room = ? AND seq = ?",
		int64(m.State), zero, messageCRC(nil, &m, zero), r.n, int64(seq))
	return m, err
}
