package serve

import "testing"

func TestRush_over(t *testing.T) {
	var r rush
	for i, look := range []struct {
		total uint64
		over  bool
	}{
		{0, false},
		{900, false},
		{910, false}, // calm, but they were not many
		{1500, false},
		{1540, true},
		{1540, false}, // once
		{2600, false},
		{2700, false}, // more still come
		{2700, true},
	} {
		if got := r.over(look.total); got != look.over {
			t.Errorf("look %d, at %d connections: %v, want %v", i, look.total, got, look.over)
		}
	}
}
