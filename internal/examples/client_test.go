package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// client is one WebSocket connection to an example.
type client struct {
	tb   testing.TB
	name string
	conn *websocket.Conn
}

// dial connects; name is for the messages of the test.
func (a *app) dial(name, query string) *client {
	a.tb.Helper()
	ctx, cancel := context.WithTimeout(a.tb.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, a.url+query, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		a.tb.Fatalf("%s connects: %v", name, err)
	}
	a.tb.Cleanup(func() { conn.CloseNow() })
	return &client{a.tb, name, conn}
}

// refused connects and gives the status and body with which that is refused.
func (a *app) refused(query string) (status int, body string) {
	a.tb.Helper()
	ctx, cancel := context.WithTimeout(a.tb.Context(), patience)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, a.url+query, nil) //nolint:bodyclose // the library closes it
	if err == nil {
		conn.CloseNow()
		a.tb.Fatalf("connects with %q", query)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.tb.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// send sends a text frame.
func (c *client) send(format string, args ...any) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.tb.Fatalf("%s sends: %v", c.name, err)
	}
}

// next reads a frame.
func (c *client) next() string {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	_, frame, err := c.conn.Read(ctx)
	if err != nil {
		c.tb.Fatalf("%s gets no frame: %v", c.name, err)
	}
	return string(frame)
}

// hears reads frames that must be these texts, byte for byte.
func (c *client) hears(want ...string) {
	c.tb.Helper()
	for _, want := range want {
		if got := c.next(); got != want {
			c.tb.Fatalf("%s gets %q, want %q", c.name, got, want)
		}
	}
}

// hearsJSON reads frames that must be equal to these as JSON.
func (c *client) hearsJSON(want ...string) {
	c.tb.Helper()
	for _, want := range want {
		got := c.next()
		if diff := cmp.Diff(decoded(c.tb, want), decoded(c.tb, got)); diff != "" {
			c.tb.Fatalf("%s gets %s, want %s", c.name, got, want)
		}
	}
}

// hearsError reads a frame that tells of an error in these words, with a request id.
func (c *client) hearsError(want string) {
	c.tb.Helper()
	frame := c.next()
	got, _ := decoded(c.tb, frame).(map[string]any)
	if id, _ := got["requestId"].(string); got["error"] != want || id == "" || len(got) != 2 {
		c.tb.Fatalf("%s gets %s, want the error %q and a requestId", c.name, frame, want)
	}
}

// decoded is JSON as a value.
func decoded(tb testing.TB, frame string) (v any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(frame), &v); err != nil {
		tb.Fatalf("%s is no JSON: %v", frame, err)
	}
	return v
}

// leave closes the connection.
func (c *client) leave() {
	c.tb.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.tb.Fatalf("%s leaves: %v", c.name, err)
	}
}

// eventually waits until check holds.
func eventually(tb testing.TB, what string, check func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("never: %s", what)
		}
	}
}
