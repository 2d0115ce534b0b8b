//go:build !race

package sim_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
)

// hole is a proxy that at some moment swallows everything, both ways, and keeps its connections.
type hole struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	black    bool
	conns    []net.Conn
	copying  sync.WaitGroup
}

func newHole(tb testing.TB, target string) *hole {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h := &hole{listener: l, target: target}
	h.copying.Go(h.accept)
	tb.Cleanup(h.close)
	return h
}

func (h *hole) accept() {
	for {
		in, err := h.listener.Accept()
		if err != nil {
			return
		}
		out, err := new(net.Dialer).DialContext(context.Background(), "tcp", h.target)
		if err != nil {
			in.Close()
			continue
		}
		h.mu.Lock()
		h.conns = append(h.conns, in, out)
		h.mu.Unlock()
		h.copying.Go(func() { _, _ = io.Copy(through{h, out}, in) })
		h.copying.Go(func() { _, _ = io.Copy(through{h, in}, out) })
	}
}

// through is a direction of a connection.
type through struct {
	h  *hole
	to io.Writer
}

func (d through) Write(b []byte) (int, error) {
	d.h.mu.Lock()
	black := d.h.black
	d.h.mu.Unlock()
	if black {
		return len(b), nil
	}
	return d.to.Write(b)
}

// open turns the proxy black.
func (h *hole) open() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.black = true
}

func (h *hole) close() {
	h.listener.Close()
	h.mu.Lock()
	for _, c := range h.conns {
		c.Close()
	}
	h.mu.Unlock()
	h.copying.Wait()
}

// TestF10_HalfOpen lets clients vanish without a word: half of them stop, the others are behind a
// network that carries nothing any more. All of them go offline, and nobody else.
func TestF10_HalfOpen(t *testing.T) {
	const healthy = 20
	seed, clients := newSeed(t), column(50, 500)
	k := newKilled(t)
	witness := &observer{dialFor(t, k, "witness", 5*time.Minute), map[string]int{}}
	witness.join("tea")
	stay(t, k.url(), "healthy", healthy)
	fds := k.process.Metrics(t)["process_open_fds"]
	proxy := newHole(t, k.process.Addr)
	stay(t, "ws://"+proxy.listener.Addr().String()+"/production", "cut", clients/2)
	together(t, clients-clients/2, func(ctx context.Context, i int) (*sim.Line, error) {
		return member(ctx, t, k.url(), fmt.Sprintf("stopped%d", i)) // nobody reads, so that no ping is answered
	})
	if n := witness.online(); n != 1+healthy+clients {
		t.Fatalf("%d users are online, want %d", n, 1+healthy+clients)
	}
	if n := k.process.Metrics(t)["process_open_fds"]; n < fds+float64(clients) {
		t.Fatalf("%v descriptors with the clients, %v without", n, fds)
	}
	proxy.open()
	const margin = 10 * time.Second // of a busy machine
	offline := await(t, 20*time.Second+margin, "all that are gone are offline", func() bool {
		time.Sleep(100 * time.Millisecond)
		return witness.online() <= 1+healthy
	})
	freed := offline + await(t, 25*time.Second+margin-offline, "the descriptors are free", func() bool {
		return k.process.Metrics(t)["process_open_fds"] <= fds+10 // the store has opened some as well
	})
	if n := witness.online(); n != 1+healthy {
		t.Errorf("%d users are online, want %d", n, 1+healthy)
	}
	witness.checkPresence(clients)
	fmt.Printf("%s faults=%d acked=0 lost=0 dup=0 reorder=0 seed=%d offline=%v freed=%v\n",
		t.Name(), clients, seed, offline, freed)
}

// member connects a user to the room of the witness, until the test ends.
func member(ctx context.Context, tb testing.TB, where, user string) (*sim.Line, error) {
	line, err := sim.Dial(ctx, where, user)
	if err != nil {
		return nil, err
	}
	tb.Cleanup(line.Close)
	_, err = line.Join(ctx, "tea")
	return line, err
}

// stay connects n members, who read.
func stay(tb testing.TB, where, word string, n int) {
	tb.Helper()
	lines := together(tb, n, func(ctx context.Context, i int) (*sim.Line, error) {
		return member(ctx, tb, where, fmt.Sprintf("%s%d", word, i))
	})
	for _, line := range lines {
		go func() {
			for {
				if _, err := line.Next(context.Background()); err != nil {
					return
				}
			}
		}()
	}
}

// observer is a witness who keeps what it was told of presence.
type observer struct {
	*talker
	offline map[string]int
}

// online asks for all users and counts those that are online.
func (o *observer) online() int {
	o.tb.Helper()
	n, after := 0, ""
	for {
		if err := o.Send(o.ctx, `{"action":"users","id":"users","after":%q,"limit":200}`, after); err != nil {
			o.tb.Fatal(err)
		}
		all := o.until(func(f *sim.Frame) bool { return f.ID == "users" })
		for _, f := range all {
			for _, user := range f.Offline {
				o.offline[user]++
			}
		}
		page := all[len(all)-1]
		for _, u := range page.Users {
			if u.Online {
				n++
			}
		}
		if !page.More {
			return n
		}
		after = page.Users[len(page.Users)-1].User
	}
}

// checkPresence compares what the witness was told of presence, which is told in rooms of up to 200
// connections.
func (o *observer) checkPresence(gone int) {
	o.tb.Helper()
	if gone > 150 {
		return
	}
	await(o.tb, patience, "the room is told of everyone who is gone", func() bool {
		o.online()
		return len(o.offline) >= gone
	})
	for user, n := range o.offline {
		if strings.HasPrefix(user, "healthy") || n != 1 {
			o.tb.Errorf("the room was told %d times that %s went", n, user)
		}
	}
}
