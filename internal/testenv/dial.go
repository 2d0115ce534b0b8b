package testenv

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Dial connects a user through the first gateway of the system.
func (e *Env) Dial(tb testing.TB, user string) *Client {
	tb.Helper()
	return DialURL(tb, e.URL(0, user), user)
}

// DialURL connects to a URL and closes the connection when the test ends.
func DialURL(tb testing.TB, url, user string) *Client {
	tb.Helper()
	c := dial(tb, url, user, nil)
	go c.read(nil)
	return c
}

// DialDialect connects to a URL of a dialect other than native, whose frames have any form.
func DialDialect(tb testing.TB, url, user string) *Client {
	tb.Helper()
	return DialHeader(tb, url, user, nil)
}

// DialHeader is DialDialect with headers of its own.
func DialHeader(tb testing.TB, url, user string, header http.Header) *Client {
	tb.Helper()
	c := dial(tb, url, user, &websocket.DialOptions{HTTPHeader: header})
	c.any = true
	go c.read(nil)
	return c
}

// DialPaused connects a user that reads nothing until resume is called, with a small receive
// buffer.
func (e *Env) DialPaused(tb testing.TB, user string) (c *Client, resume func()) {
	tb.Helper()
	narrow := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(64 << 10)
		}
		return conn, err
	}
	transport := &http.Transport{DialContext: narrow}
	tb.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	c = dial(tb, e.URL(0, user), user, &websocket.DialOptions{HTTPClient: client})
	gate := make(chan struct{})
	resume = sync.OnceFunc(func() { close(gate) })
	tb.Cleanup(resume)
	go c.read(gate)
	return c, resume
}

func dial(tb testing.TB, url, user string, options *websocket.DialOptions) *Client {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, url, options) //nolint:bodyclose // the library closes it
	if err != nil {
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		tb.Fatalf("dial %s: %v (status %d)", url, err, status)
	}
	conn.SetReadLimit(256 << 10)
	c := &Client{
		tb: tb, User: user, conn: conn, seen: map[string]bool{}, done: make(chan struct{}),
		names: using.Load(),
	}
	c.news = sync.NewCond(&c.mu)
	tb.Cleanup(c.Close)
	return c
}

// Closed awaits the end of the connection and gives the close code, -1 without one.
func (c *Client) Closed() websocket.StatusCode {
	c.tb.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.tb.Fatalf("%s: the connection did not end", c.User)
	}
	var closed websocket.CloseError
	if errors.As(c.err, &closed) {
		return closed.Code
	}
	return -1
}

// Close closes the connection in good order and waits for the end.
func (c *Client) Close() {
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
	<-c.done
}

// Kill cuts TCP without a close frame.
func (c *Client) Kill() {
	_ = c.conn.CloseNow()
	<-c.done
}
