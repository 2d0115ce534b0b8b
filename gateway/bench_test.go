package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/confab-chat/confab/connections"
)

// crowd opens n connections whose clients read and forget, and gives them as targets.
func (r *rig) crowd(tb testing.TB, n int) []connections.Target {
	tb.Helper()
	for range n {
		c := r.dial(tb)
		go io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c.conn},
			make([]byte, 32<<10))
	}
	return r.targets()
}

// targets gives all connections.
func (r *rig) targets() (to []connections.Target) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for id := range r.conns {
		to = append(to, connections.Target{ID: id})
	}
	return to
}

func BenchmarkPost(b *testing.B) {
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			r := run(b, Config{MaxQueueFrames: 1 << 20, MaxQueueBytes: 1 << 30})
			to := r.crowd(b, n)
			frames := [][]byte{bytes.Repeat([]byte("x"), 200)}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if gone, _, err := r.Post(ctx, to, frames); err != nil || len(gone) > 0 {
					b.Fatal(gone, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/delivery")
		})
	}
}
