package sqlitestore

import "testing"

// What queued just before the queue is closed is handed out, and then its end is told: the two signals
// may have been one.
func TestQueue_closedWhileSomethingWaits(t *testing.T) {
	q := newQueue()
	if err := q.put(&op{}); err != nil {
		t.Fatal(err)
	}
	q.close()
	for _, want := range []struct {
		ops      int
		finished bool
	}{{1, false}, {0, true}} {
		select {
		case <-q.wake:
		default:
			t.Fatalf("nobody is woken to take %d operations", want.ops)
		}
		if batch, finished := q.take(nil); len(batch) != want.ops || finished != want.finished {
			t.Errorf("took %d, finished %v; want %d, %v", len(batch), finished, want.ops, want.finished)
		}
	}
}
