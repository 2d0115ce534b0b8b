package stack_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// project writes the files of an archive in testdata to a new folder and gives its path.
func project(tb testing.TB, name string) string {
	tb.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		tb.Fatal(err)
	}
	return files(tb, archive)
}

// files writes the files of an archive to a new folder and gives its path.
func files(tb testing.TB, archive *txtar.Archive) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "notes")
	if err := os.Mkdir(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := txtar.Write(archive, dir); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// load loads a stack that has no error in it.
func load(tb testing.TB, o stack.Options) (*stack.Stack, []stack.Diagnostic) {
	tb.Helper()
	tools.Program(tb, "node")
	tools.Program(tb, "python3")
	s, diagnostics, err := stack.Load(o)
	if err != nil {
		tb.Fatalf("Load: %v\n%s", err, lines(diagnostics))
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s, diagnostics
}

// lines writes diagnostics one a line.
func lines(diagnostics []stack.Diagnostic) string {
	var b strings.Builder
	for _, d := range diagnostics {
		b.WriteString(d.String() + "\n")
	}
	return b.String()
}

// host gives a host of functions.
func host(tb testing.TB) *lambdahost.Host {
	tb.Helper()
	h, err := lambdahost.New(lambdahost.Config{Log: func(r lambdahost.Record) {
		if r.Kind == lambdahost.KindOutput || r.Kind == lambdahost.KindFault {
			tb.Log(r.Function + ": " + r.Text)
		}
	}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Errorf("close the host: %v", err)
		}
	})
	return h
}

// deploy deploys a stack and serves it; it gives the URL that stages follow.
func deploy(tb testing.TB, s *stack.Stack, target stack.Target) (*stack.Deployment, string) {
	tb.Helper()
	if target.Host == nil {
		target.Host = host(tb)
	}
	prepare := target.Prepare
	target.Prepare = func(f *stack.Function, deployed *lambdahost.Function) {
		deployed.Timeout = patience // the machine may be busy
		if prepare != nil {
			prepare(f, deployed)
		}
	}
	d, err := s.Deploy(tb.Context(), target)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(d)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			tb.Errorf("Close: %v", err)
		}
		server.Close()
	})
	return d, server.URL
}

// dial connects; the status is that of the handshake.
func dial(tb testing.TB, url string) (c *websocket.Conn, status int) {
	tb.Helper()
	return dialWith(tb, url, "", "")
}

// dialWith is dial with another Host, unless it is empty, and with a header like "Name: value".
func dialWith(tb testing.TB, url, host, header string) (c *websocket.Conn, status int) {
	tb.Helper()
	options := &websocket.DialOptions{Host: host, HTTPHeader: http.Header{}}
	if name, value, ok := strings.Cut(header, ": "); ok {
		options.HTTPHeader.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	c, response, err := websocket.Dial(ctx, url, options) //nolint:bodyclose // the library closes it
	if response != nil {
		status = response.StatusCode
	}
	if err != nil {
		return nil, status
	}
	tb.Cleanup(func() { c.CloseNow() })
	return c, status
}

// ask sends a message and gives the answer.
func ask(tb testing.TB, c *websocket.Conn, message string) string {
	tb.Helper()
	if c == nil {
		tb.Fatal("there is no connection")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		tb.Fatal(err)
	}
	_, answer, err := c.Read(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return string(answer)
}
