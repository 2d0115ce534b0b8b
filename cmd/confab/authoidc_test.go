package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/testissuer"
)

// TestServe_authOIDC has alice come in by an issuer, with a browser, and then with a program, by a link
// that her browser made.
func TestServe_authOIDC(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	issuer.SignIn(map[string]any{"sub": "7", "nick": "alice"})
	w := &town{T: t, data: t.TempDir(), secrets: map[string]string{}}
	w.Process = sim.Surroundings{Env: []string{"CONFAB_OIDC_CLIENT_SECRET=" + testissuer.ClientSecret}}.Serve(t,
		"--addr", "127.0.0.1:0", "--memory", "--data", w.data, "--auth", "oidc", "--oidc-issuer", issuer.URL,
		"--oidc-client-id", testissuer.ClientID, "--oidc-handle-claim", "nick", "--oidc-owner", "7")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	house := "http://" + w.Addr
	for _, path := range []string{"/auth/oidc/start", "/auth/me"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, house+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, response.Status, err)
		}
		if path == "/auth/me" && !strings.Contains(string(text), `"handle":"alice","owner":true`) {
			t.Errorf("signed in as %s", text)
		}
	}
	if out, err := confab(t, "link", "--data", w.data); err == nil || !strings.Contains(out+err.Error(), "sign in at the issuer") {
		t.Errorf("an invitation: %v %s", err, out)
	}
	session := w.join("", w.link("device", w.operate("link", "alice")))
	w.refused(http.StatusUnauthorized, "?name=alice", nil)
	w.refused(http.StatusForbidden, "?name=bob", bySession(session))
	conn, status := w.dial("?name=ALICE", byTicket(w.ticket("ticket", session)))
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", status)
	}
	defer func() { _ = conn.Close(websocket.StatusNormalClosure, "") }()
	ask(t, conn, `{"action":"hello","id":"h"}`, `"user":"alice"`)
	if out := w.operate("status"); !strings.Contains(out, "--auth oidc") {
		t.Errorf("status: %s", out)
	}
}
