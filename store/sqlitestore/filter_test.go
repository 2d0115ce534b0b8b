package sqlitestore

import (
	"math/rand/v2"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// TestFilter wants a filter to have each key that was added, and few others.
func TestFilter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f, joined := new(filter), new(filter)
	keys := make([]int64, 200_000)
	for i := range keys {
		keys[i] = int64(random.Uint64())
		f.add(keys[i])
	}
	joined.join(f)
	for _, key := range keys {
		if !f.has(key) || !joined.has(key) {
			t.Fatalf("key %d was added and is not there", key)
		}
	}
	others := 0
	for range 100_000 {
		if f.has(int64(random.Uint64())) {
			others++
		}
	}
	if others > 100 {
		t.Errorf("%d of 100,000 other keys are there, want 100 at most", others)
	}
}

// TestRecent wants a key to be known for as long as ids are remembered, and not for ever.
func TestRecent(t *testing.T) {
	window := chat.DedupWindow.Milliseconds()
	k := recent{now: new(filter), before: new(filter), since: 1000}
	k.add(1, 1000+window-1)
	if k.absent(2) {
		t.Error("a key is absent before the table was read")
	}
	k.ready = true
	k.add(2, 1000+2*window-2)
	if k.absent(1) || k.absent(2) {
		t.Error("a key is absent that was added less than a window ago")
	}
	k.add(3, 1000+4*window)
	if !k.absent(1) {
		t.Error("a key is there that was added four windows ago")
	}
}
