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
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
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

// TestServer_page checks that the page is served, and told how people come in and where to connect.
func TestServer_page(t *testing.T) {
	for name, sessions := range map[string]auth.Sessions{"open": nil, "link": memstore.NewSessions()} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, Config{Sessions: sessions, Version: "1.2.3", Stages: []string{"dev", "Prod"}})
			for _, path := range []string{"/", "/app.js", "/style.css"} {
				w := get(s, http.MethodGet, path)
				policy := w.Header().Get("Content-Security-Policy")
				if w.Code != http.StatusOK || !strings.Contains(policy, "default-src 'none'") {
					t.Errorf("%s: status %d, policy %q", path, w.Code, policy)
				}
			}
			join := map[string]int{"open": http.StatusForbidden, "link": http.StatusOK}[name]
			if w := get(s, http.MethodGet, "/join"); w.Code != join {
				t.Errorf("/join: status %d, want %d", w.Code, join)
			}
			told := get(s, http.MethodGet, "/confab.json").Body.String()
			want := `{"version":"1.2.3","socket":"./dev","auth":"` + name + `"}`
			if told != want {
				t.Errorf("the page is told %s, want %s", told, want)
			}
			if w := get(s, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("POST of the page: status %d", w.Code)
			}
			if w := get(s, http.MethodGet, "/nothing"); w.Code == http.StatusOK {
				t.Error("any path is answered with the page")
			}
		})
	}
}
