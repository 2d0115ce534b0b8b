package main

import (
	"context"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/store/memstore"
)

// start serves the chat in this process, with messages in memory.
func start(tb testing.TB) (s *serve.Server, at *server) {
	tb.Helper()
	s, err := serve.New(serve.Config{Log: memstore.NewLog(memstore.Options{}), Rate: 1_000_000})
	if err != nil {
		tb.Fatal(err)
	}
	host := httptest.NewServer(s)
	tb.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			tb.Error(err)
		}
		host.Close()
	})
	return s, &server{addr: strings.TrimPrefix(host.URL, "http://")}
}

// tally is what messages have cost since it was begun.
type tally struct {
	server     *serve.Server
	writes     uint64
	memory     runtime.MemStats
	deliveries int
}

func begin(s *serve.Server) *tally {
	t := &tally{server: s, writes: s.Stats().Writes}
	runtime.ReadMemStats(&t.memory)
	return t
}

// perDelivery gives allocations, of clients too, and writes to sockets.
func (t *tally) perDelivery() (allocs, writes float64) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	n := float64(t.deliveries)
	allocs = float64(memory.Mallocs-t.memory.Mallocs) / n
	return allocs, float64(t.server.Stats().Writes-t.writes) / n
}

// publish has each message delivered before the next one, in as many rooms at once.
func (t *tally) publish(tb testing.TB, c *crowd, rooms int) {
	tb.Helper()
	n, err := c.publish(rooms)
	if err != nil {
		tb.Fatal(err)
	}
	t.deliveries += n
}

func crowdOf(tb testing.TB, at *server, size, roomSize int) *crowd {
	tb.Helper()
	c, err := gather(at, size, roomSize, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.close)
	return c
}

func BenchmarkDelivery(b *testing.B) {
	for name, roomSize := range map[string]int{"rooms of 10": 10, "one room": 100} {
		b.Run(name, func(b *testing.B) {
			s, at := start(b)
			c := crowdOf(b, at, 100, roomSize)
			t := begin(s)
			for b.Loop() {
				t.publish(b, c, 10)
			}
			allocs, writes := t.perDelivery()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(t.deliveries), "ns/delivery")
			b.ReportMetric(allocs, "allocs/delivery")
			b.ReportMetric(writes, "writes/delivery")
		})
	}
}

func BenchmarkConnect(b *testing.B) {
	_, at := start(b)
	b.ReportAllocs()
	for b.Loop() {
		c, err := gather(at, 1, 1, 0)
		if err != nil {
			b.Fatal(err)
		}
		c.close()
	}
}

// A delivery is one write at most, and the allocations of a message do not grow with the room.
func TestDelivery_counts(t *testing.T) {
	s, at := start(t)
	c := crowdOf(t, at, 200, 200)
	tally := begin(s)
	for range 100 {
		tally.publish(t, c, 1)
	}
	allocs, writes := tally.perDelivery()
	t.Logf("%.3f allocations and %.3f writes a delivery", allocs, writes)
	if writes > 1.05 { // presence and pings are no deliveries
		t.Errorf("%.3f writes a delivery, want 1 at most", writes)
	}
	if allocs > 0.5 {
		t.Errorf("%.3f allocations a delivery, want those of a message alone, 100 for 200 deliveries", allocs)
	}
}
