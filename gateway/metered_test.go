package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Messages are billed in steps of 32 KB: 33 KB are two (Amazon API Gateway pricing).
func TestGW66_MessagesAreMeteredIn32KB(t *testing.T) {
	h := newRecorder()
	r := managed(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	id := r.onlyID(t)
	expected := uint64(0)
	step := func(what string, rise uint64) {
		t.Helper()
		expected += rise
		eventually(t, what, func() bool { return r.Stats().Metered.Messages == expected })
	}
	for _, size := range []struct {
		bytes int
		rise  uint64
	}{{0, 1}, {1, 1}, {32768, 1}, {32769, 2}, {65536, 2}, {65537, 3}, {131072, 4}} {
		text := strings.Repeat("x", size.bytes)
		c.fragments([]byte(text), 32768)
		h.next(t)
		step("a message from the client", size.rise)
		post(t, r, id, text)
		c.expect(text)
		step("a message to the client", size.rise)
		want(t, r.call(t, "POST", at(id), []byte(text), nil), 200, "", "")
		c.expect(text)
		step("a message through @connections", size.rise)
	}
	post(t, r, id, "a", strings.Repeat("b", 40000), "c")
	for range 3 {
		c.message()
	}
	step("a post of several", 4)
}

func TestGW66_WhatIsMeteredBesides(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{
		Now: clock.now, RouteSelection: "$request.body.a", Requests: Throttle{Rate: 1, Burst: 3},
		Routes: map[string]Route{
			"$connect": {Handler: h}, "$disconnect": {Handler: h}, "fails": {Handler: HandlerFunc(broken)},
			"answers": {Handler: HandlerFunc(long), Response: true},
		},
	})
	c := r.dial(t)
	h.next(t)
	c.send(`{"a":"answers"}`)
	c.message()
	for _, key := range []string{"fails", "nowhere"} {
		c.send(`{"a":"` + key + `"}`)
		c.message()
	}
	c.send(`{"a":"fails"}`)
	c.throttled()
	clock.add(90 * time.Second)
	idle := r.dial(t)
	h.next(t)
	idle.conn.Close()
	h.next(t)
	eventually(t, "one connection is left", func() bool { return r.Stats().Open == 1 })
	clock.add(30 * time.Second)
	// In: 3 and one that is throttled, which is not billed. Out: 33 KB as 2, and 3 error frames.
	// Metrics: 4 in, 4 out, 2 $connect, 1 $disconnect. Open: two minutes.
	want := Metered{Messages: 3 + 2 + 3, ConnectionMinutes: 2, MessageCount: 4 + 4 + 2 + 1, ConnectCount: 2}
	var diff string // a frame is counted once it has been written: the client may be faster
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if diff = cmp.Diff(want, r.Stats().Metered); diff == "" {
			break
		}
	}
	if diff != "" {
		t.Error(diff)
	}
	c.conn.Close()
	h.next(t)
	eventually(t, "no connection is left", func() bool { return r.Stats().Open == 0 })
	clock.add(time.Hour)
	if got := r.Stats().Metered.ConnectionMinutes; got != 2 {
		t.Errorf("%v minutes of connections that have ended, want 2", got)
	}
}

// broken is a Lambda function that fails, long one that answers 33 KB.
func broken(context.Context, event) (reply, error) { return reply{}, errors.New("broken") }

func long(context.Context, event) (reply, error) {
	return reply{StatusCode: 200, Body: strings.Repeat("x", 33<<10)}, nil
}
