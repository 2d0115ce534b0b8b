package shell

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// Limits of send.
const (
	maxWhole = 64 << 20 // bytes of an input that is sent as a whole
	inFlight = 64       // lines that are read ahead of their acknowledgement
)

// Send sends messages.
type Send struct {
	Server
	Room, To string        // one of them; neither: the lobby
	ID       string        // of the message, where there is one alone; "" makes one
	Text     string        // "" reads Input
	Input    io.Reader     // each line is a message
	Whole    bool          // all of Input is one message
	Timeout  time.Duration // for connecting, and for a single message; 0: none
	Verbose  bool          // say the number of each message
	Screen   *Screen       // its JSON: print each message as it is stored
	Notices  Notices
}

// Run sends, and returns when everything is stored, or something is refused.
func (s *Send) Run(ctx context.Context) error {
	c, err := s.dial(ctx, s.Timeout)
	if err != nil {
		return late(err)
	}
	defer c.Close()
	watched, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(s.watch(watched, c)) }()
	if s.Text == "" && !s.Whole {
		return s.lines(watched, c)
	}
	text := s.Text
	if s.Whole {
		if text, err = readWhole(s.Input); err != nil {
			return err
		}
	}
	err = s.one(watched, c, strings.TrimRight(terminal.Plain(text), "\n"))
	return late(because(watched, err))
}

// watch says that the line is down, and returns when it is for good. Nothing else is of interest
// here.
func (s *Send) watch(ctx context.Context, c *client.Client) error {
	w := watch{say: s.Notices.say}
	for e, err := range c.Events(ctx) {
		if err != nil {
			return err
		}
		w.take(e)
	}
	return nil
}

func readWhole(input io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(input, maxWhole))
	return string(text), err
}

// one sends a single message, within the time limit.
func (s *Send) one(ctx context.Context, c *client.Client, text string) error {
	if text == "" {
		return errors.New("nothing to send: the text is empty")
	}
	if s.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		ctx = bounded
	}
	return s.deliver(ctx, c, client.Draft{Room: s.Room, To: s.To, Text: text, ID: s.ID})
}

// deliver sends a message and joins its room where one is not in it: a room that does not exist is
// made.
func (s *Send) deliver(ctx context.Context, c *client.Client, d client.Draft) error {
	sending, err := c.Queue(ctx, d)
	if err != nil {
		return err
	}
	m, err := sending.Wait(ctx)
	if s.To == "" && isOutside(err) {
		if err := join(ctx, c, d.Room, s.Notices); err != nil {
			return err
		}
		d.ID = sending.ID()
		if sending, err = c.Queue(ctx, d); err != nil {
			return err
		}
		m, err = sending.Wait(ctx)
	}
	if err != nil {
		return err
	}
	return s.stored(m)
}

// isOutside tells that a room is not there, or one is not in it: the same answer.
func isOutside(err error) bool {
	return errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrNotMember)
}

// join enters a room, and says so.
func join(ctx context.Context, c *client.Client, room string, n Notices) error {
	if err := c.Join(ctx, room); err != nil {
		return err
	}
	n.say("joined %s", terminal.CleanLine(room))
	return nil
}

// stored says what was asked for about a message that is stored.
func (s *Send) stored(m client.Message) error {
	if s.Verbose {
		s.Notices.say("stored in %s as %d", terminal.CleanLine(m.Room), m.Seq)
	}
	if s.Screen.JSON {
		return s.Screen.putJSON(messageEvent(m))
	}
	return nil
}

// lines sends each line as it comes. The first goes alone, because it may have to join the room; of
// the others many are under way.
func (s *Send) lines(ctx context.Context, c *client.Client) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	texts := make(chan string)
	go readLines(ctx, s.Input, texts)
	under := make(chan *client.Sending, inFlight)
	done := make(chan error, 1)
	go func() {
		err := s.acknowledged(ctx, under)
		done <- err
		stop(err)
	}()
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case text, more := <-texts:
			if !more {
				close(under)
				return <-done
			}
			d := client.Draft{Room: s.Room, To: s.To, Text: text}
			if err := s.next(ctx, c, d, first, under); err != nil {
				return because(ctx, err)
			}
		}
	}
}

// because is the reason of an end, where an error only says that it is one.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// next sends one of many lines.
func (s *Send) next(
	ctx context.Context, c *client.Client, d client.Draft, first bool, under chan<- *client.Sending,
) error {
	if first {
		return s.deliver(ctx, c, d)
	}
	sending, err := c.Queue(ctx, d)
	if err != nil {
		return err
	}
	select {
	case under <- sending:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// acknowledged waits for messages in their order, until there are no more or one is refused.
func (s *Send) acknowledged(ctx context.Context, under <-chan *client.Sending) error {
	for sending := range under {
		m, err := sending.Wait(ctx)
		if err == nil {
			err = s.stored(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
