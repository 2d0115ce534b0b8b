package serve

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/store/memstore"
)

// newServer makes a server that ends with the test.
func newServer(t *testing.T, c Config) *Server {
	t.Helper()
	c.Log = memstore.NewLog(memstore.Options{})
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(s *Server, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:8080"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestServer_page(t *testing.T) {
	public, err := ParsePublicURL("https://chat.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sessions   auth.Sessions
		says       []string
		saysNot    []string
		joinStatus int
	}{
		"open": {
			nil,
			[]string{"wss://chat.example/production?name=alice", "Names are not verified"},
			[]string{"confab link"},
			403,
		},
		"link": {
			memstore.NewSessions(),
			[]string{"wss://chat.example/production", "confab link"},
			[]string{"?name=", "Names are not verified"},
			200,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, Config{Sessions: c.sessions, PublicURL: public})
			home := get(s, http.MethodGet, "/")
			for _, text := range c.says {
				if !strings.Contains(home.Body.String(), text) {
					t.Errorf("the page does not say %q", text)
				}
			}
			for _, text := range c.saysNot {
				if strings.Contains(home.Body.String(), text) {
					t.Errorf("the page says %q", text)
				}
			}
			for _, path := range []string{"/join", "/join.js"} {
				if w := get(s, http.MethodGet, path); w.Code != c.joinStatus {
					t.Errorf("%s: status %d, want %d", path, w.Code, c.joinStatus)
				}
			}
			for _, path := range []string{"/", "/style.css"} {
				w := get(s, http.MethodGet, path)
				policy := w.Header().Get("Content-Security-Policy")
				if w.Code != http.StatusOK || !strings.Contains(policy, "default-src 'none'") ||
					strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: status %d, headers %v", path, w.Code, w.Header())
				}
			}
			if w := get(s, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("POST of the page: status %d", w.Code)
			}
		})
	}
}

// TestPages_nothingInline keeps the pages within their own policy.
func TestPages_nothingInline(t *testing.T) {
	for path, p := range pages {
		text, err := pageFiles.ReadFile(p.file)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, bad := range []string{"<style", "style=", "onclick", "onload", "javascript:", "innerHTML", "http://", "https://"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s holds %q", p.file, bad)
			}
		}
	}
}
