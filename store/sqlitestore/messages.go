package sqlitestore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

const messageColumns = "m.seq, m.state, m.id, m.sender, m.at, m.text, m.crc"

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

// readAt reads the message at a position.
func readAt(c *conn, pos int64) (chat.Message, error) {
	found, err := c.one("SELECT "+messageColumns+`, h.room
		FROM messages m LEFT JOIN heads h ON h.n = m.room WHERE m.pos = ?`, pos)
	if err != nil {
		return chat.Message{}, err
	}
	if found == nil {
		return chat.Message{}, damagef("the message at position %d is missing", pos)
	}
	return scanMessage(found, found.text(7))
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
		p := pageReader{s: s, c: c, n: n, room: room, limit: uint64(min(r.Limit, chat.MaxPage)), page: &page}
		return c.within("BEGIN", func() error {
			if r.Before == 0 {
				return p.up(r.After)
			}
			return p.down(r.Before)
		})
	})
	if err != nil {
		return chat.Page{}, err
	}
	return page, nil
}

// pageReader collects a page. Numbers are dense below the head, so each row must be the one
// expected next.
type pageReader struct {
	s     *Store
	c     *conn
	n     int64
	room  string
	limit uint64
	page  *chat.Page
	bytes int
	next  uint64 // the number expected
	full  bool
}

// readQuery reads as many messages as lookup says.
var readQuery = "SELECT " + messageColumns + " FROM messages m WHERE m.pos IN " + lookupParams

// up reads the messages above after.
func (p *pageReader) up(after uint64) error {
	last := p.page.Head.Seq
	after = max(after, p.page.Head.Cut)
	if after >= last {
		return nil
	}
	p.next = after + 1
	positions, err := p.s.positions(p.c, p.n, p.room, after+1, min(last, after+p.limit))
	if err != nil {
		return err
	}
	err = p.read(positions, readQuery+" ORDER BY m.pos", 1)
	p.page.More = p.next <= last
	return err
}

// down reads the messages below before, and puts them in ascending order.
func (p *pageReader) down(before uint64) error {
	before, cut := min(before, p.page.Head.Seq+1), p.page.Head.Cut
	if before <= cut+1 {
		return nil
	}
	p.next = before - 1
	positions, err := p.s.positions(p.c, p.n, p.room, before-min(before-1-cut, p.limit), before-1)
	if err != nil {
		return err
	}
	slices.Reverse(positions)
	err = p.read(positions, readQuery+" ORDER BY m.pos DESC", -1)
	slices.Reverse(p.page.Messages)
	p.page.More = p.next > cut
	return err
}

// read reads messages in the order of their positions, until the page is full.
func (p *pageReader) read(positions []int64, query string, step int) error {
	args := make([]any, lookup)
	for len(positions) > 0 && !p.full {
		some := positions[:min(lookup, len(positions))]
		positions = positions[len(some):]
		for i := range args {
			args[i] = some[min(i, len(some)-1)]
		}
		end := p.next + uint64(step*len(some))
		if err := p.c.each(query, func(r row) error { return p.add(r, step) }, args...); err != nil {
			return err
		}
		if !p.full && p.next != end {
			return damagef("room %q: message %d is missing", p.room, p.next)
		}
	}
	return nil
}

// add adds a row, unless the page is full.
func (p *pageReader) add(r row, step int) error {
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
	if p.bytes += m.JSONSize(); p.bytes > chat.MaxPageBytes && len(p.page.Messages) > 0 {
		p.full = true
		return nil
	}
	p.page.Messages = append(p.page.Messages, m)
	p.next += uint64(step)
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

// deleteMessage takes the text of a message away.
func (w *writer) deleteMessage(room string, seq uint64, author string) (chat.Message, error) {
	r, err := w.room(room)
	if err != nil {
		return chat.Message{}, err
	}
	if seq <= r.head.Cut || seq > r.head.Seq {
		return chat.Message{}, chat.E(chat.NotFound, "no such message")
	}
	pos, err := w.position(r, seq)
	if err != nil {
		return chat.Message{}, err
	}
	m, err := readAt(w.conn, pos)
	if err == nil && m.State == chat.Void {
		return m, chat.E(chat.NotFound, "no such message")
	}
	if err == nil && (m.Room != room || m.Seq != seq) {
		err = damagef("room %q: message %d is missing", room, seq)
	}
	if err != nil {
		return m, err
	}
	if author != "" && m.From != author {
		return chat.Message{}, chat.E(chat.Forbidden, "the message is another's")
	}
	if m.State == chat.Deleted {
		return m, nil
	}
	err = w.erase(&m, pos)
	return m, err
}

// erase overwrites a text with as many zero bytes.
func (w *writer) erase(m *chat.Message, pos int64) error {
	if err := w.keepHash(m, pos); err != nil {
		return err
	}
	before := messageCRC(nil, m, m.Text)
	zero := strings.Repeat("\x00", len(m.Text))
	m.State, m.Text = chat.Deleted, ""
	after := messageCRC(nil, m, zero)
	_, err := w.conn.exec("UPDATE messages SET state = ?, text = ?, crc = ? WHERE pos = ?",
		int64(m.State), zero, after, pos)
	if err != nil {
		return err
	}
	w.tally.add(inLog, before, after)
	return nil
}
