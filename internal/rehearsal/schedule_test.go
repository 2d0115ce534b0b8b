package rehearsal

import (
	"testing"
	"time"

	"github.com/confab-chat/confab/stack"
)

// A schedule calls after its time, each time, and begins anew with another rate.
func TestScheduled_due(t *testing.T) {
	t.Parallel()
	one := &stack.Schedule{LogicalID: "Tick", Function: &stack.Function{Name: "f"}, Every: time.Minute}
	all := []*stack.Schedule{one}
	var s scheduled
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {59 * time.Second, 0}, {time.Minute, 1}, {61 * time.Second, 0}, {119 * time.Second, 0}, {2 * time.Minute, 1}} {
		if got := len(s.due(noon.Add(c.at), all)); got != c.want {
			t.Errorf("after %v: %d calls, want %d", c.at, got, c.want)
		}
	}
	one.Every = time.Hour
	if got := len(s.due(noon.Add(3*time.Minute), all)); got != 0 {
		t.Errorf("%d calls at another rate's beginning", got)
	}
	if got := len(s.due(noon.Add(63*time.Minute), all)); got != 1 {
		t.Errorf("%d calls after an hour, want 1", got)
	}
}
