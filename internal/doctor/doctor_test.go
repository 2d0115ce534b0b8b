package doctor

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/store/memstore"
)

// startChat runs a server of the chat that knows itself by a public URL.
func startChat(t *testing.T, public string) *httptest.Server {
	t.Helper()
	return startConfig(t, serve.Config{}, public)
}

func startConfig(t *testing.T, c serve.Config, public string) *httptest.Server {
	t.Helper()
	c.Log = memstore.NewLog(memstore.Options{})
	if public != "" {
		u, err := serve.ParsePublicURL(public)
		if err != nil {
			t.Fatal(err)
		}
		c.PublicURL = u
	}
	chat, err := serve.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(chat)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := chat.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return server
}

func TestExamine(t *testing.T) {
	server := startChat(t, "")
	data := filepath.Join(t.TempDir(), "not", "yet", "made")
	var out bytes.Buffer
	healthy, err := Examine(t.Context(), Config{Data: data, URL: server.URL, Stage: "production"}, &out)
	if err != nil || !healthy {
		t.Errorf("healthy %v, %v\n%s", healthy, err, &out)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, check := range []string{"free space", "disk sync", "open files", "reached at"} {
		if i >= len(lines) || !strings.Contains(lines[i], check) {
			t.Errorf("line %d is not about %s:\n%s", i, check, &out)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(data))), ".confab*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	out.Reset()
	server.Close()
	healthy, err = Examine(t.Context(), Config{Data: data, URL: server.URL, Stage: "production"}, &out)
	if err != nil || healthy {
		t.Errorf("without a server: healthy %v, %v\n%s", healthy, err, &out)
	}
}

// TestReach meets what stands between an operator and the chat.
func TestReach(t *testing.T) {
	chat := startChat(t, "")
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	target, err := url.Parse(chat.URL)
	if err != nil {
		t.Fatal(err)
	}
	deaf := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a proxy without Upgrade
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", target.Host
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
	})
	for _, c := range []struct {
		name string
		h    http.Handler
		want string
	}{
		{"another name", answer(421, ""), "--public-url"},
		{"a foreign origin", answer(403, "the page's origin is not allowed"), "--public-url"},
		{"a proxy without Upgrade", deaf, "Upgrade"},
		{"a web site", answer(200, "welcome"), "hand on Upgrade"},
		{"a proxy without the server", answer(502, ""), "does not reach the server"},
		{"something else", answer(418, ""), "418"},
		{"a proxy that wants a password", answer(401, "who are you?"), "401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.h)
			defer server.Close()
			f := reach(t.Context(), Config{URL: server.URL, Stage: "production"})
			if f.Verdict != Fail || !strings.Contains(f.Text, c.want) {
				t.Errorf("got %v, want a failure with %q", f, c.want)
			}
		})
	}
	if f := reach(t.Context(), Config{URL: chat.URL, Stage: "production"}); f.Verdict != OK {
		t.Errorf("the chat itself: %v", f)
	}
	accounts := startConfig(t, serve.Config{Sessions: memstore.NewSessions()}, "")
	if f := reach(t.Context(), Config{URL: accounts.URL, Stage: "production"}); f.Verdict != OK {
		t.Errorf("a chat with accounts: %v", f)
	}
}

func TestFinding_judge(t *testing.T) {
	f := Finding{Verdict: OK}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ms := func(list ...time.Duration) []time.Duration {
		for i := range list {
			list[i] *= time.Millisecond
		}
		return list
	}
	for _, c := range []struct {
		name string
		got  Finding
		want Verdict
	}{
		{"a full disk", f.judgeSpace(10 << 20), Fail},
		{"an almost full disk", f.judgeSpace(500 << 20), Warn},
		{"an empty disk", f.judgeSpace(2 << 30), OK},
		{"slow syncs", f.judgeSync(ms(30, 1, 30, 30, 2)), Warn},
		{"one slow sync", f.judgeSync(ms(300, 1, 1)), OK},
		{"expires soon", f.judgeExpiry(now.Add(6*24*time.Hour), now), Warn},
		{"expires later", f.judgeExpiry(now.Add(8*24*time.Hour), now), OK},
	} {
		if c.got.Verdict != c.want {
			t.Errorf("%s: got %v, want %s", c.name, c.got, c.want)
		}
	}
}

func TestSyncing_noFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := syncing(t.Context(), Config{Data: filepath.Join(file, "data")}); f.Verdict != Fail {
		t.Errorf("got %v, want a failure", f)
	}
}
