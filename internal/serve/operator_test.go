package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/store/memstore"
)

func TestServer_Operator(t *testing.T) {
	ask := func(s *Server, path string, body, answer any) error {
		host := httptest.NewServer(s.Operator("https://chat.example"))
		defer host.Close()
		return signin.Ask(t.Context(), http.DefaultClient, host.URL+path, "", body, answer)
	}
	t.Run("status", func(t *testing.T) {
		for mode, c := range map[string]Config{"open": {}, "link": {Sessions: memstore.NewSessions()}} {
			var now Status
			c.Version = "0.0.0-test"
			err := ask(newServer(t, c), "/status", nil, &now)
			if err != nil || now.Auth != mode || now.Version != "0.0.0-test" {
				t.Errorf("mode %s: %+v, %v", mode, now, err)
			}
		}
	})
	t.Run("open mode has no accounts", func(t *testing.T) {
		err := ask(newServer(t, Config{}), "/auth/owner-link", struct{}{}, &signin.NewLink{})
		if err == nil || !strings.Contains(err.Error(), "--auth link") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("links lead to where people are", func(t *testing.T) {
		var made signin.NewLink
		err := ask(newServer(t, Config{Sessions: memstore.NewSessions()}), "/auth/owner-link", struct{}{}, &made)
		if err != nil || !strings.HasPrefix(made.Link, "https://chat.example/join#") {
			t.Errorf("got %v, %v", made, err)
		}
	})
	t.Run("kick", func(t *testing.T) {
		s := newServer(t, Config{Sessions: memstore.NewSessions()})
		if err := ask(s, "/kick", map[string]string{"user": "nobody"}, &Kicked{}); err == nil {
			t.Error("somebody without an account was kicked")
		}
		secret, _, err := s.Desk().MakeOwnerLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := s.Desk().SignIn(t.Context(), secret, "alice", "")
		if err != nil {
			t.Fatal(err)
		}
		var kicked Kicked
		if err := ask(s, "/kick", map[string]string{"user": "ALICE"}, &kicked); err != nil || kicked != (Kicked{"alice", 0, 1}) {
			t.Errorf("got %+v, %v", kicked, err)
		}
		if _, err := s.Desk().Authenticate(t.Context(), session); err == nil {
			t.Error("the session lives")
		}
	})
}
