package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/confab-chat/confab/connections"
)

// A message has MessageTimeout from its first byte to its last, whatever comes in between.
func TestMessageTimeout(t *testing.T) {
	dribble := func(b []byte) func(int) []byte {
		return func(i int) []byte { return b[i : i+1] }
	}
	for name, piece := range map[string]func(i int) []byte{
		"header byte by byte":  dribble(append([]byte{textFrame, 0x80 | 127}, make([]byte, 8)...)),
		"payload byte by byte": dribble(append([]byte{textFrame, 0x80 | 100, 0, 0, 0, 0}, make([]byte, 100)...)),
		"ping byte by byte":    dribble(frame(pingFrame, "a ping of its own")),
		"close byte by byte":   dribble(closeWith(1000, "a long farewell")),
		"empty fragments": func(i int) []byte {
			if i == 0 {
				return frame(textPart, "")
			}
			return frame(contPart, "")
		},
		"fragments and pings": func(i int) []byte {
			if i == 0 {
				return frame(textPart, "a")
			}
			return concat(frame(pingFrame, "p"), frame(contPart, "b"), frame(pongFrame, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock(time.UnixMilli(1790299458000))
			r := run(t, Config{StallTimeout: soon, Now: clock.now})
			c := r.dial(t)
			for i, sent := 0, uint64(0); i < 6; i++ {
				c.raw(piece(i))
				sent += uint64(len(piece(i)))
				r.unfinished(t, sent)
				clock.add(5*time.Second - 1)
			}
			r.settle()
			if n := r.Stats().ClosedByCode; len(n) > 0 {
				t.Fatalf("closed by %v before its time", n)
			}
			clock.add(6)
			c.closedWhile(clock, 1008, "Message took too long")
			eventually(t, "it is counted", func() bool { return r.Stats().Closed[CauseSlow] == 1 })
		})
	}
}

// Small messages may come as slowly as they like.
func TestMessageTimeout_isForEachMessage(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{StallTimeout: soon, Now: clock.now, Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	for range 5 {
		c.frame(ws.OpText, false, []byte("a"))
		c.frame(ws.OpPing, true, nil)
		if f, err := c.read(); err != nil || f.Header.OpCode != ws.OpPong {
			t.Fatalf("%v %v, want the pong", f.Header.OpCode, err)
		}
		clock.add(MessageTimeout - 1)
		r.settle()
		c.frame(ws.OpContinuation, true, []byte("b"))
		h.next(t)
	}
}

// While handlers are busy the gateway reads nothing: that is not the client's slowness.
func TestMessageTimeout_busyHandlers(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	release := make(chan struct{})
	h := newRecorder()
	h.answer = func(context.Context, event) (reply, error) {
		<-release
		return reply{StatusCode: 200}, nil
	}
	r := run(t, Config{
		Serial: true, StallTimeout: soon, Now: clock.now, Routes: map[string]Route{"$default": {Handler: h}},
	})
	c := r.dial(t)
	const messages = maxWaitingLine + 2
	last := frame(textFrame, "last")
	c.raw(concat(repeated(messages, frame(textFrame, "x")), last[:8])) // read at once
	eventually(t, "the reader waits", func() bool { return r.lookup(r.onlyID(t)).in.full.Load() })
	clock.add(MessageTimeout)
	close(release)
	for range messages {
		h.next(t)
	}
	r.settle()
	c.raw(last[8:])
	if _, e := h.next(t); e["body"] != "last" {
		t.Errorf("body %v, want last", e["body"])
	}
}

// hurried is a connection whose writes give up at once, where they would after a deadline.
type hurried struct {
	net.Conn
	limit atomic.Int64 // of the last deadline
}

func (c *hurried) SetWriteDeadline(at time.Time) error {
	if !at.IsZero() {
		c.limit.Store(int64(time.Until(at)))
		at = time.Now().Add(10 * time.Millisecond)
	}
	return c.Conn.SetWriteDeadline(at)
}

// single is a listener with one connection.
type single struct {
	conn chan net.Conn
	done chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *single) Close() error   { close(l.done); return nil }
func (l *single) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A client that does not take the 101 is let go.
func TestHandshakeTimeout(t *testing.T) {
	h := newRecorder()
	api, err := New(Config{Stages: []Stage{{Name: "prod"}}, Routes: map[string]Route{"$disconnect": {Handler: h}}})
	if err != nil {
		t.Fatal(err)
	}
	inner, peer := net.Pipe() // it holds nothing: what is written must be read
	defer peer.Close()
	conn := &hurried{Conn: inner}
	listener := &single{make(chan net.Conn, 1), make(chan struct{})}
	listener.conn <- conn
	server := &http.Server{Handler: api, ReadHeaderTimeout: HeaderTimeout}
	go server.Serve(listener)
	defer server.Close()
	io.WriteString(peer, "GET /prod HTTP/1.1\r\nHost: h\r\n"+strings.Join(upgradeLines, "\r\n")+"\r\n\r\n")
	if _, e := h.next(t); contextOf(e)["disconnectStatusCode"] != 1006.0 {
		t.Errorf("$disconnect %v, want 1006", contextOf(e)["disconnectStatusCode"])
	}
	if limit := time.Duration(conn.limit.Load()); limit < HandshakeTimeout/2 || limit > HandshakeTimeout {
		t.Errorf("the 101 is given %v, want %v", limit, HandshakeTimeout)
	}
	if err := api.Shutdown(context.Background(), 1001, ""); err != nil {
		t.Error(err)
	}
}

// stuck is a connection whose stream does not end, as under TLS where the socket has no room for the
// alert that ends it.
type stuck struct {
	net.Conn
	release chan struct{}
}

func (c *stuck) CloseWrite() error {
	<-c.release
	return nil
}

type stuckListener struct {
	net.Listener
	release chan struct{}
}

func (l *stuckListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stuck{conn, l.release}, nil
}

// A post does not wait for the end of a client's stream.
func TestAPI_Post_besideAnEndWithoutRoom(t *testing.T) {
	release := make(chan struct{})
	r := runOn(t, Config{}, func(l net.Listener) net.Listener { return &stuckListener{l, release} })
	c := r.dial(t)
	id := r.onlyID(t)
	c.raw(closeWith(1000, ""))
	if f, err := c.read(); err != nil || f.Header.OpCode != ws.OpClose {
		t.Fatalf("%v %v, want a close frame", f.Header.OpCode, err)
	}
	posted := make(chan []connections.Target, 1)
	go func() {
		gone, _, _ := r.Post(context.Background(), []connections.Target{{ID: id}}, [][]byte{[]byte("x")})
		posted <- gone
	}()
	select {
	case gone := <-posted:
		if len(gone) != 1 {
			t.Errorf("gone %v, want the connection", gone)
		}
	case <-time.After(patience):
		t.Error("the post waits")
	}
	close(release)
}

// A client at fault that sends on for ever is let go 1 s after the close frame has left.
func TestAPI_endlessSenderIsCutOff(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := run(t, Config{StallTimeout: soon, Now: clock.now})
	c := r.dial(t)
	held := r.lookup(r.onlyID(t))
	c.raw([]byte("\x81\x00"))
	go func() {
		for flood := repeated(10000, frame(textFrame, "x")); ; {
			if _, err := c.conn.Write(flood); err != nil {
				return
			}
		}
	}()
	eventually(t, "the close frame has left", func() bool {
		by := held.closeBy.Load()
		return by > 0 && by <= r.now()+int64(lingerTimeout)
	})
	clock.add(lingerTimeout - 1)
	r.settle()
	if r.Stats().Open != 1 {
		t.Errorf("let go before %v", lingerTimeout)
	}
	clock.add(1)
	eventually(t, "the socket is given back", func() bool { return r.Stats().Open == 0 })
	if n := r.Stats().Closed[CauseProtocol]; n != 1 {
		t.Errorf("%d counted as against the protocol, want 1", n)
	}
}

// A client that takes nothing is let go with all that the system keeps for it: TCP is reset.
func TestConfig_StallTimeout_forgets(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000)) // filling may take longer than the time-out
	r := run(t, Config{StallTimeout: 50 * time.Millisecond, MaxQueueFrames: 10, Now: clock.now})
	c := r.dial(t)
	r.fill(t, r.onlyID(t), 5000)
	eventually(t, "the socket is given back", func() bool {
		clock.add(50 * time.Millisecond)
		return r.Stats().Open == 0
	})
	for {
		c.conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.CopyN(io.Discard, c.in, 1<<20); err != nil {
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the stream ends with %v, want a reset", err)
			}
			return
		}
	}
}

