//go:build !race

package dynamostore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

// f12 is a run of fault test F12: sends through a faulty engine, beside readers that fence off
// what is on its way.
type f12 struct {
	*pair
	faults *faulty
	left   atomic.Int64             // sends to do
	poked  map[string]chan struct{} // by room: there is something to read

	mu    sync.Mutex
	sends []f12Send
	views map[string][]chat.Message // what the reader of a room was shown
}

// f12Send is what a client knows of one send.
type f12Send struct {
	room, user, id string
	outcome        string // acked, nacked or unknown
	seq            uint64 // of acked
}

const (
	f12Writers = 20
	f12Rooms   = 4
)

// TestF12_FaultyEngine sends with a fault in one of five requests. Every acknowledged message is stored once
// at its number, every unknown one at most once, no refused one; numbers are dense, and nothing
// is acknowledged before its put.
func TestF12_FaultyEngine(t *testing.T) {
	sends := 3000
	if os.Getenv("CONFAB_DEEP") == "1" {
		sends = 20000
	}
	seed := rand.Uint64()
	r := &f12{
		faults: newFaulty(seed, 0.2),
		views:  map[string][]chat.Message{}, poked: map[string]chan struct{}{},
	}
	for n := range f12Rooms {
		r.poked[fmt.Sprintf("room%d", n)] = make(chan struct{}, 1)
	}
	r.pair = newPair(t, dynamostore.Options{}, r.faults.hook)
	r.left.Store(int64(sends))
	for i := range f12Writers {
		user := fmt.Sprintf("u%02d", i)
		c := chat.Connection{ID: "c-" + user, User: user, ConnectedAt: r.clock.Now()}
		ok(t, "Open", r.b.Open(t.Context(), c, nil))
		for n := range f12Rooms {
			join(t, r.b, fmt.Sprintf("room%d", n), user)
		}
	}
	r.run(t, seed)
	lost, dup, reorder := r.check(t)
	counts := map[string]int{}
	for _, s := range r.sends {
		counts[s.outcome]++
	}
	t.Logf("outcomes %v, faults %v", counts, r.faults.counts)
	fmt.Printf("F12: faults=%d acked=%d lost=%d dup=%d reorder=%d seed=%d\n",
		r.faults.total(), counts["acked"], lost, dup, reorder, seed)
	if lost+dup+reorder > 0 {
		t.Errorf("lost=%d dup=%d reorder=%d", lost, dup, reorder)
	}
	for _, kind := range []string{
		throughput, throttling, conflict, serverError, timeoutBefore, timeoutAfter, unprocessed,
		shortPage, staleRead, bareRefusal,
	} {
		if r.faults.counts[kind] == 0 {
			t.Errorf("no fault of kind %q", kind)
		}
	}
	for _, outcome := range []string{"acked", "nacked", "unknown"} {
		if counts[outcome] == 0 {
			t.Errorf("no send was %s", outcome)
		}
	}
}

// run sends all, while a reader of each room follows it and the clock runs ahead.
func (r *f12) run(t *testing.T, seed uint64) {
	var writing, reading sync.WaitGroup
	for room := range r.poked {
		reading.Go(func() { r.follow(t, room) })
	}
	for i := range f12Writers {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		writing.Go(func() { r.write(t, fmt.Sprintf("u%02d", i), random) })
	}
	writing.Wait()
	for _, poke := range r.poked {
		close(poke)
	}
	reading.Wait()
}

// write sends until all is sent. Now and then the client has too little patience; a send of
// unknown outcome it mostly repeats.
func (r *f12) write(t *testing.T, user string, random *rand.Rand) {
	for r.left.Add(-1) >= 0 {
		room := fmt.Sprintf("room%d", random.IntN(f12Rooms))
		s := f12Send{room: room, user: user, id: fmt.Sprint("m", random.Uint64())}
		for repeat := true; repeat; {
			patience := time.Minute
			if random.IntN(20) == 0 {
				patience = time.Duration(random.IntN(80_000)) * time.Microsecond
			}
			r.send(t, &s, patience)
			repeat = s.outcome == "unknown" && random.IntN(2) > 0
		}
		select {
		case r.poked[s.room] <- struct{}{}:
		default: // it is awake
		}
		if random.IntN(10) == 0 {
			r.clock.Advance(chat.SettleAfter)
			r.receivers(t, s.room)
		}
		r.mu.Lock()
		r.sends = append(r.sends, s)
		r.mu.Unlock()
	}
}

