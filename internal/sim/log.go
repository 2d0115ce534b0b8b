package sim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim/checker"
)

// Line is a connection that asks and awaits, for what is no part of a history.
type Line struct{ conn *websocket.Conn }

// Dial connects a user.
func Dial(ctx context.Context, where, user string) (*Line, error) {
	return DialWith(ctx, where, user, 0)
}

// DialWith connects a user on a socket with a receive buffer of that size; 0 is the system's.
func DialWith(ctx context.Context, where, user string, readBuffer int) (*Line, error) {
	options := &websocket.DialOptions{HTTPClient: httpClient(readBuffer)}
	where += "?name=" + url.QueryEscape(user)
	conn, _, err := websocket.Dial(ctx, where, options) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 20)
	return &Line{conn}, nil
}

// Send sends an action.
func (l *Line) Send(ctx context.Context, format string, args ...any) error {
	return l.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...))
}

// Next gives the next event.
func (l *Line) Next(ctx context.Context) (Frame, error) {
	_, text, err := l.conn.Read(ctx)
	if err != nil {
		return Frame{}, err
	}
	return parse(text)
}

// Await gives the next event that fits, or the error that the server answers.
func (l *Line) Await(ctx context.Context, fits func(*Frame) bool) (Frame, error) {
	for {
		f, err := l.Next(ctx)
		switch {
		case err != nil:
			return f, err
		case fits(&f):
			return f, nil
		case f.Event == "error":
			return f, fmt.Errorf("the server answers %s", f.Raw)
		}
	}
}

// Do sends an action, in which the id must stand, and gives its answer.
func (l *Line) Do(ctx context.Context, id, format string, args ...any) (Frame, error) {
	if err := l.Send(ctx, format, args...); err != nil {
		return Frame{}, err
	}
	return l.Await(ctx, func(f *Frame) bool { return f.ID == id && f.Event != "error" })
}

// Join joins a room.
func (l *Line) Join(ctx context.Context, room string) (Frame, error) {
	return l.Do(ctx, "join", `{"action":"joinRoom","id":"join","room":%q}`, room)
}

// Close closes the connection without a word.
func (l *Line) Close() { l.conn.CloseNow() }

// ReadLog reads a whole room as a user, who joins it.
func ReadLog(ctx context.Context, where, user, room string) ([]checker.Entry, error) {
	l, err := Dial(ctx, where, user)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if _, err := l.Join(ctx, room); err != nil {
		return nil, err
	}
	var log []checker.Entry
	for {
		page, err := l.Do(ctx, "page",
			`{"action":"history","id":"page","room":%q,"after":%d,"limit":200}`, room, len(log))
		if err != nil {
			return nil, err
		}
		for i := range page.Messages {
			log = append(log, page.Messages[i].entry())
		}
		switch {
		case !page.More:
			return log, nil
		case len(page.Messages) > 0:
		case ctx.Err() != nil:
			return nil, errors.New("the log does not settle")
		default:
			time.Sleep(50 * time.Millisecond) // a number is given and not yet stored
		}
	}
}

// Probe tells how long it takes from now until a new connection is welcomed.
func Probe(ctx context.Context, where string) (time.Duration, error) {
	begin := time.Now()
	for {
		l, err := Dial(ctx, where, "probe")
		if err == nil {
			_, err = l.Do(ctx, "h", `{"action":"hello","id":"h"}`)
			l.Close()
		}
		if err == nil || ctx.Err() != nil {
			return time.Since(begin), err
		}
		time.Sleep(time.Millisecond)
	}
}