// A client that sends pings and reads nothing gets the last pong, when it reads again; the queue
// stays within its limits.
func TestAPI_pingFlood(t *testing.T) {
	const pings = 2000
	r := run(t, Config{MaxQueueFrames: 20})
	c := r.dial(t)
	r.stuff(t, r.onlyID(t))
	taken := r.Stats().MessagesOut
	before := r.Stats().BytesIn
	var flood []byte
	for i := range pings {
		flood = append(flood, frame(pingFrame, fmt.Sprintf("%04d", i))...)
	}
	c.raw(flood)
	eventually(t, "the pings have come", func() bool { return r.Stats().BytesIn == before+uint64(len(flood)) })
	flooded := r.lookup(r.onlyID(t))
	eventually(t, "all but the last pong are counted", func() bool { return r.Stats().Dropped[CausePongs] == pings-1 })
	flooded.mu.Lock()
	if n := flooded.queue.frames; n > 20 {
		t.Errorf("%d frames are queued, want at most 20", n)
	}
	flooded.mu.Unlock()
	messages, pongs := uint64(0), []string{}
	for messages < taken || len(pongs) == 0 {
		f, err := c.read()
		if err != nil {
			t.Fatalf("after %d messages and pongs %q: %v", messages, pongs, err)
		}
		if f.Header.OpCode == ws.OpPong {
			pongs = append(pongs, string(f.Payload))
		} else {
			messages++
		}
	}
	if len(pongs) != 1 || pongs[0] != fmt.Sprintf("%04d", pings-1) {
		t.Errorf("pongs %q, want the last one", pongs)
	}
}

// Everything that ends a connection has a name under which it is counted.
func TestStats_causes(t *testing.T) {
	for cause, test := range map[Cause]struct {
		code int
		send []byte
	}{
		CauseProtocol: {1002, []byte("\x81\x00")},
		CauseBinary:   {1003, frame(binaryFrame, "x")},
		CauseUTF8:     {1007, frame(textFrame, "\xff")},
		CauseTooBig:   {1009, frame(textFrame, strings.Repeat("x", MaxFrame+1))},
		CauseClient:   {4000, closeWith(4000, "")},
		CauseLost:     {1006, nil},
	} {
		t.Run(string(cause), func(t *testing.T) {
			r := run(t, Config{})
			c := r.dial(t)
			if test.send == nil {
				c.conn.Close()
			} else {
				c.raw(test.send)
			}
			eventually(t, "it is counted", func() bool {
				s := r.Stats()
				return s.Closed[cause] == 1 && s.ClosedByCode[test.code] == 1
			})
			if s := r.Stats(); len(s.Closed) != 1 || len(s.ClosedByCode) != 1 {
				t.Errorf("counted %v %v", s.Closed, s.ClosedByCode)
			}
		})
	}
}
