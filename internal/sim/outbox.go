package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/confab-chat/confab/internal/sim/checker"
)

// outbox is what a client has said and how far it got.
type outbox struct {
	made  int
	acked int
	open  map[string]*saying // not acknowledged, by id
	order []*saying          // the same, oldest first, with some that are acknowledged
	last  []*saying          // the last acknowledged ones
}

// saying is one message of the client.
type saying struct {
	room, id, text string
	attempt        *checker.Send // nil: it is to be sent
	sent           time.Time     // when the attempt began
	again          bool          // it was acknowledged on an earlier connection
}

func newOutbox() outbox { return outbox{open: map[string]*saying{}} }

// lost is called when the connection has ended: every message waits for the next one.
func (o *outbox) lost() {
	for _, s := range o.open {
		s.attempt = nil
	}
}

// done takes a message out.
func (o *outbox) done(s *saying, keep int) {
	delete(o.open, s.id)
	if !s.again {
		o.acked++
	}
	s.again = false
	if o.last = append(o.last, s); len(o.last) > keep {
		o.last = o.last[len(o.last)-keep:]
	}
	for len(o.order) > 0 && o.open[o.order[0].id] == nil {
		o.order = o.order[1:]
	}
}

// repeat opens the last acknowledged messages again.
func (o *outbox) repeat() {
	for _, s := range o.last {
		s.again, s.attempt = true, nil
		o.open[s.id] = s
		o.order = append(o.order, s)
	}
	o.last = nil
}

// say makes new messages while there is room in the window.
func (c *Client) say() {
	o := &c.outbox
	for !c.stopped && len(o.open) < c.o.Window && (c.o.Most == 0 || o.made < c.o.Most) {
		o.made++
		id := fmt.Sprintf("%s-%d", c.o.User, o.made)
		text := "text of " + id
		text += strings.Repeat(".", max(0, c.o.Length-len(text)))
		s := &saying{room: c.o.Rooms[c.rng.IntN(len(c.o.Rooms))], id: id, text: text}
		o.open[id] = s
		o.order = append(o.order, s)
		c.attempt(s)
	}
}

// sendWaiting sends what has no attempt under way, oldest first.
func (c *Client) sendWaiting() {
	if c.conn == nil || c.joined < len(c.o.Rooms) {
		return
	}
	for _, s := range c.outbox.order {
		if c.outbox.open[s.id] == s && s.attempt == nil {
			c.attempt(s)
		}
	}
	c.say()
}

func (c *Client) attempt(s *saying) {
	s.attempt, s.sent = c.book.Send(s.room, s.id, s.text), time.Now()
	c.send(`{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, s.id, s.room, s.text)
}

// acknowledged is called with each message of the client's own. One that was acknowledged before
// must be answered as a duplicate.
func (c *Client) acknowledged(f *Frame) {
	s := c.outbox.open[f.ID]
	if s == nil || s.attempt == nil || s.again && !f.Duplicate {
		return
	}
	s.attempt.Ack(f.Seq)
	if s.again {
		c.seen.Duplicates++
	}
	c.outbox.done(s, c.o.Resend)
	if n := c.o.ReadEvery; n > 0 && c.outbox.acked%n == 0 {
		c.read(c.rooms[s.room])
	}
	c.say()
}

// refused is called with an error that answers one of the client's messages; what can help is
// tried again at the next heartbeat.
func (c *Client) refused(s *saying, f *Frame) {
	if s.attempt == nil {
		return
	}
	switch {
	case f.Code == "unknown_outcome" || c.passing(f):
		s.attempt.Unknown()
	case f.Code == "unavailable" || f.Code == "rate_limited":
		s.attempt.Nack()
	default:
		s.attempt.Nack()
		c.seen.Problems = append(c.seen.Problems, fmt.Errorf("%s sends %s: %s", c.o.User, s.id, f.Raw))
		delete(c.outbox.open, s.id)
	}
	s.attempt = nil
}
