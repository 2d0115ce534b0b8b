//go:build !race

package sim_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
)

// What must be as it was before, when the guests of a test have gone.
const (
	openFiles  = "process_open_fds"
	goroutines = "go_goroutines"
	open       = "confab_connections"
	slack      = 10 // of descriptors and goroutines: the store's, the scrape's
)

// crowdHeld is readers who stay, and what they are told in the lobby.
type crowdHeld struct {
	heard, lost atomic.Int64
	reading     sync.WaitGroup
	lines       []*sim.Line
}

// hold connects n users, who read until they are let go.
func hold(tb testing.TB, where string, n int) *crowdHeld {
	tb.Helper()
	h := new(crowdHeld)
	h.lines = together(tb, n, func(ctx context.Context, i int) (*sim.Line, error) {
		return sim.Dial(ctx, where, fmt.Sprintf("held%d", i))
	})
	for _, line := range h.lines {
		h.reading.Go(func() {
			for {
				f, err := line.Next(context.Background())
				if err != nil {
					h.lost.Add(1)
					return
				}
				if f.Event == "message" {
					h.heard.Add(1)
				}
			}
		})
	}
	tb.Cleanup(h.release)
	return h
}

// release lets them go.
func (h *crowdHeld) release() {
	for _, line := range h.lines {
		line.Close()
	}
	h.reading.Wait()
}

// guest connects and leaves after a while, in one of four ways: half of them by a reset, of those
// half while the handshake is under way. It tells whether it was let in.
func guest(addr string, i int, stay time.Duration) (opened bool, err error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	tcp, head := conn.(*net.TCPConn), fmt.Sprintf("GET /production?name=guest%d HTTP/1.1\r\nHost: %s\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", i%1000, addr)
	if i%4 == 0 {
		head = head[:rand.IntN(len(head)+1)]
	}
	if _, err := conn.Write([]byte(head)); err != nil {
		return false, err
	}
	if i%4 == 0 {
		return false, tcp.SetLinger(0)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return false, errors.New(answer.Status)
	}
	time.Sleep(stay)
	switch i % 4 {
	case 1: // within a frame
		_, err = conn.Write([]byte("\x81\x85\x00\x00\x00\x00he"))
		return true, errors.Join(err, tcp.SetLinger(0))
	case 2: // with a close frame, as is proper
		_, err = conn.Write([]byte("\x88\x82\x00\x00\x00\x00\x03\xe8"))
		return true, errors.Join(err, tcp.CloseWrite())
	}
	return true, nil // without a word
}

// churn lets guests come at the rate for a while; each stays up to a second. It gives how many were
// let in.
func churn(tb testing.TB, addr string, rate int, lasting time.Duration, rng *rand.Rand) (guests, opened int) {
	tb.Helper()
	guests = rate * int(lasting/time.Second)
	var inside atomic.Int64
	var all sync.WaitGroup
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	for i := range guests {
		stay := time.Duration(rng.Int64N(int64(time.Second)))
		all.Go(func() {
			in, err := guest(addr, i, stay)
			if err != nil {
				tb.Errorf("guest %d: %v", i, err)
			}
			if in {
				inside.Add(1)
			}
		})
		<-ticker.C
	}
	all.Wait()
	return guests, int(inside.Load())
}

// TestF9_Churn lets guests come and go, half of them by a reset, beside users who stay. Afterwards
// descriptors, goroutines and presence are what they were, and nobody who stayed was disturbed.
func TestF9_Churn(t *testing.T) {
	seed := newSeed(t)
	held, rate, lasting := column(2000, 10000), column(200, 500), column(15*time.Second, 2*time.Minute)
	k := newKilled(t)
	census(t, k) // the store has opened what it needs
	await(t, patience, "nobody is there", func() bool { return k.process.Metrics(t)[open] == 0 })
	alone := k.process.Metrics(t)
	crowd := hold(t, k.url(), held)
	base := k.process.Metrics(t)
	if got := base[open]; got != float64(held) {
		t.Fatalf("%v connections, want %d", got, held)
	}
	if n := base[openFiles] - alone[openFiles]; n < float64(held) || n > float64(held+slack) {
		t.Errorf("%v descriptors for %d connections", n, held)
	}

	guests, opened := churn(t, k.process.Addr, rate, lasting, rand.New(rand.NewPCG(seed, 9)))
	if opened < guests/2 {
		t.Errorf("%d of %d guests were let in, want all but a quarter", opened, guests)
	}
	settled := backTo(t, k, base, held)
	witness := dial(t, k, "witness")
	witness.say("lobby", "still-here")
	witness.Close()
	await(t, patience, "all who stayed hear of it", func() bool { return crowd.heard.Load() == int64(held) })
	if n := crowd.lost.Load(); n > 0 {
		t.Errorf("%d who stayed lost their connection", n)
	}
	all := k.process.Metrics(t)
	if got, want := all["confab_connections_total"], float64(held+opened); got < want {
		t.Errorf("%v connections were counted, want at least %v", got, want)
	}

	crowd.release()
	gone := backTo(t, k, alone, 0)
	fmt.Printf("%s faults=%d acked=0 lost=0 dup=0 reorder=0 seed=%d held=%d opened=%d settled=%v gone=%v\n",
		t.Name(), guests, seed, held, opened, settled, gone)
}

// backTo waits until the server is as it was, but for the slack, and gives how long that took.
func backTo(tb testing.TB, k *killed, base map[string]float64, online int) time.Duration {
	tb.Helper()
	now := map[string]float64{}
	defer func() {
		for _, name := range []string{open, openFiles, goroutines} {
			if tb.Failed() {
				tb.Logf("%s: %v, before %v", name, now[name], base[name])
			}
		}
	}()
	took := await(tb, patience, "descriptors and goroutines are what they were", func() bool {
		time.Sleep(100 * time.Millisecond) // a scrape is work too
		now = k.process.Metrics(tb)
		return now[open] == base[open] && now[openFiles] <= base[openFiles]+slack &&
			now[goroutines] <= base[goroutines]+slack
	})
	return took + await(tb, patience, "presence is what it was", func() bool { return census(tb, k) == online })
}

// census counts the users that are online, but for the witness who asks.
func census(tb testing.TB, k *killed) int {
	tb.Helper()
	witness := &observer{dial(tb, k, "witness"), map[string]int{}}
	defer witness.Close()
	return witness.online() - 1
}
