package client

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff gives the wait before the attempt after so many failed ones: full jitter, doubling.
func (o *options) backoff(failed int) time.Duration {
	limit := o.maxWait
	if failed < 30 { // beyond it shifting overflows
		limit = min(limit, o.minWait<<failed)
	}
	if limit <= 0 {
		return 0
	}
	return rand.N(limit)
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
