package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/confab-chat/confab/connections"
)

// fill posts until the client's socket and queue are full, and gives how many messages were posted.
func (r *rig) fill(t *testing.T, id string, size int) (posted int) {
	t.Helper()
	text := strings.Repeat("x", size)
	c, stuck := r.lookup(id), false
	for r.Stats().Dropped[CauseFrames]+r.Stats().Dropped[CauseBytes] == 0 {
		stuck = stuck || c.settle()
		post(t, r, id, fmt.Sprintf("%06d", posted)+text)
		if posted++; posted > 100000 {
			t.Fatal("a client that reads nothing takes everything")
		}
	}
	return posted
}

// settle waits, where the queue is not written by a poller, until a goroutine has written it or the
// socket takes no more, and tells whether it is the latter.
func (c *connection) settle() (stuck bool) {
	const still = 20 * time.Millisecond
	waits := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.poller == nil && c.flushing
	}
	written, since := c.api.stats.writes.Load(), time.Now()
	for waits() && time.Since(since) < still {
		time.Sleep(time.Millisecond)
		if now := c.api.stats.writes.Load(); now != written {
			written, since = now, time.Now()
		}
	}
	return waits()
}

// stuff is fill that goes on until the system takes no more either: for some milliseconds every
// message is dropped.
func (r *rig) stuff(t *testing.T, id string) {
	t.Helper()
	r.fill(t, id, 5000)
	drops := func() uint64 { return r.Stats().Dropped[CauseFrames] + r.Stats().Dropped[CauseBytes] }
	for row := 0; row < 10; row++ {
		before := drops()
		post(t, r, id, strings.Repeat("x", 5000))
		if drops() == before {
			row = 0
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// A client that reads too late misses messages, but what it gets is in order and whole, and
// OnDrain tells once when it has caught up.
func TestConfig_OnDrain(t *testing.T) {
	for name, limits := range map[Cause]Config{
		CauseFrames: {MaxQueueFrames: 20},
		CauseBytes:  {MaxQueueBytes: 100 << 10},
	} {
		t.Run(string(name), func(t *testing.T) {
			drained := make(chan string, 10)
			limits.OnDrain = func(id string) { drained <- id }
			r := run(t, limits)
			c := r.dial(t)
			id := r.onlyID(t)
			posted := r.fill(t, id, 5000)
			if r.Stats().Dropped[name] != 1 {
				t.Errorf("dropped %v, want 1 for %s", r.Stats().Dropped, name)
			}
			post(t, r, id, strings.Repeat("y", 6000)) // dropped as well
			select {
			case <-drained:
				t.Error("OnDrain while the client reads nothing")
			default:
			}
			for i := range posted - 1 { // all but the first that was dropped
				text, _ := c.message()
				if want := fmt.Sprintf("%06d", i); !strings.HasPrefix(text, want) || len(text) != 5006 {
					t.Fatalf("message %d: %.6s with %d bytes, want %s with 5006", i, text, len(text), want)
				}
			}
			select {
			case got := <-drained:
				if got != id {
					t.Errorf("OnDrain(%q), want %q", got, id)
				}
			case <-time.After(patience):
				t.Fatal("no OnDrain")
			}
			post(t, r, id, "live again")
			c.expect("live again")
			if len(drained) > 0 {
				t.Error("OnDrain twice")
			}
		})
	}
}

// Where a queue has no room for a single message, the drop is told as well.
func TestConfig_OnDrain_tooSmallQueue(t *testing.T) {
	drained := make(chan string, 1)
	r := run(t, Config{MaxQueueBytes: 100, OnDrain: func(id string) {
		select {
		case drained <- id:
		default:
		}
	}})
	c := r.dial(t)
	r.fill(t, r.onlyID(t), 5000)
	go io.Copy(io.Discard, c.conn)
	select {
	case <-drained:
	case <-time.After(patience):
		t.Fatal("no OnDrain")
	}
}

// Send waits where Post drops.
func TestAPI_Send(t *testing.T) {
	r := run(t, Config{MaxQueueFrames: 5})
	c := r.dial(t)
	target := connections.Target{ID: r.onlyID(t)}
	const total = 400
	frames := make([][]byte, total) // together far more than socket and queue hold
	for i := range frames {
		frames[i] = fmt.Appendf(nil, "%04d%s", i, strings.Repeat("x", 30000))
	}
	sent := make(chan error, 1)
	go func() { sent <- r.Send(context.Background(), target, frames) }()
	eventually(t, "the socket is full", func() bool { return r.lookup(target.ID).progress.Load() > 0 })
	for i := range total {
		if text, _ := c.message(); len(text) != 30004 || text[:4] != fmt.Sprintf("%04d", i) {
			t.Fatalf("message %d: %.4s with %d bytes", i, text, len(text))
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if dropped := r.Stats().Dropped; len(dropped) > 0 {
		t.Errorf("dropped %v", dropped)
	}
}

func TestAPI_Send_gives(t *testing.T) {
	r := run(t, Config{MaxQueueFrames: 5})
	r.dial(t) // reads nothing
	target := connections.Target{ID: r.onlyID(t)}
	r.stuff(t, target.ID)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := r.Send(ctx, target, [][]byte{{'x'}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("to a full queue: %v, want deadline exceeded", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- r.Send(context.Background(), target, [][]byte{{'x'}}) }()
	r.lookup(target.ID).kill()
	if err := <-waiting; !errors.Is(err, connections.ErrGone) {
		t.Errorf("to a lost connection: %v, want ErrGone", err)
	}
	if err := r.Send(context.Background(), target, [][]byte{{'x'}}); !errors.Is(err, connections.ErrGone) {
		t.Errorf("afterwards: %v, want ErrGone", err)
	}
}

func TestGW89_FullQueueIs429(t *testing.T) {
	r := managed(t, Config{MaxQueueFrames: 10})
	r.dial(t)
	id := r.onlyID(t)
	r.stuff(t, id)
	got := r.call(t, "POST", at(id), []byte("x"), nil)
	if got.status != 429 || got.kind != "LimitExceededException" {
		t.Errorf("answer %d %s, want 429 LimitExceededException", got.status, got.kind)
	}
}

// What is refused is no activity, whichever way it is posted.
func TestGW87_RefusedPostsDoNotCount(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := managed(t, Config{MaxQueueFrames: 10, Now: clock.now})
	r.dial(t)
	to := connections.Target{ID: r.onlyID(t)}
	r.stuff(t, to.ID)
	before, err := r.Describe(context.Background(), to)
	if err != nil {
		t.Fatal(err)
	}
	clock.add(time.Second)
	if _, _, err := r.Post(context.Background(), []connections.Target{to}, [][]byte{[]byte("x")}); err != nil {
		t.Fatal(err)
	}
	after, err := r.Describe(context.Background(), to)
	if err != nil || !after.LastActiveAt.Equal(before.LastActiveAt) {
		t.Errorf("lastActiveAt moved by %v (%v)", after.LastActiveAt.Sub(before.LastActiveAt), err)
	}
}

func TestConfig_StallTimeout(t *testing.T) {
	h := newRecorder()
	clock := newClock(time.UnixMilli(1790299458000)) // filling may take longer than the time-out
	r := run(t, Config{
		StallTimeout: 50 * time.Millisecond, MaxQueueFrames: 10, Now: clock.now,
		Routes: map[string]Route{"$disconnect": {Handler: h}},
	})
	c := r.dial(t)
	r.fill(t, r.onlyID(t), 5000)
	h.none(t)
	clock.add(50 * time.Millisecond)
	_, e := h.next(t)
	if got := contextOf(e)["disconnectStatusCode"]; got != 1013.0 {
		t.Errorf("$disconnect %v, want 1013", got)
	}
	// The client may read again before TCP is closed: then it gets whole messages and the reason.
	for {
		f, err := c.read()
		if err != nil {
			t.Fatalf("no close frame: %v", err)
		}
		if f.Header.OpCode == ws.OpClose {
			if code, _ := ws.ParseCloseFrameData(f.Payload); code != 1013 {
				t.Errorf("closed with %d, want 1013", code)
			}
			break
		}
	}
	if got := r.Stats().Closed[CauseStalled]; got != 1 {
		t.Errorf("%d closed for stalling, want 1", got)
	}
}

// A stalled client that never reads again is cut off, and its socket given back.
func TestConfig_StallTimeout_cutsOff(t *testing.T) {
	t.Parallel()                                     // it takes a second
	clock := newClock(time.UnixMilli(1790299458000)) // filling may take longer than the time-out
	r := run(t, Config{StallTimeout: 50 * time.Millisecond, MaxQueueFrames: 10, Now: clock.now})
	r.dial(t)
	r.fill(t, r.onlyID(t), 5000)
	eventually(t, "the socket is given back", func() bool {
		clock.add(50 * time.Millisecond)
		return r.Stats().Open == 0
	})
}

// One client that reads nothing costs the others nothing.
func TestAPI_Post_slowBesideGood(t *testing.T) {
	r := run(t, Config{MaxQueueFrames: 10})
	r.dial(t) // reads nothing
	slow := r.onlyID(t)
	r.fill(t, slow, 5000)
	good := r.dial(t)
	to := []connections.Target{{ID: slow}}
	for _, target := range r.targets() {
		if target.ID != slow {
			to = append(to, target)
		}
	}
	for i := range 1000 {
		text := fmt.Sprint(i)
		if _, _, err := r.Post(context.Background(), to, [][]byte{[]byte(text)}); err != nil {
			t.Fatal(err)
		}
		good.expect(text)
	}
}

// Posts from many goroutines to clients that come and go: each client gets every sender's messages
// in the sender's order, whole.
func TestAPI_Post_concurrently(t *testing.T) {
	const senders, rounds, size = 4, 200, 3000
	r := run(t, Config{MaxQueueFrames: 1 << 20, MaxQueueBytes: 1 << 30})
	c := r.dial(t)
	to := []connections.Target{{ID: r.onlyID(t)}}
	var wait sync.WaitGroup
	for s := range senders {
		wait.Go(func() {
			for i := range rounds {
				text := fmt.Sprintf("%d %d %s", s, i, strings.Repeat("x", size))
				if _, _, err := r.Post(context.Background(), to, [][]byte{[]byte(text)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := [senders]int{}
	for range senders * rounds {
		text, _ := c.message()
		var s, i int
		if _, err := fmt.Sscan(text, &s, &i); err != nil || next[s] != i || len(text) < size {
			t.Fatalf("message %.20s with %d bytes, want %d of sender %d (%v)", text, len(text), next[s], s, err)
		}
		next[s]++
	}
	wait.Wait()
}

// Over TLS, where sockets cannot be written past package net.
func TestAPI_overTLS(t *testing.T) {
	h := newRecorder()
	api, err := New(Config{Stages: []Stage{{Name: "prod"}}, Routes: all(h)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(api)
	defer server.Close()
	defer func() {
		if err := api.Shutdown(context.Background(), 1001, ""); err != nil {
			t.Error(err)
		}
	}()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	conn, err := tls.Dial("tcp", server.Listener.Addr().String(),
		&tls.Config{RootCAs: roots, ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{API: api, addr: "example.com"}
	c := r.over(t, conn, "GET /prod", upgradeLines...)
	if c.head.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", c.head.Status)
	}
	_, e := h.next(t)
	headers := e["headers"].(map[string]any)
	if headers["X-Forwarded-Proto"] != "https" || headers["Sec-WebSocket-Key"] != sampleKey {
		t.Errorf("headers %v", headers)
	}
	c.fragments([]byte(strings.Repeat("abc", 20000)), 20000)
	if _, e := h.next(t); e["body"] != strings.Repeat("abc", 20000) {
		t.Error("a message of three frames arrives changed")
	}
	for i := range 100 {
		post(t, r, r.onlyID(t), fmt.Sprint("a", i), fmt.Sprint("b", i))
	}
	for i := range 100 {
		c.expect(fmt.Sprint("a", i))
		c.expect(fmt.Sprint("b", i))
	}
	c.frame(ws.OpClose, true, ws.NewCloseFrameBody(4000, "bye"))
	c.closed(4000, "bye")
	conn.Close()
	_, e = h.next(t)
	if got := contextOf(e)["disconnectStatusCode"]; got != 4000.0 {
		t.Errorf("$disconnect %v, want 4000", got)
	}
}

// Slow handlers stop the gateway from reading, so that a flood stays in the client.
func TestInbox_isBounded(t *testing.T) {
	for _, serial := range []bool{false, true} {
		t.Run(fmt.Sprint("serial=", serial), func(t *testing.T) {
			release := make(chan struct{})
			h := newRecorder()
			h.answer = func(context.Context, event) (reply, error) {
				<-release
				return reply{StatusCode: 200}, nil
			}
			clock := newClock(time.UnixMilli(1790299458000))
			r := run(t, Config{
				Serial: serial, Routes: map[string]Route{"$default": {Handler: h, Timeout: -1}},
				Now: clock.now, StallTimeout: soon, DropAfter: 15 * time.Second,
			})
			c := r.dial(t)
			const total = 600
			for range total {
				c.send("x")
			}
			eventually(t, "the reader waits", func() bool { return r.lookup(r.onlyID(t)).in.full.Load() })
			if in := r.Stats().MessagesIn; in > maxRunning+maxWaitingLine+1 {
				t.Errorf("%d messages taken with every handler busy", in)
			}
			clock.add(time.Minute) // its silence is not the client's: no drop
			r.settle()
			close(release)
			for range total {
				h.next(t)
			}
		})
	}
}

// A post may have a target twice, also one that takes nothing now.
func TestAPI_Post_twiceToSlow(t *testing.T) {
	r := run(t, Config{})
	c := r.dial(t)
	id := r.onlyID(t)
	posted := 0
	for text := strings.Repeat("x", 5000); r.lookup(id).waiting() == 0; posted++ {
		post(t, r, id, text)
		r.lookup(id).settle()
	}
	to := []connections.Target{{ID: id}, {ID: id}}
	if _, _, err := r.Post(context.Background(), to, [][]byte{[]byte("last")}); err != nil {
		t.Fatal(err)
	}
	for range posted {
		c.message()
	}
	c.expect("last")
	c.expect("last")
	eventually(t, "nothing waits", func() bool { return r.lookup(id).waiting() == 0 })
}

// waiting gives how many messages wait for the socket.
func (c *connection) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.frames
}
