package serve

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/confab-chat/confab/store/memstore"
)

// TestServer_proxy goes through who may say who somebody is.
func TestServer_proxy(t *testing.T) {
	networks, err := ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, Config{
		Sessions: memstore.NewSessions(), TrustedProxies: networks,
		Proxy: &Proxy{Header: "Remote-User", SecretHeader: "X-Proxy-Secret", Secret: "open sesame"},
	})
	const proxy, stranger, loopback = "10.0.0.1:99", "192.0.2.1:99", "127.0.0.1:99"
	secret := []string{"open sesame"}
	for _, c := range []struct {
		name, peer    string
		users, secret []string
		status        int
	}{
		{"the proxy", proxy, []string{"alice"}, secret, 200},
		{"a stranger", stranger, []string{"alice"}, secret, 401},
		{"loopback is not trusted by itself", loopback, []string{"alice"}, secret, 401},
		{"without the secret", proxy, []string{"alice"}, nil, 401},
		{"with another secret", proxy, []string{"alice"}, []string{"open sesam"}, 401},
		{"with two secrets", proxy, []string{"alice"}, []string{"open sesame", "open sesame"}, 401},
		{"two users", proxy, []string{"alice", "bob"}, secret, 401},
		{"nobody", proxy, nil, secret, 401},
		{"no handle", proxy, []string{"alice@chat.example"}, secret, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/auth/me", nil)
			r.Host, r.RemoteAddr = "127.0.0.1:8080", c.peer
			r.Header["Remote-User"], r.Header["X-Proxy-Secret"] = c.users, c.secret
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d %s, want %d", w.Code, w.Body, c.status)
			}
			var me struct{ Handle string }
			if c.status == http.StatusOK {
				if err := json.Unmarshal(w.Body.Bytes(), &me); err != nil || me.Handle != "alice" {
					t.Errorf("signed in as %q, %v", me.Handle, err)
				}
			}
			if told := s.forwarded(r); told.Header.Get("X-Proxy-Secret") != "" {
				t.Error("the secret is handed on")
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/auth/ticket", nil)
	r.Host, r.RemoteAddr = "127.0.0.1:8080", proxy
	r.Header["Remote-User"], r.Header["X-Proxy-Secret"] = []string{"alice"}, secret
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
		t.Errorf("a ticket without a session: status %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/join", "/join.js"} {
		if w := get(s, http.MethodGet, path); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d where no link is good", path, w.Code)
		}
	}
	for _, path := range []string{"/auth/look", "/auth/sign-in"} { // links are of another mode
		if w := get(s, http.MethodPost, path); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestNew_proxyNeeds(t *testing.T) {
	networks, err := ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no trusted proxies": {Sessions: memstore.NewSessions(), Proxy: &Proxy{Header: "Remote-User"}},
		"no secret": {
			Sessions: memstore.NewSessions(), TrustedProxies: networks,
			Proxy: &Proxy{Header: "Remote-User", SecretHeader: "X-Proxy-Secret"},
		},
		"no header":   {Sessions: memstore.NewSessions(), TrustedProxies: networks, Proxy: &Proxy{}},
		"no accounts": {TrustedProxies: networks, Proxy: &Proxy{Header: "Remote-User"}},
	} {
		c.Log = memstore.NewLog(memstore.Options{})
		if _, err := New(c); err == nil {
			t.Errorf("%s: a server was made", name)
		}
	}
}
