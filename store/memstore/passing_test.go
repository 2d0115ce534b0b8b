package memstore

import (
	"strconv"
	"testing"
	"time"
)

func TestTombstones_Bounded(t *testing.T) {
	closed := tombstones{until: map[string]time.Time{}}
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	const flood = maxTombstones + 1000
	for i := range flood {
		closed.add(strconv.Itoa(i), now)
	}
	if len(closed.queue) > maxTombstones || len(closed.until) > maxTombstones {
		t.Fatalf("%d queued, %d remembered, want at most %d", len(closed.queue), len(closed.until), maxTombstones)
	}
	if last := strconv.Itoa(flood - 1); !closed.has(last, now) {
		t.Errorf("the last id is forgotten")
	}
	for i := range maxTombstones / (sweepStep - 1) {
		closed.add("late"+strconv.Itoa(i), now.Add(4*time.Hour))
	}
	if left := len(closed.until) - maxTombstones/(sweepStep-1); left > sweepStep {
		t.Errorf("%d expired ids are left, want about none", left)
	}
}
