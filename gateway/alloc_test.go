//go:build !race && linux && !portable

package gateway

import (
	"bytes"
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// With the race detector a sync.Pool forgets on purpose.

func TestAPI_Post_allocatesNothing(t *testing.T) {
	r := run(t, Config{})
	to := r.crowd(t, 10)
	frames := [][]byte{bytes.Repeat([]byte("x"), 200), []byte("second")}
	ctx := context.Background()
	allocs := testing.AllocsPerRun(200, func() {
		if gone, _, err := r.Post(ctx, to, frames); err != nil || len(gone) > 0 {
			t.Error(gone, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a post to 10 connections, want 0", allocs)
	}
}

// A route without a time limit costs nothing but its handler, which runs on the caller's goroutine.
func TestRoute_withoutTimeoutAllocatesNothing(t *testing.T) {
	r := run(t, Config{})
	calls := 0
	route := &route{key: "x", Route: Route{Timeout: -1, Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			calls++
			return reply{StatusCode: 200}, nil
		})}}
	var e events.APIGatewayWebsocketProxyRequest
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := r.invoke(background, route, &e); err != nil {
			t.Error(err)
		}
	})
	if allocs != 0 || calls != 201 {
		t.Errorf("%v allocations for each of %d calls, want 0 for 201", allocs, calls)
	}
}

// A flood of pings is answered without garbage, and by one write for all that came at once.
func TestConnection_pingsAllocateNothing(t *testing.T) {
	r := run(t, Config{})
	r.crowd(t, 1)
	c := r.lookup(r.onlyID(t))
	flood := repeated(100, frame(pingFrame, "ping"))
	buf := make([]byte, len(flood))
	before := r.stats.writes.Load()
	allocs := testing.AllocsPerRun(50, func() {
		copy(buf, flood) // it is unmasked in place
		c.feed(buf)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for 100 pings, want none", allocs)
	}
	if n := r.stats.writes.Load() - before; n > 60 { // one of them warms up, some may find the socket full
		t.Errorf("%d writes for 51 times 100 pings", n)
	}
	if !bytes.Equal(buf[6:10], []byte("ping")) {
		t.Error("the pings were not read")
	}
}
