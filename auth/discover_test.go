package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testissuer"
)

func TestDiscover(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	got, err := auth.Discover(t.Context(), issuer.URL, nil)
	want := auth.Endpoints{
		Authorize: issuer.URL + "/authorize", Token: issuer.URL + "/token",
		Leave: issuer.URL + "/leave?from=discovery", Revoke: issuer.URL + "/revoke",
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	issuer.Down(true)
	if _, err := auth.Discover(t.Context(), issuer.URL, nil); !chat.Is(err, chat.Unavailable) {
		t.Errorf("an issuer that is down: %v", err)
	}
	for _, address := range []string{"http://accounts.example", "accounts.example", "", "https://a:b@accounts.example"} {
		if _, err := auth.Discover(t.Context(), address, nil); err == nil || chat.Is(err, chat.Unavailable) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestDiscover_endpoints has issuers that say other things of themselves.
func TestDiscover_endpoints(t *testing.T) {
	for name, c := range map[string]struct {
		said map[string]string
		want auth.Endpoints
	}{
		"another host, and nothing more": {
			map[string]string{"authorization_endpoint": "https://x.example/a", "token_endpoint": "https://x.example/t"},
			auth.Endpoints{Authorize: "https://x.example/a", Token: "https://x.example/t"},
		},
		"an optional one in the open": {
			map[string]string{
				"authorization_endpoint": "https://x.example/a", "token_endpoint": "https://x.example/t",
				"end_session_endpoint": "http://x.example/out", "revocation_endpoint": "javascript:alert(1)",
			},
			auth.Endpoints{Authorize: "https://x.example/a", Token: "https://x.example/t"},
		},
		"tokens in the open": {said: map[string]string{
			"authorization_endpoint": "https://x.example/a", "token_endpoint": "http://x.example/t",
		}},
		"no tokens":        {said: map[string]string{"authorization_endpoint": "https://x.example/a"}},
		"another's issuer": {said: map[string]string{"issuer": "https://x.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				said := map[string]string{"issuer": server.URL, "jwks_uri": server.URL + "/keys"}
				for name, value := range c.said {
					said[name] = value
				}
				if err := json.NewEncoder(w).Encode(said); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			got, err := auth.Discover(t.Context(), server.URL, nil)
			if got != c.want || chat.Is(err, chat.Unavailable) != (c.want == auth.Endpoints{}) {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}
