package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/confab-chat/confab/connections"
)

// post posts to one connection and wants it taken.
func post(t *testing.T, r *rig, id string, texts ...string) {
	t.Helper()
	var frames [][]byte
	for _, text := range texts {
		frames = append(frames, []byte(text))
	}
	gone, unsent, err := r.Post(context.Background(), []connections.Target{{ID: id}}, frames)
	if len(gone) > 0 || len(unsent) > 0 || err != nil {
		t.Fatalf("Post: %v %v %v", gone, unsent, err)
	}
}

// wantClose lets a client misbehave and wants this close frame and this $disconnect.
func wantClose(t *testing.T, code int, reason string, act func(*client)) {
	t.Helper()
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}, "$disconnect": {Handler: h}}})
	c := r.dial(t)
	act(c)
	c.closed(code, reason)
	_, e := h.next(t)
	got := contextOf(e)
	if got["eventType"] != "DISCONNECT" || got["disconnectStatusCode"] != float64(code) ||
		got["disconnectReason"] != reason {
		t.Errorf("event %v %v %q, want DISCONNECT %d %q", got["eventType"],
			got["disconnectStatusCode"], got["disconnectReason"], code, reason)
	}
	eventually(t, "the close is counted", func() bool { return r.Stats().ClosedByCode[code] == 1 })
}

func TestGW54_MessageLimit(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	message := strings.Repeat("abcdefgh", 131072/8)
	c.fragments([]byte(message), 32768)
	if _, e := h.next(t); e["body"] != message {
		t.Errorf("a message of 131,072 bytes arrives as one of %d", len(e["body"].(string)))
	}
	wantClose(t, 1009, "Message too big", func(c *client) { c.fragments([]byte(message+"x"), 32768) })
}

func TestGW55_FrameLimit(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	c.send(strings.Repeat("x", 32768))
	h.next(t)
	wantClose(t, 1009, "Message too big", func(c *client) { c.send(strings.Repeat("x", 32769)) })
}

func TestGW56_BinaryIsNotSupported(t *testing.T) {
	wantClose(t, 1003, "Binary is not supported", func(c *client) { c.frame(ws.OpBinary, true, []byte("x")) })
}

func TestGW57_ProtocolErrors(t *testing.T) {
	wantClose(t, 1007, "Invalid UTF-8", func(c *client) { c.send("a\xff") })
	wantClose(t, 1007, "Invalid UTF-8", func(c *client) { c.fragments([]byte("a\xe2\x82"), 2) })
	wantClose(t, 1007, "Invalid UTF-8", func(c *client) { c.frame(ws.OpClose, true, []byte("\x03\xe8\xff")) })
	for name, act := range map[string]func(*client){
		"not masked":           func(c *client) { c.raw([]byte("\x81\x01x")) },
		"reserved bit":         func(c *client) { c.raw([]byte("\xc1\x81\x00\x00\x00\x00x")) },
		"reserved opcode":      func(c *client) { c.frame(3, true, nil) },
		"long ping":            func(c *client) { c.frame(ws.OpPing, true, make([]byte, 126)) },
		"fragmented ping":      func(c *client) { c.frame(ws.OpPing, false, nil) },
		"lone continuation":    func(c *client) { c.frame(ws.OpContinuation, true, nil) },
		"missing continuation": func(c *client) { c.frame(ws.OpText, false, nil); c.frame(ws.OpText, true, nil) },
		"close of one byte":    func(c *client) { c.frame(ws.OpClose, true, []byte("x")) },
		"close 1005":           func(c *client) { c.frame(ws.OpClose, true, []byte("\x03\xed")) },
		"close 999":            func(c *client) { c.frame(ws.OpClose, true, []byte("\x03\xe7")) },
		"length over 2^63": func(c *client) {
			c.raw(append([]byte{0x81, 0xff}, bytes.Repeat([]byte{0xff}, 12)...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newRecorder()
			r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
			act(r.dial(t))
			if _, e := h.next(t); contextOf(e)["disconnectStatusCode"] != 1002.0 {
				t.Errorf("$disconnect %v, want 1002", contextOf(e)["disconnectStatusCode"])
			}
		})
	}
}

func TestGW58_PingIsAnswered(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	c.frame(ws.OpText, false, []byte("hal"))
	c.frame(ws.OpPing, true, []byte("between fragments"))
	f, err := c.read()
	if err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "between fragments" {
		t.Fatalf("%v %q %v, want the pong", f.Header.OpCode, f.Payload, err)
	}
	h.none(t)
	c.frame(ws.OpContinuation, true, []byte("ves"))
	if _, e := h.next(t); e["body"] != "halves" {
		t.Errorf("body %v, want halves", e["body"])
	}
}

func TestGW59_GW61_IdleConnectionsGoAway(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{StallTimeout: soon, Now: clock.now, Routes: map[string]Route{"$disconnect": {Handler: h}}})
	c := r.dial(t)
	clock.add(10*time.Minute - time.Second)
	c.frame(ws.OpPing, true, nil) // GW-61: a ping is no data
	if f, err := c.read(); err != nil || f.Header.OpCode != ws.OpPong {
		t.Fatalf("%v %v, want the pong", f.Header.OpCode, err)
	}
	h.none(t)
	clock.add(time.Second)
	c.closedWhile(clock, 1001, "Going away")
	_, e := h.next(t)
	if got := contextOf(e); got["disconnectStatusCode"] != 1001.0 || got["disconnectReason"] != "Going away" {
		t.Errorf("%v %v", got["disconnectStatusCode"], got["disconnectReason"])
	}
}

