//go:build !race

package gateway

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// buffers gives sockets that are accepted small buffers while it says so.
type buffers struct {
	net.Listener
	small atomic.Bool
}

func (l *buffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.small.Load() {
		err = conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
	}
	return conn, err
}

// TestF7_StalledConnections posts to 100 connections that read nothing beside 1,000 that do: these
// get everything in order, those cost no more than their queues, are counted, and closed.
func TestF7_StalledConnections(t *testing.T) {
	const (
		goodOnes, stalledOnes = 1000, 100
		rounds, each          = 8, 25 // posts: 8 times 25
		maxFrames             = 64
		size                  = 1000
	)
	clock := newClock(time.UnixMilli(1790299458000))
	listener := new(buffers)
	r := runOn(t, Config{
		MaxQueueFrames: maxFrames, IdleTimeout: -1, MaxDuration: -1, Requests: unlimited, Now: clock.now,
	}, func(l net.Listener) net.Listener {
		listener.Listener = l
		return listener
	})
	var received atomic.Int64
	var reading sync.WaitGroup
	for range goodOnes {
		c := r.dial(t)
		reading.Go(func() { readAll(c, rounds*each, &received) })
	}
	listener.small.Store(true)
	for range stalledOnes {
		c := r.dial(t)
		c.conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	to, before := r.targets(), heap()
	begin := time.Now()
	text := strings.Repeat("x", size)
	for round := range rounds {
		for i := range each {
			frames := [][]byte{fmt.Appendf(nil, "%04d%s", round*each+i, text)}
			if _, unsent, err := r.Post(context.Background(), to, frames); err != nil || len(unsent) > 0 {
				t.Fatal(unsent, err)
			}
		}
		// A post never waits; here the next ones do, so that the good readers never lag.
		eventually(t, "the good ones have it", func() bool {
			return received.Load() == int64((round+1)*each*goodOnes)
		})
	}
	took, grown := time.Since(begin), heap()-before
	stalled := 0
	for _, target := range to {
		c := r.lookup(target.ID)
		c.mu.Lock()
		frames, bytes := c.queue.frames, c.queue.bytes
		c.mu.Unlock()
		if frames > 0 {
			stalled++
		}
		if frames > maxFrames || bytes > maxFrames*(size+4+4) {
			t.Errorf("%d frames with %d bytes wait for one connection", frames, bytes)
		}
	}
	s := r.Stats()
	if stalled != stalledOnes || s.Open != goodOnes+stalledOnes {
		t.Errorf("%d of %d connections are behind, want %d of %d", stalled, s.Open, stalledOnes, goodOnes+stalledOnes)
	}
	if got, want := s.MessagesOut+s.Dropped[CauseFrames], uint64(rounds*each*len(to)); got != want {
		t.Errorf("%d messages are sent and %d dropped, want %d together", s.MessagesOut, s.Dropped[CauseFrames], want)
	}
	// The messages are shared. Without a poller each has a buffer to be written from.
	if most := 2 * flushSize; grown/stalledOnes > most {
		t.Errorf("%d KiB for one that stalls, want at most %d", grown/stalledOnes>>10, most>>10)
	}
	eventually(t, "those who stall are closed", func() bool {
		clock.add(time.Second)
		s = r.Stats()
		return s.Closed[CauseStalled] == stalledOnes && s.ClosedByCode[1013] == stalledOnes && s.Open == goodOnes
	})
	fmt.Printf("%s faults=%d acked=%d lost=0 dup=0 reorder=0 seed=0 dropped=%d posting=%v memory=%dKiB\n",
		t.Name(), stalledOnes, received.Load(), s.Dropped[CauseFrames], took.Round(time.Millisecond), grown>>10)
	gone, _, err := r.Post(context.Background(), to, [][]byte{[]byte("last")})
	if err != nil || len(gone) != stalledOnes {
		t.Errorf("%d are gone, %v, want %d", len(gone), err, stalledOnes)
	}
	reading.Wait()
}

// readAll reads n messages, which come in order, and one that says it is the last.
func readAll(c *client, n int, received *atomic.Int64) {
	for i := range n {
		f, err := c.read()
		if err != nil || f.Header.OpCode != ws.OpText || !strings.HasPrefix(string(f.Payload), fmt.Sprintf("%04d", i)) {
			c.tb.Errorf("message %d: %v %.10q %v", i, f.Header, f.Payload, err)
			return
		}
		received.Add(1)
	}
	if f, err := c.read(); err != nil || string(f.Payload) != "last" {
		c.tb.Errorf("%q %v, want the last message", f.Payload, err)
	}
}
