package testenv_test

import (
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestRead(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, laptop, bob := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob")
		alice.Join("tea")
		bob.Join("tea")
		fill(alice, "tea", 5)
		marker := func() float64 {
			f := laptop.Do("h1", `{"action":"hello","id":"h1"}`)
			for _, r := range f.Fields["rooms"].([]any) {
				if room := r.(map[string]any); room["room"] == "tea" {
					return room["read"].(float64)
				}
			}
			return -1
		}
		alice.Do("r1", `{"action":"read","id":"r1","room":"tea","seq":3}`).Is(t, `{"event":"read","id":"r1","room":"tea","seq":3}`)
		laptop.Event("read").Is(t, `{"event":"read","room":"tea","seq":3}`)
		if got := marker(); got != 3 {
			t.Errorf("welcome's marker is %v, want 3", got)
		}
		// It never moves back.
		alice.Do("r2", `{"action":"read","id":"r2","room":"tea","seq":1}`).Is(t, `{"event":"read","id":"r2","room":"tea","seq":3}`)
		if got := marker(); got != 3 {
			t.Errorf("welcome's marker is %v, want 3", got)
		}
		// Nor beyond the head.
		alice.Send(`{"action":"read","room":"tea","seq":1000}`)
		alice.Event("read").Is(t, `{"event":"read","room":"tea","seq":5}`)
		if got := marker(); got != 5 {
			t.Errorf("welcome's marker is %v, want 5", got)
		}
		alice.Say("lobby", "m1", "hi")
		alice.Do("r3", `{"action":"read","id":"r3","room":"lobby","seq":1}`).Is(t, `{"event":"read","id":"r3","room":"lobby","seq":1}`)
		refused(t, alice, "not_found", "r4", `{"action":"read","id":"r4","room":"nowhere","seq":1}`)
		namesField(t, refused(t, alice, "bad_field", "r5", `{"action":"read","id":"r5","room":"tea"}`), "seq")
		quiet(t, bob, "somebody else's read marker", func(f testenv.Frame) bool { return f.Event == "read" })
	})
}
