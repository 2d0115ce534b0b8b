//go:build !race

package sim_test

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestF18_TerminateUnderLoad stops the server by SIGTERM while clients talk, and starts the next
// one at once. The clients come back at once as well, instead of after the time they are told.
func TestF18_TerminateUnderLoad(t *testing.T) {
	seed, stops := newSeed(t), column(5, 50)
	k := newKilled(t)
	tr := newTraffic(t, k)
	tr.start(crowd(rooms("room", 2), 8, seed)...)
	var ends []time.Duration
	for range stops {
		welcomes, acked := tr.welcomes(), tr.acked()
		await(t, patience, "messages are acknowledged", func() bool { return tr.acked() > acked+200 })
		k.process.Signal(t, syscall.SIGTERM)
		begin := time.Now()
		if code := k.process.AwaitExit(t); code != 0 {
			t.Fatalf("exit code %d after SIGTERM", code)
		}
		ends = append(ends, time.Since(begin))
		k.restart(t)
		await(t, patience, "all clients are back", func() bool {
			return tr.welcomes() >= welcomes+len(tr.clients)
		})
	}
	pass(t, tr.settle(), stops, seed)
	seen := tr.seen()
	if want := stops * len(tr.clients); len(seen.Reconnects) < want {
		t.Errorf("%d times a client was asked to reconnect, want %d", len(seen.Reconnects), want)
	}
	first, last := slices.Min(seen.Reconnects), slices.Max(seen.Reconnects)
	if first < 0 || last > 10*time.Second {
		t.Errorf("afterMs from %v to %v, want within 0 to 10,000 ms", first, last)
	}
	if last-first < 3*time.Second {
		t.Errorf("afterMs from %v to %v: no jitter", first, last)
	}
	if gap := percentile(seen.Gaps, share); gap > 2*time.Second {
		t.Errorf("gap of %v of all %v, want at most 2 s: %v", share, gap, seen.Gaps)
	}
	if took := percentile(ends, share); took > 3*time.Second { // a drain takes 10 s
		t.Errorf("the server ended after %v, though its clients left at once: %v", took, ends)
	}
}
