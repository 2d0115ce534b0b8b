package main

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim"
)

// TestServe_authProxy connects as a proxy on another loopback address does, which has signed alice in,
// and as somebody who only says so.
func TestServe_authProxy(t *testing.T) {
	t.Parallel()
	server := sim.Surroundings{Env: []string{"CONFAB_AUTH_SECRET=sesame"}}.Serve(t, "--addr", "127.0.0.1:0",
		"--memory", "--auth", "proxy", "--auth-header", "Remote-User", "--trusted-proxies", "127.0.0.9",
		"--auth-secret-header", "X-Proxy-Secret")
	dial := func(from byte, user, secret string) (*websocket.Conn, int) {
		t.Helper()
		v := visitor{addr: server.Addr, from: []byte{127, 0, 0, from}}
		options := &websocket.DialOptions{HTTPClient: v.client(t), HTTPHeader: http.Header{
			"Remote-User": {user}, "X-Proxy-Secret": {secret},
		}}
		conn, response, err := websocket.Dial(t.Context(), server.URL(), options) //nolint:bodyclose // the library does
		if response == nil {
			t.Fatal(err)
		}
		if err == nil {
			t.Cleanup(func() { _ = conn.CloseNow() })
		}
		return conn, response.StatusCode
	}
	alice, status := dial(9, "alice", "sesame")
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("the proxy: status %d", status)
	}
	ask(t, alice, `{"action":"hello","id":"h"}`, `"user":"alice"`)
	ask(t, alice, `{"action":"setName","id":"n","name":"Bob"}`, `"user":"alice","name":"Bob"`)
	for name, c := range map[string]struct {
		from   byte
		secret string
	}{"no proxy": {1, "sesame"}, "no secret": {9, ""}, "a wrong secret": {9, "Sesame"}} {
		if _, status := dial(c.from, "alice", c.secret); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
}