func TestGW60_PostsKeepAlive(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := run(t, Config{StallTimeout: soon, Now: clock.now})
	c := r.dial(t)
	id := r.onlyID(t)
	clock.add(9 * time.Minute)
	post(t, r, id, "x")
	c.expect("x")
	clock.add(9 * time.Minute)
	if _, err := r.Describe(context.Background(), connections.Target{ID: id}); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if _, err := r.Describe(context.Background(), connections.Target{ID: id}); err != nil {
		t.Fatalf("9 minutes after a post: %v", err)
	}
	clock.add(time.Minute)
	c.closedWhile(clock, 1001, "Going away")
}

func TestGW62_TwoHoursAreTheLimit(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := run(t, Config{StallTimeout: soon, Now: clock.now})
	c := r.dial(t)
	id := r.onlyID(t)
	for range 23 {
		clock.add(5 * time.Minute)
		post(t, r, id, "x")
		c.expect("x")
	}
	clock.add(5 * time.Minute)
	post(t, r, id, "last")
	c.closedWhile(clock, 1001, "Going away")
	if got := r.Stats().Closed[CauseDuration]; got != 1 {
		t.Errorf("%d closed for their duration, want 1", got)
	}
}

// soon as a StallTimeout makes the watch look often; nothing stalls in these tests.
const soon = 20 * time.Millisecond

// settle waits until the watch has looked at all connections.
func (r *rig) settle() { time.Sleep(3 * r.tick) }

// unfinished waits until so many bytes have come, of which the last belong to a message that has begun.
func (r *rig) unfinished(t *testing.T, n uint64) {
	t.Helper()
	held := r.lookup(r.onlyID(t))
	eventually(t, "the bytes have come", func() bool {
		return r.Stats().BytesIn == n && held.begun.Load() > 0
	})
}

// closedWhile is closed with a clock that runs on, because the time after a close frame is counted.
func (c *client) closedWhile(clock *clock, code int, reason string) {
	c.tb.Helper()
	for {
		f, err := c.read()
		if err != nil {
			c.tb.Fatalf("no close frame: %v", err)
		}
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		gotCode, gotReason := ws.ParseCloseFrameData(f.Payload)
		if int(gotCode) != code || gotReason != reason {
			c.tb.Fatalf("closed with %d %q, want %d %q", gotCode, gotReason, code, reason)
		}
		break
	}
	for deadline := time.Now().Add(patience); ; {
		clock.add(lingerTimeout)
		c.conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := c.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(deadline) {
			c.tb.Fatalf("after the close frame: %v, want the end", err)
		}
	}
}

