package gateway

import (
	"context"
	"testing"
)

// All frames of a post leave in one write for each receiver that takes them.
func TestAPI_Post_writesOnce(t *testing.T) {
	r := run(t, Config{})
	to := r.crowd(t, 10)
	before := r.Stats().Writes
	for range 5 {
		if gone, _, err := r.Post(context.Background(), to, [][]byte{{'a'}, {'b'}, {'c'}}); err != nil || len(gone) > 0 {
			t.Fatal(gone, err)
		}
	}
	eventually(t, "nothing waits", func() bool {
		for _, target := range to {
			if r.lookup(target.ID).waiting() > 0 {
				return false
			}
		}
		return true
	})
	if writes := r.Stats().Writes - before; writes > 50 {
		t.Errorf("%d writes for 5 posts of 3 frames to 10 connections, want at most 50", writes)
	}
}
