package shell

import (
	"context"
	"errors"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// pageMax is the most messages that a request gives: docs/protocol.md, "Limits".
const pageMax = 200

// Tail prints a room's messages, from earlier ones on, and those that come.
type Tail struct {
	Server
	Room    string
	Last    int           // how many earlier messages; where Since is set it does not count
	Since   Since         // from where on
	Follow  bool          // wait for more
	Timeout time.Duration // for connecting, and in all where it does not follow; 0: none
	Screen  *Screen
	Notices Notices

	shown uint64 // every message up to this number is printed, or not wanted
}

// Run prints until the context ends, or without Follow up to the last message.
func (t *Tail) Run(ctx context.Context) error {
	c, err := t.dial(ctx, t.Timeout)
	if err != nil {
		return late(err)
	}
	defer c.Close()
	if err := late(t.earlier(ctx, c)); err != nil || !t.Follow {
		return err
	}
	return t.follow(ctx, c)
}

// earlier prints the messages that are there.
func (t *Tail) earlier(ctx context.Context, c *client.Client) error {
	if t.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, t.Timeout)
		defer cancel()
		ctx = bounded
	}
	newest, err := t.newest(ctx, c)
	if err != nil {
		return err
	}
	t.Room = newest.Room // as it was first written
	switch {
	case t.Since.set():
		t.shown, err = t.Since.start(ctx, c, newest)
		if t.shown > newest.Seq { // of another log, or mistyped: what comes is not to be missed
			t.Notices.say("the last message of %s is %d, before %d",
				terminal.CleanLine(t.Room), newest.Seq, t.shown)
			t.shown = newest.Seq
		}
	default:
		t.shown, err = beforeLast(ctx, c, newest, t.Last)
	}
	if err != nil {
		return err
	}
	for m, err := range c.Log(ctx, t.Room, t.shown) {
		if err != nil {
			return err
		}
		if t.Since.tooEarly(m) {
			continue
		}
		if err := t.print(m); err != nil {
			return err
		}
	}
	return nil
}

// newest gives the end of the room; who is not in it joins it.
func (t *Tail) newest(ctx context.Context, c *client.Client) (client.Page, error) {
	page, err := c.History(ctx, t.Room, client.Newest(1))
	if !isOutside(err) {
		return page, err
	}
	if err := t.enter(ctx, c); err != nil {
		return page, err
	}
	return c.History(ctx, t.Room, client.Newest(1))
}

// enter joins the room: one that exists, unless there may come something to follow.
func (t *Tail) enter(ctx context.Context, c *client.Client) error {
	if t.Follow {
		return join(ctx, c, t.Room, t.Notices)
	}
	return enter(ctx, c, t.Room, t.Notices)
}

// beforeLast gives the number before the last messages of a room, so many of them that are there.
func beforeLast(
	ctx context.Context, c *client.Client, newest client.Page, count int,
) (uint64, error) {
	start := newest.Seq + 1
	for count > 0 {
		page, err := c.History(ctx, newest.Room, client.Before(start, min(count, pageMax)))
		if err != nil {
			return 0, err
		}
		count -= len(page.Messages)
		if len(page.Messages) > 0 {
			start = page.Messages[0].Seq
		}
		if !page.More || len(page.Messages) == 0 {
			break
		}
	}
	return start - 1, nil
}

// print prints a message, each once and in order.
func (t *Tail) print(m client.Message) error {
	if m.Seq <= t.shown {
		return nil
	}
	t.shown = m.Seq
	return t.Screen.entry(m)
}

// follow prints what comes.
func (t *Tail) follow(ctx context.Context, c *client.Client) error {
	w := watch{say: t.Notices.say}
	for e, err := range c.Events(ctx) {
		if err != nil {
			return err
		}
		if w.take(e) {
			continue
		}
		if err := t.take(ctx, c, e); err != nil {
			return err
		}
	}
	return nil
}

// take prints an event of the room.
func (t *Tail) take(ctx context.Context, c *client.Client, e client.Event) error {
	switch e := e.(type) {
	case client.Message:
		if e.Room != t.Room {
			return nil
		}
		return t.fill(ctx, c, e)
	case client.Reset:
		if e.Room != t.Room {
			return nil
		}
		t.shown = max(e.FirstSeq, 1) - 1
		t.Notices.say("%s begins anew: %s",
			terminal.CleanLine(e.Room), terminal.CleanLine(e.Reason))
	case client.Deleted:
		if e.Room != t.Room {
			return nil
		}
	case client.Left:
		if e.Room != t.Room {
			return nil
		}
		return outside(e)
	default:
		return nil
	}
	if t.Screen.JSON {
		return t.Screen.putJSON(eventLine(e))
	}
	return nil
}

// outside is the end of following a room that one is in no longer.
func outside(e client.Left) error {
	text := "no longer in " + terminal.CleanLine(e.Room)
	if e.Reason != "" {
		text += ": " + terminal.CleanLine(e.Reason)
	}
	return errors.New(text)
}

// fill prints a message, and before it those between it and the earlier ones: a room can have grown
// while it was read.
func (t *Tail) fill(ctx context.Context, c *client.Client, m client.Message) error {
	if m.Seq > t.shown+1 {
		for earlier, err := range c.Log(ctx, t.Room, t.shown) {
			if err != nil {
				return err
			}
			if earlier.Seq >= m.Seq {
				break
			}
			if err := t.print(earlier); err != nil {
				return err
			}
		}
	}
	return t.print(m)
}
