//go:build !race

package client_test

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// flaky is a network between one client and a server, in which things go wrong. As TCP does it never
// leaves out bytes in the middle of a connection: what it swallows is the rest of it.
type flaky struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	pipes  map[*pipe]bool
	refuse bool          // new connections
	late   time.Duration // how long a new connection carries nothing
}

// pipe is one connection through it.
type pipe struct {
	f        *flaky
	in, out  net.Conn
	up, down lane
}

// lane is a direction of a pipe. Its fields are guarded by the network's mutex.
type lane struct {
	black  bool          // swallows everything
	until  time.Time     // carries nothing until then
	delay  time.Duration // of each piece
	before int           // cuts the connection within the next piece, after so many bytes; 0: not
}

func newFlaky(tb testing.TB, target string) *flaky {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f := &flaky{listener: l, target: target, pipes: map[*pipe]bool{}}
	f.running.Go(f.accept)
	tb.Cleanup(f.close)
	return f
}

func (f *flaky) accept() {
	for {
		in, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		refuse, late := f.refuse, f.late
		f.late = 0
		f.mu.Unlock()
		out, err := new(net.Dialer).DialContext(context.Background(), "tcp", f.target)
		if err != nil || refuse {
			in.Close()
			if err == nil {
				out.Close()
			}
			continue
		}
		p := &pipe{f: f, in: in, out: out}
		p.up.until = time.Now().Add(late)
		f.mu.Lock()
		f.pipes[p] = true
		f.mu.Unlock()
		f.running.Go(func() { p.carry(&p.up, in, out) })
		f.running.Go(func() { p.carry(&p.down, out, in) })
	}
}

// carry copies one direction until the connection ends.
func (p *pipe) carry(l *lane, from, to net.Conn) {
	defer p.cut()
	piece := make([]byte, 4096)
	for {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		now := l.look(p.f)
		for wait := max(now.delay, time.Until(now.until)); wait > 0; wait = time.Until(now.until) {
			time.Sleep(wait)
			now = l.look(p.f)
		}
		if now.black {
			continue
		}
		if now.before > 0 && now.before < n {
			n, now.black = now.before, true
		}
		if _, err := to.Write(piece[:n]); err != nil || now.black {
			return
		}
	}
}

func (l *lane) look(f *flaky) lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *l
}

// cut ends both sides of a connection.
func (p *pipe) cut() {
	p.in.Close()
	p.out.Close()
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	delete(p.f.pipes, p)
}

// reset has the connection end by RST.
func (p *pipe) reset() {
	for _, conn := range []net.Conn{p.in, p.out} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // it ends anyway
		}
	}
	p.cut()
}

// later does something after a while, before the network closes.
func (f *flaky) later(d time.Duration, what func()) {
	f.running.Go(func() {
		time.Sleep(d)
		what()
	})
}

// each changes all connections.
func (f *flaky) each(change func(*pipe)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.pipes {
		change(p)
	}
}

// all gives the connections that there are.
func (f *flaky) all() (pipes []*pipe) {
	f.each(func(p *pipe) { pipes = append(pipes, p) })
	return pipes
}

func (f *flaky) close() {
	f.listener.Close()
	for _, p := range f.all() {
		p.cut()
	}
	f.running.Wait()
}

// faults are what can go wrong, each for some tenths of a second at most.
var faults = []struct {
	name   string
	strike func(f *flaky, rng *rand.Rand)
}{
	{"cut", func(f *flaky, rng *rand.Rand) {
		for _, p := range f.all() {
			if rng.IntN(2) == 0 {
				p.reset()
			} else {
				p.cut()
			}
		}
	}},
	{"cut within a frame", func(f *flaky, rng *rand.Rand) {
		f.each(func(p *pipe) {
			if n := 1 + rng.IntN(60); rng.IntN(2) == 0 {
				p.up.before = n
			} else {
				p.down.before = n
			}
		})
	}},
	{"half-open", func(f *flaky, rng *rand.Rand) {
		which := rng.IntN(3)
		f.each(func(p *pipe) { p.up.black, p.down.black = p.up.black || which != 1, p.down.black || which != 2 })
	}},
	// The server hears of the end long after the client has come back: connect before disconnect.
	{"late disconnect", func(f *flaky, rng *rand.Rand) {
		f.each(func(p *pipe) {
			p.up.black, p.down.black = true, true
			f.later(time.Duration(100+rng.IntN(200))*time.Millisecond, func() { p.out.Close() })
			f.later(time.Duration(rng.IntN(20))*time.Millisecond, func() { p.in.Close() })
		})
	}},
	{"late connect", func(f *flaky, rng *rand.Rand) {
		f.mu.Lock()
		f.late = time.Duration(50+rng.IntN(200)) * time.Millisecond
		f.mu.Unlock()
		for _, p := range f.all() {
			p.cut()
		}
	}},
	{"delay", func(f *flaky, rng *rand.Rand) {
		d := time.Duration(5+rng.IntN(40)) * time.Millisecond
		f.each(func(p *pipe) { p.up.delay, p.down.delay = d, d })
		f.later(200*time.Millisecond, func() {
			f.each(func(p *pipe) { p.up.delay, p.down.delay = 0, 0 })
		})
	}},
	{"slow reader", func(f *flaky, rng *rand.Rand) {
		until := time.Now().Add(time.Duration(100+rng.IntN(300)) * time.Millisecond)
		f.each(func(p *pipe) { p.down.until = until })
	}},
	{"no way", func(f *flaky, rng *rand.Rand) {
		f.mu.Lock()
		f.refuse = true
		f.mu.Unlock()
		for _, p := range f.all() {
			p.cut()
		}
		f.later(time.Duration(20+rng.IntN(100))*time.Millisecond, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.refuse = false
		})
	}},
}
