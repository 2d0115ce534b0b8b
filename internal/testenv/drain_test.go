package testenv_test

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
)

// A server that stops asks its clients to come again, then closes with the code for a restart.
func TestShutdown(t *testing.T) {
	for _, store := range []string{"memstore", "sqlitestore"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, "direct", store, testenv.Options{})
			alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
			ack := alice.Say("lobby", "m1", "last words")
			e.Stop()
			for _, c := range []*testenv.Client{alice, bob} {
				c.Seen("the last message", func(f testenv.Frame) bool { return f.Raw == ack.Raw })
				f := c.Event("reconnect").Is(t, `{"event":"reconnect","afterMs":"$n"}`)
				if after := f.Fields["afterMs"].(float64); after < 0 || after > 10_000 {
					t.Errorf("afterMs is %v, want 0 to 10,000", after)
				}
				if code := c.Closed(); code != websocket.StatusServiceRestart {
					t.Errorf("closed with %d, want 1012", code)
				}
			}
		})
	}
}
