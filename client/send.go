package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/confab-chat/confab/wire"
)

const (
	maxText  = 16384          // bytes (docs/protocol.md, "Limits")
	maxName  = 1024           // bytes; the server allows 64, but counts those of NFC
	forgets  = 24 * time.Hour // how long the server knows ids
	staleAge = forgets - time.Hour
	calm     = 10 * time.Second // for how long nothing overtakes, once too much was sent
)

// Draft is a message to be sent.
type Draft struct {
	Room string // or To, a user; neither: the lobby
	To   string
	Text string // 1 to 16,384 bytes of UTF-8, no control characters but newline and tab
	// ID is the message's id, 1 to 64 bytes that do not begin with "~", other than that of any other
	// message of the user. "" makes one. A program that sends a Draft with an ID again, within 24
	// hours, sends it once.
	ID string
}

// check refuses what would end the connection, or be changed on the way.
func (d *Draft) check() error {
	var field, why string
	switch {
	case d.Room != "" && d.To != "":
		field, why = "to", "a message goes to a room or to a user"
	case len(d.ID) > wire.MaxID || strings.HasPrefix(d.ID, reserved):
		field, why = "id", `an id has 1 to 64 bytes and does not begin with "~"`
	case d.Text == "" || !utf8.ValidString(d.Text):
		field, why = "message", "a message is 1 to 16,384 bytes of UTF-8"
	case len(d.Room) > maxName || len(d.To) > maxName:
		field, why = "room", "a name has at most 64 bytes"
	case !utf8.ValidString(d.Room + "\n" + d.To + "\n" + d.ID):
		field, why = "room", "a name is UTF-8"
	case len(d.Text) > maxText:
		return &Error{Code: wire.TooLarge, Message: "a message has at most 16,384 bytes"}
	default:
		return nil
	}
	return &Error{Code: wire.BadField, Message: field + ": " + why}
}

// Sending is a message on its way.
type Sending struct {
	client *Client
	id     string
	done   chan struct{}
	sent   Message // with err, valid when done is closed
	err    error
}

// ID is the message's id.
func (s *Sending) ID() string { return s.id }

// Wait waits for the acknowledgement and gives the message as it is stored, with its room and Seq.
// An error that is ErrPending says that there is none yet, because ctx or the client has ended;
// every other one that the message was refused.
func (s *Sending) Wait(ctx context.Context) (Message, error) {
	select {
	case <-s.done:
		return s.sent, s.err
	default:
	}
	select {
	case <-s.done:
		return s.sent, s.err
	case <-ctx.Done():
		return Message{}, fmt.Errorf("%w: %w", ErrPending, ctx.Err())
	case <-s.client.ended:
		return Message{}, fmt.Errorf("%w: %w", ErrPending, s.client.Err())
	}
}

// Send sends a text to a room and returns when it is stored: with the message, its Room and Seq. See
// [Sending.Wait] for errors. Without a connection it waits for one; what is still in the outbox when
// ctx ends is sent nevertheless.
func (c *Client) Send(ctx context.Context, room, text string) (Message, error) {
	return c.sendNow(ctx, Draft{Room: room, Text: text})
}

// SendTo is Send to a user. The room of the two is in the message that it gives.
func (c *Client) SendTo(ctx context.Context, user, text string) (Message, error) {
	return c.sendNow(ctx, Draft{To: user, Text: text})
}

func (c *Client) sendNow(ctx context.Context, d Draft) (Message, error) {
	s, err := c.Queue(ctx, d)
	if err != nil {
		return Message{}, err
	}
	return s.Wait(ctx)
}

// Queue puts a message into the outbox and returns without waiting for its acknowledgement, so that
// many may be under way. They are sent in the order of the calls, on the next connection if
// there is none now; a message that the server cannot take for the moment may be overtaken by
// those that were already under way behind it. While 1,000 messages wait Queue blocks, until ctx
// ends.
func (c *Client) Queue(ctx context.Context, d Draft) (*Sending, error) {
	if d.Room == "" && d.To == "" {
		d.Room = "lobby"
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if d.ID == "" {
		d.ID = rand.Text()
	}
	if err := c.acquire(ctx, c.outbox.slots); err != nil {
		return nil, err
	}
	s, err := c.keepDraft(ctx, d)
	if err != nil {
		<-c.outbox.slots
	}
	return s, err
}

// acquire takes one of the places of a channel.
func (c *Client) acquire(ctx context.Context, places chan<- struct{}) error {
	if err := cmp.Or(ctx.Err(), c.Err()); err != nil {
		return err
	}
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ended:
		return c.Err()
	}
}

