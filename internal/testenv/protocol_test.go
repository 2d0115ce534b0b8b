package testenv_test

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
)

// TestConnect_Subprotocol connects as a browser page does that was made for sign-in: it offers two
// sub-protocols, and ends the connection unless one of them is answered.
func TestConnect_Subprotocol(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		options := &websocket.DialOptions{Subprotocols: []string{"authorization", "a.token.of-a-page"}}
		conn, response, err := websocket.Dial(t.Context(), e.URL(0, "alice"), options) //nolint:bodyclose // the library closes it
		if err != nil {
			t.Fatalf("%v, %v", response, err)
		}
		defer func() { _ = conn.CloseNow() }()
		if got := conn.Subprotocol(); got != "authorization" {
			t.Errorf("the sub-protocol is %q, want authorization", got)
		}
	})
}
