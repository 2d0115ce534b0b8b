//go:build !race

package chatapi_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

// The steps of F14. Each but lapse is one device's.
const (
	stepConnect    = iota
	stepDisconnect // $disconnect
	stepHeartbeat  // hello, then ping
	stepGone       // a post finds the connection gone: 410
	deviceSteps    // how many there are
)

// lapse lets the time pass that a lease lasts after hello, for both devices.
const lapse = 2 * deviceSteps

// What the store's leases are here, and how much time a step takes.
const (
	lease       = 60 * time.Second
	silentLease = 2 * time.Hour
	stepTime    = 4 * time.Second // the third step finds the first device no longer young
)

// presenceRun is one order of steps on a store of its own, beside what must come of it.
type presenceRun struct {
	ctx     context.Context
	now     time.Time
	conns   *memstore.Connections
	h       *chatapi.Handler
	devices [2]expected
}

// expected is what one device's row must be.
type expected struct {
	state    int // 0 never opened, 1 open, 2 closed
	hello    bool
	since    time.Time
	leaseEnd time.Time
}

func (e *expected) live(now time.Time) bool { return e.state == 1 && now.Before(e.leaseEnd) }

var deviceIDs = [2]string{"device1", "device2"}

// allGone is a gateway that has no connection.
type allGone struct{ chatapi.Poster }

func (allGone) Post(_ context.Context, to []connections.Target, _ [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	return to, nil, nil
}

func newPresenceRun(log chat.Log) *presenceRun {
	p := &presenceRun{ctx: context.Background(), now: storetest.Start}
	now := func() time.Time { return p.now }
	p.conns = memstore.NewConnections(memstore.Options{Now: now, Lease: lease, SilentLease: silentLease})
	p.h = chatapi.New(chatapi.Config{
		Service: chat.NewService(log, p.conns, now), Poster: allGone{}, Now: now, Logger: quiet,
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	return p
}

// step does a step and notes what must come of it.
func (p *presenceRun) step(step int) error {
	p.now = p.now.Add(stepTime)
	if step == lapse {
		p.now = p.now.Add(lease)
		return nil
	}
	i := step / deviceSteps
	e, id := &p.devices[i], deviceIDs[i]
	switch step % deviceSteps {
	case stepConnect:
		_, err := p.h.Service.Connect(p.ctx, chat.Connection{ID: id, User: "alice", ConnectedAt: p.now})
		if refused := e.state == 2; refused != chat.Is(err, chat.Taken) || !refused && err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		if e.state == 0 {
			*e = expected{state: 1, since: p.now, leaseEnd: p.now.Add(silentLease)}
		}
	case stepDisconnect:
		e.state = 2
		_, err := p.h.Service.Disconnect(p.ctx, id)
		return err
	case stepHeartbeat:
		pulse := chat.Beats
		if !e.hello {
			pulse = chat.Greets
		}
		_, err := p.h.Service.Touch(p.ctx, id, pulse)
		if !e.live(p.now) {
			if !chat.Is(err, chat.NotFound) {
				return fmt.Errorf("a heartbeat of a connection that has ended: %w", err)
			}
			return nil
		}
		e.hello, e.leaseEnd = true, p.now.Add(lease)
		return err
	case stepGone:
		if e.state == 0 { // nobody posts to what was never there
			return nil
		}
		to := chatapi.Address{Target: connections.Target{ID: id}, ConnectedAt: e.since}
		if p.now.Sub(e.since) > 10*time.Second {
			e.state = 2
		}
		return p.h.Run(p.ctx, chatapi.Task{Kind: chatapi.TaskFanout, To: []chatapi.Address{to}})
	}
	return nil
}

// check compares what the store says with what must be.
func (p *presenceRun) check() error {
	want := 0
	for i := range p.devices {
		if p.devices[i].live(p.now) {
			want++
		}
	}
	rows, err := p.conns.OfUser(p.ctx, "alice")
	if err != nil || len(rows) != want {
		return fmt.Errorf("%d devices, want %d, %w", len(rows), want, err)
	}
	users, _, err := p.conns.Online(p.ctx, "", 9)
	if err != nil || len(users) != min(want, 1) {
		return fmt.Errorf("online: %v, want %d, %w", users, min(want, 1), err)
	}
	return nil
}

// sweep closes what has lapsed, as Handler.Sweep does but for telling.
func (p *presenceRun) sweep() error {
	for c, err := range p.h.Service.Lapsed(p.ctx) {
		if err != nil {
			return err
		}
		for i, id := range deviceIDs {
			if e := &p.devices[i]; c.ID == id && (e.live(p.now) || !e.hello) {
				return fmt.Errorf("%s is swept and has not lapsed", id)
			} else if c.ID == id {
				e.state = 2
			}
		}
		if _, err := p.h.Service.Disconnect(p.ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// run does the steps of a sequence, with a sweep after each or without any.
func (p *presenceRun) run(steps []int, sweeping bool) error {
	for i, step := range steps {
		err := p.step(step)
		if err == nil {
			err = p.check()
		}
		if err == nil && sweeping {
			if err = p.sweep(); err == nil {
				err = p.check()
			}
		}
		if err != nil {
			return fmt.Errorf("after step %d of %v: %w", i+1, steps, err)
		}
	}
	return nil
}

// TestF14_Presence is F14: whatever order events of two devices come in, alice is online while one
// of them has a live lease, and no longer.
func TestF14_Presence(t *testing.T) {
	length := 7
	if deep() {
		length = 8
	}
	log := memstore.NewLog(memstore.Options{})
	if err := log.PutUser(context.Background(), chat.User{Name: "alice"}); err != nil {
		t.Fatal(err)
	}
	total := 1
	for range length {
		total *= lapse + 1
	}
	var next, failed, faults atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			steps := make([]int, length)
			for failed.Load() < 5 {
				n := int(next.Add(1)) - 1
				if n >= total {
					return
				}
				if !sequence(n, steps) {
					continue
				}
				faults.Add(1)
				for _, sweeping := range []bool{false, true} {
					if !deep() && sweeping != (n%2 == 0) {
						continue // one of the two
					}
					if err := newPresenceRun(log).run(steps, sweeping); err != nil {
						failed.Add(1)
						t.Error(err)
					}
				}
			}
		})
	}
	workers.Wait()
	t.Logf("faults=%d acked=0 lost=0 dup=0 reorder=0 seed=0", faults.Load())
}

// sequence gives the n-th sequence of steps. Devices are alike: where the second comes first, it is
// the mirror of another sequence, and told so.
func sequence(n int, steps []int) bool {
	first := true
	for i := range steps {
		steps[i] = n % (lapse + 1)
		n /= lapse + 1
		if steps[i] < lapse && first {
			if steps[i] >= deviceSteps {
				return false
			}
			first = false
		}
	}
	return true
}