// keepDraft takes a message into the outbox.
func (c *Client) keepDraft(ctx context.Context, d Draft) (*Sending, error) {
	if err := c.acquire(ctx, c.outbox.adding); err != nil {
		return nil, err
	}
	defer func() { <-c.outbox.adding }()
	c.mu.Lock()
	twin := c.outbox.find(d.ID)
	c.mu.Unlock()
	if twin != nil {
		return nil, &Error{Code: wire.IDReused, Message: "a message with this id is in the outbox"}
	}
	now := time.Now().Round(0) // by the clock on the wall: a machine that sleeps grows older too
	e := &entry{Draft: d, at: now, sending: &Sending{client: c, id: d.ID, done: make(chan struct{})}}
	if err := c.outbox.store(e); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outbox.add(e)
	c.poke()
	return e.sending, nil
}

// Flush waits until every message that is in the outbox now is acknowledged or refused. Its error is
// that of ctx, or of the client's end.
func (c *Client) Flush(ctx context.Context) error {
	c.mu.Lock()
	waiting := make([]*Sending, len(c.outbox.order))
	for i, e := range c.outbox.order {
		waiting[i] = e.sending
	}
	c.mu.Unlock()
	for _, s := range waiting {
		select {
		case <-s.done:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return c.Err()
		}
	}
	return nil
}

// sendWaiting sends messages, oldest first, as many as may be under way.
func (c *Client) sendWaiting(l *link, d *dues) {
	under, most := 0, l.pipeline
	if l.alone.After(d.now) {
		most = 1
		d.at(l.alone)
	}
	for _, e := range c.outbox.order {
		if e.link == l && c.waited(l, e.sent, d) {
			e.link = nil // the answer is lost
		} else if e.link == l {
			under++
		}
		if under >= most {
			return
		}
	}
	var stale []*entry
	for _, e := range c.outbox.order {
		if e.link == l {
			continue
		}
		if under >= most {
			break
		}
		if e.notBefore.After(d.now) {
			d.at(e.notBefore)
			break
		}
		if e.tried && d.now.Sub(e.at) > staleAge {
			stale = append(stale, e)
			continue
		}
		e.link, e.sent, e.tried = l, d.now, true
		d.add(&action{Action: wire.SendMessage, ID: e.ID, Room: e.Room, To: e.To, Message: e.Text})
		c.waited(l, e.sent, d)
		under++
	}
	for _, e := range stale {
		c.finish(e, Message{}, ErrStale)
	}
}

// acknowledge takes a message of one's own, however it came, as the acknowledgement.
func (c *Client) acknowledge(m *wire.Message) {
	e := c.outbox.find(m.ID)
	if e == nil || m.From != "" && m.From != c.user || m.Text != e.Text && !m.Deleted {
		return
	}
	c.finish(e, message(m), nil)
}

// refused deals with a message that the server has not taken, or does not know whether it has.
func (c *Client) refused(e *entry, err *Error, now time.Time) {
	switch err.Code {
	case wire.RateLimited, wire.Unavailable, wire.UnknownOutcome:
		if e.link != nil {
			e.link.alone = now.Add(calm)
		}
		e.link = nil
		e.notBefore = now.Add(err.RetryAfter)
		if err.RetryAfter == 0 {
			e.notBefore = now.Add(c.o.minWait)
		}
	default:
		c.finish(e, Message{}, err)
	}
}

// finish ends a message's way through the outbox.
func (c *Client) finish(e *entry, m Message, err error) {
	c.outbox.remove(e)
	e.sending.sent, e.sending.err = m, err
	close(e.sending.done)
	if e.restored {
		if err != nil {
			c.queue.put(SendFailed{e.Draft, err})
		}
		return
	}
	<-c.outbox.slots
}