func (r *f12) send(t *testing.T, s *f12Send, patience time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := chat.Draft{Room: s.room, From: s.user, ID: s.id, Text: "text of " + s.id, At: r.clock.Now()}
	m, err := r.a.Append(ctx, d, nobody)
	switch {
	case err == nil:
		s.outcome, s.seq = "acked", m.Seq
		stored := r.getItem(t, "R#"+s.room, fmt.Sprintf("M#%016d", m.Seq))
		if text(stored["i"]) != s.id {
			t.Errorf("%s was acknowledged before its put", s.id)
		}
	case chat.Is(err, chat.Unknown):
		s.outcome = "unknown"
	case chat.Is(err, chat.Unavailable):
		if s.outcome == "" { // after an unknown outcome it stays unknown
			s.outcome = "nacked"
		}
	default:
		t.Errorf("Append: %v", err)
		s.outcome = "unknown"
	}
}

// receivers reads the lobby's and a room's receivers, and has a connection subscribed anew.
func (r *f12) receivers(t *testing.T, room string) {
	for _, room := range []string{room, chat.Lobby} {
		for _, err := range r.a.Receivers(t.Context(), chat.Head{Room: room}) {
			if err != nil {
				t.Errorf("Receivers: %v", err)
			}
		}
	}
	m := chat.Member{Room: room, User: "u00", State: chat.Joined}
	if err := r.a.Subscribe(t.Context(), m); err != nil {
		t.Errorf("Subscribe: %v", err)
	}
}

// follow reads a room whenever it is poked, and remembers what it was shown.
func (r *f12) follow(t *testing.T, room string) {
	var seen []chat.Message
	for range r.poked[room] {
		p, err := r.a.Messages(t.Context(), room, chat.Range{After: uint64(len(seen)), Limit: chat.MaxPage})
		if err != nil {
			t.Errorf("Messages: %v", err)
			break
		}
		seen = append(seen, p.Messages...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views[room] = seen
}

// check compares what the clients know with what is stored, as a second process reads it.
func (r *f12) check(t *testing.T) (lost, dup, reorder int) {
	r.clock.Advance(chat.SettleAfter + time.Second)
	places := map[string][]uint64{} // of each id
	for n := range f12Rooms {
		room := fmt.Sprintf("room%d", n)
		log := all(t, r.b, room)
		heads, err := r.b.Heads(t.Context(), []string{room})
		ok(t, "Heads", err)
		equal(t, "numbers given in "+room, uint64(len(log)), heads[0].Seq)
		for i, m := range log {
			if m.State == chat.Stored {
				places[m.ID] = append(places[m.ID], m.Seq)
				equal(t, "text", m.Text, "text of "+m.ID)
			}
			if seen := r.views[room]; i < len(seen) && seen[i] != m {
				reorder++
				t.Errorf("%s %d: a reader saw %v, stored is %v", room, m.Seq, seen[i], m)
			}
		}
	}
	for _, s := range r.sends {
		at := places[s.id]
		switch {
		case len(at) > 1:
			dup++
			t.Errorf("%s (%s) is stored as %v", s.id, s.outcome, at)
		case s.outcome == "acked" && len(at) == 0:
			lost++
			t.Errorf("%s was acknowledged as %d and is not stored", s.id, s.seq)
		case s.outcome == "acked" && at[0] != s.seq:
			reorder++
			t.Errorf("%s was acknowledged as %d and is stored as %d", s.id, s.seq, at[0])
		case s.outcome == "nacked" && len(at) > 0:
			dup++
			t.Errorf("%s was refused and is stored as %v", s.id, at)
		}
	}
	return lost, dup, reorder
}
