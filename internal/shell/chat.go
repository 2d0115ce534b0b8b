package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// Times and sizes of a chat.
const (
	farewell   = 5 * time.Second // how long the end waits for the next acknowledgement
	greetLines = 10              // messages that a person sees on entering a room
)

// Chat is a conversation, line by line.
type Chat struct {
	Server
	Room    string // to begin in
	JSON    bool   // every event is printed as a line of JSON
	Timeout time.Duration
	Console *terminal.Console

	client *client.Client
	screen *Screen
	mu     sync.Mutex
	room   string            // where lines go
	own    map[string]string // by id, to which user: what was typed and is not printed yet
	heard  chan struct{}     // has a token when one was
	failed error             // the first line that was refused
}

// Run talks until the input ends, or /quit.
func (t *Chat) Run(ctx context.Context) error {
	if t.isDirect() {
		return t.runDirect(ctx)
	}
	t.prepare()
	var err error
	if t.client, err = t.dial(ctx, t.Timeout); err != nil {
		return late(err)
	}
	defer t.client.Close()
	if t.Console.Interactive() && !t.JSON {
		address, _, _ := t.resolve() // it was good just now
		t.Console.Notice("You are %s at %s. /help lists the commands, Ctrl-D ends.",
			t.client.User(), address.Host)
	}
	if err := t.goTo(ctx, t.Room); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(t.listen(ctx)) }()
	return t.talk(ctx)
}

// prepare makes what every dialect of a chat needs.
func (t *Chat) prepare() {
	t.screen = &Screen{
		Out: t.Console, Style: t.Console.Style, JSON: t.JSON, Columns: t.Console.Columns,
	}
	t.own, t.heard = map[string]string{}, make(chan struct{}, 1)
}

// input is a line, or the end of the lines.
type input struct {
	line string
	err  error
}

// readConsole reads lines until there are no more.
func readConsole(console *terminal.Console) <-chan input {
	lines := make(chan input)
	go func() {
		for {
			line, err := console.ReadLine()
			lines <- input{line, err}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

// errQuit ends a chat in good order.
var errQuit = errors.New("quit")

// isEnd tells that a person, or the input, has come to an end.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, errQuit) || errors.Is(err, terminal.ErrInterrupt)
}

// talk does what is typed, until the end.
func (t *Chat) talk(ctx context.Context) error {
	lines := readConsole(t.Console)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case in := <-lines:
			err := in.err
			if err == nil {
				err = t.enter(ctx, in.line)
			}
			switch {
			case err == nil:
			case isEnd(err):
				return t.end(ctx)
			default:
				return because(ctx, err)
			}
		}
	}
}

// end waits until everything that was typed is stored and printed.
func (t *Chat) end(ctx context.Context) error {
	if left := t.settle(ctx); left > 0 {
		return fmt.Errorf("%w: messages without an acknowledgement: %d", ErrUnreachable, left)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Console.Interactive() {
		return nil // what was refused was said
	}
	return t.failed
}

// settle waits until everything that was typed is printed, as long as some of it is now and then, and
// gives how much is not.
func (t *Chat) settle(ctx context.Context) (left int) {
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	for {
		t.mu.Lock()
		left = len(t.own)
		t.mu.Unlock()
		if left == 0 {
			return 0
		}
		select {
		case <-t.heard:
			timer.Reset(farewell)
		case <-timer.C:
			return left
		case <-ctx.Done():
			return left
		}
	}
}

// say sends a text to the room, or to a user, and goes on.
func (t *Chat) say(ctx context.Context, to, text string) error {
	text = terminal.Plain(text)
	d := client.Draft{To: to, Text: text}
	if to == "" {
		d.Room = t.here()
	}
	t.mu.Lock() // the answer is not to come before the message is known
	sending, err := t.client.Queue(ctx, d)
	if err == nil {
		t.own[sending.ID()] = to
	}
	t.mu.Unlock()
	if err != nil {
		return t.refused(text, err)
	}
	if t.client.State() != client.Online && t.Console.Interactive() {
		t.Console.Notice("(waits for the line) %s", terminal.Clean(text))
	}
	go func() {
		_, err := sending.Wait(ctx)
		switch {
		case err == nil: // it is printed as an event, unless one has left the room meanwhile
			time.AfterFunc(farewell/2, func() { t.forget(sending.ID()) })
		case !errors.Is(err, client.ErrPending):
			_ = t.refused(text, err) // said is enough
			t.forget(sending.ID())
		}
	}()
	return nil
}

// refused says that a line was not sent.
func (t *Chat) refused(text string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, client.ErrClosed) {
		return err
	}
	t.Console.Notice("Not sent: %s (%s)", terminal.Clean(text), terminal.CleanLine(Sentence(err)))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = firstOf(t.failed, err)
	return nil
}

// forget takes a message off the list, if it is one's own.
func (t *Chat) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, mine := t.own[id]; !mine {
		return
	}
	delete(t.own, id)
	select {
	case t.heard <- struct{}{}:
	default:
	}
}

// here is the room that lines go to.
func (t *Chat) here() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.room
}

// goTo enters a room and shows what was said last.
func (t *Chat) goTo(ctx context.Context, room string) error {
	page, err := t.client.History(ctx, room, client.Newest(greetLines))
	if isOutside(err) {
		if err = t.client.Join(ctx, room); err == nil {
			page, err = t.client.History(ctx, room, client.Newest(greetLines))
		}
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	moved := t.room != ""
	t.room = page.Room
	t.mu.Unlock()
	t.Console.SetPrompt(terminal.CleanLine(page.Room) + "> ")
	if t.JSON {
		return nil
	}
	if moved {
		t.Console.Notice("You are in %s.", terminal.CleanLine(page.Room))
	}
	if !t.Console.Interactive() {
		return nil
	}
	for _, m := range page.Messages {
		if err := t.screen.entry(m); err != nil {
			return err
		}
	}
	return nil
}