func TestGW63_CloseIsEchoed(t *testing.T) {
	r := run(t, Config{})
	c := r.dial(t)
	c.frame(ws.OpClose, true, ws.NewCloseFrameBody(4321, "why not"))
	c.closed(4321, "why not")
}

func TestGW65_TheGatewayDoesNotPing(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := run(t, Config{StallTimeout: soon, Now: clock.now})
	c := r.dial(t)
	clock.add(9 * time.Minute)
	r.settle()
	post(t, r, r.onlyID(t), "first")
	if f, err := c.read(); err != nil || f.Header.OpCode != ws.OpText {
		t.Errorf("%v %v before the first message", f.Header.OpCode, err)
	}
}

// A silent client is pinged; one that answers stays, one whose network is gone is dropped.
func TestConfig_PingAfter(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{
		StallTimeout: soon, Now: clock.now, PingAfter: 5 * time.Second,
		DropAfter: 15 * time.Second, Routes: map[string]Route{"$disconnect": {Handler: h}},
	})
	c := r.dial(t)
	for range 4 { // together longer than DropAfter
		clock.add(5 * time.Second)
		f, err := c.read()
		if err != nil || f.Header.OpCode != ws.OpPing {
			t.Fatalf("%v %v, want a ping", f.Header.OpCode, err)
		}
		before := r.Stats().BytesIn
		c.frame(ws.OpPong, true, f.Payload)
		eventually(t, "the pong is heard", func() bool { return r.Stats().BytesIn > before })
	}
	h.none(t)
	clock.add(15*time.Second - 1)
	r.settle()
	h.none(t)
	clock.add(1)
	if _, e := h.next(t); contextOf(e)["disconnectStatusCode"] != 1006.0 {
		t.Errorf("$disconnect %v, want 1006", contextOf(e)["disconnectStatusCode"])
	}
	eventually(t, "the socket is given back", func() bool { return r.Stats().Open == 0 })
	if got := r.Stats().Closed[CauseSilent]; got != 1 {
		t.Errorf("%d closed for their silence, want 1", got)
	}
}

func TestAPI_dropsUnfinishedMessages(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	r := run(t, Config{StallTimeout: soon, Now: clock.now})
	c := r.dial(t)
	c.raw([]byte("\x81\x85\x00\x00\x00\x00he")) // 2 of 5 bytes
	r.unfinished(t, 8)
	clock.add(MessageTimeout)
	c.closedWhile(clock, 1008, "Message took too long")
}

// What a client sends after its close frame, or after the gateway's, does not reset the connection.
func TestAPI_lingersAfterClose(t *testing.T) {
	t.Parallel() // it takes its second
	r := run(t, Config{})
	c := r.dial(t)
	if err := r.Close(context.Background(), connections.Target{ID: r.onlyID(t)}, 4001, "enough"); err != nil {
		t.Fatal(err)
	}
	c.raw(bytes.Repeat([]byte("\x81\x81\x00\x00\x00\x00x"), 10000))
	c.closed(4001, "enough")
}

// A header may promise what it likes: memory is taken for what has come.
func TestFrameReader_allocatesNothingOnPromise(t *testing.T) {
	head := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, 1<<62)
	head = append(head, 0, 0, 0, 0)
	allocs := testing.AllocsPerRun(10, func() {
		var r frameReader
		if _, _, _, fault := r.next(head, awsTerms); fault != faultTooBig {
			t.Error(fault)
		}
	})
	if allocs > 1 { // the reader itself
		t.Errorf("%v allocations", allocs)
	}
}
