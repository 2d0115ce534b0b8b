package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/stack"
)

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// output is what is printed, for who waits for some of it.
type output struct {
	tb  testing.TB
	mu  sync.Mutex
	all bytes.Buffer
	new chan struct{} // closed and replaced with each write
}

func newOutput(tb testing.TB) *output { return &output{tb: tb, new: make(chan struct{})} }

// Write takes what is printed, in whole lines.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(b)
	close(o.new)
	o.new = make(chan struct{})
	return len(b), nil
}

// text is all that was printed so far.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// lines gives the lines so far that have all the words.
func (o *output) lines(words ...string) (found []string, more <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range strings.Lines(o.all.String()) {
		has := true
		for _, word := range words {
			has = has && strings.Contains(line, word)
		}
		if has {
			found = append(found, strings.TrimRight(line, "\n"))
		}
	}
	return found, o.new
}

// await waits for so many lines that have all the words, and gives the last.
func (o *output) await(n int, words ...string) string {
	o.tb.Helper()
	late := time.After(patience)
	for {
		found, more := o.lines(words...)
		if len(found) >= n {
			return found[len(found)-1]
		}
		select {
		case <-more:
		case <-late:
			o.tb.Fatalf("%d lines with %q, want %d:\n%s", len(found), words, n, o.text())
		}
	}
}

// project is a stack that runs.
type project struct {
	*rehearsal.Runner
	tb  testing.TB
	out *output
	url string
}

// projects counts those that were begun.
var projects atomic.Int64

// begin runs the template in a folder until the test ends.
func begin(tb testing.TB, dir string, change ...func(*rehearsal.Config)) *project {
	tb.Helper()
	p := &project{tb: tb, out: newOutput(tb)}
	name := fmt.Sprintf("t%d-%d", os.Getpid(), projects.Add(1)) // its tables are its own
	cfg := rehearsal.Config{
		Stack: stack.Options{Dir: dir, StackName: name},
		Node:  tools.Program(tb, "node"), Python: tools.Path(tb, "python/bin/python3"), Out: p.out,
		Tables: rehearsal.Tables{URL: dynamolocal.Start(tb)},
	}
	for _, c := range change {
		c(&cfg)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("printed:\n%s", p.out.text())
		}
	})
	var err error
	if p.Runner, err = rehearsal.Start(tb.Context(), cfg); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	p.url = p.URLs()[0]
	return p
}

// events are how many events of a kind and a route have ended.
func (p *project) events(n int, kind, route string) string {
	p.tb.Helper()
	return p.out.await(n, " "+kind+" "+route)
}

// client is a connection to a project.
type client struct {
	tb   testing.TB
	conn *websocket.Conn
	id   string
}

// dial connects. The connection's id is taken from what is printed.
func (p *project) dial(query string) *client {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), patience)
	defer cancel()
	before, _ := p.out.lines(" CONNECT ")
	conn, _, err := websocket.Dial(ctx, p.url+query, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		p.tb.Fatalf("connect: %v", err)
	}
	conn.SetReadLimit(1 << 20)
	p.tb.Cleanup(func() { conn.CloseNow() })
	line := p.events(len(before)+1, "CONNECT", "$connect")
	_, id, _ := strings.Cut(line, ", connection ")
	return &client{p.tb, conn, strings.Fields(id)[0]}
}

// send sends a text frame.
func (c *client) send(format string, args ...any) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.tb.Fatalf("send: %v", err)
	}
}

// next reads a frame.
func (c *client) next() string {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	_, frame, err := c.conn.Read(ctx)
	if err != nil {
		c.tb.Fatalf("no frame: %v", err)
	}
	return string(frame)
}

// hears reads frames that must be these texts, byte for byte.
func (c *client) hears(want ...string) {
	c.tb.Helper()
	for _, want := range want {
		if got := c.next(); got != want {
			c.tb.Fatalf("got %q, want %q", got, want)
		}
	}
}

// hearsJSON reads frames that must be equal to these as JSON.
func (c *client) hearsJSON(want ...string) {
	c.tb.Helper()
	for _, want := range want {
		got := c.next()
		if diff := cmp.Diff(decoded(c.tb, want), decoded(c.tb, got)); diff != "" {
			c.tb.Fatalf("got %s, want %s", got, want)
		}
	}
}

// hearsFailure reads the frame that API Gateway sends where an integration has failed, and gives its
// request id.
func (c *client) hearsFailure() (requestID string) {
	c.tb.Helper()
	frame, ok := decoded(c.tb, c.next()).(map[string]any)
	if !ok || frame["message"] != "Internal server error" {
		c.tb.Fatalf("got %v, want API Gateway's error frame", frame)
	}
	id, _ := frame["requestId"].(string)
	return id
}

// leave closes the connection.
func (c *client) leave() {
	c.tb.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.tb.Fatalf("leave: %v", err)
	}
}

// decoded is JSON as a value.
func decoded(tb testing.TB, text string) (v any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		tb.Fatalf("%s is no JSON: %v", text, err)
	}
	return v
}

// write puts files into a folder, made where it is not there.
func write(tb testing.TB, dir string, files map[string]string) string {
	tb.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// packages gives a project the packages of Node.js that Lambda's runtime has.
func packages(tb testing.TB, dir string) {
	tb.Helper()
	if err := os.Symlink(tools.Path(tb, "node/node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		tb.Fatal(err)
	}
}
