//go:build !race

package gateway

import (
	"bytes"
	"context"
	"testing"
)

// With the race detector a sync.Pool forgets on purpose.

func TestAPI_Post_allocatesNothing(t *testing.T) {
	r := run(t, Config{})
	to := r.crowd(t, 10)
	frames := [][]byte{bytes.Repeat([]byte("x"), 200), []byte("second")}
	ctx := context.Background()
	allocs := testing.AllocsPerRun(200, func() {
		if gone, _, err := r.Post(ctx, to, frames); err != nil || len(gone) > 0 {
			t.Error(gone, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a post to 10 connections, want 0", allocs)
	}
}
