package rehearsal

import (
	"context"
	"time"
)

// Tick calls the functions of the schedules that are due at a time.
func (r *Runner) Tick(ctx context.Context, now time.Time) { r.tick(ctx, now) }
