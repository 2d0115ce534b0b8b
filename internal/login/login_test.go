package login

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/store/memstore"
)

func TestParseLink(t *testing.T) {
	const secret = "abcdefghijklmnopqrstuvwxyz"
	for link, origin := range map[string]string{
		"https://chat.example/join#" + secret:            "https://chat.example",
		" http://127.0.0.1:8080/join#" + secret + "\n":   "http://127.0.0.1:8080",
		"https://CHAT.example:443/join#" + secret:        "https://chat.example",
		"https://[2001:db8::1]:8443/join#" + secret + "": "https://[2001:db8::1]:8443",
	} {
		s, got, err := ParseLink(link)
		if err != nil || s.Origin != origin || got != secret {
			t.Errorf("%q: got %+v, %q, %v", link, s, got, err)
		}
	}
	for _, link := range []string{
		"", secret, "https://chat.example/join", "https://chat.example/#" + secret, "/join#" + secret,
		"ftp://chat.example/join#" + secret, "https://a:b@/join#" + secret, "https://chat example/join#" + secret,
	} {
		_, _, err := ParseLink(link)
		if err == nil || !strings.Contains(err.Error(), "this is no link") || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: got %v", link, err)
		}
	}
}

func TestServer_Plain(t *testing.T) {
	for origin, want := range map[string]bool{
		"http://127.0.0.1:8080": false, "http://localhost": false, "https://chat.example": false,
		"http://192.0.2.7:8080": true, "http://chat.example": true,
	} {
		s, err := NewServer(origin)
		if err != nil || s.Plain() != want {
			t.Errorf("%s: %v, want %v", origin, err, want)
		}
	}
}

func TestServer_SignIn(t *testing.T) {
	chat, err := serve.New(serve.Config{
		Log: memstore.NewLog(memstore.Options{}), Sessions: memstore.NewSessions(), Drain: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	house := httptest.NewServer(chat)
	defer house.Close()
	ctx := t.Context()
	secret, _, err := chat.Desk().MakeOwnerLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, secret, err := ParseLink(house.URL + "/join#" + secret)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.Look(ctx, secret); err != nil || found.Kind != "owner" {
		t.Errorf("found %+v, %v", found, err)
	}
	p, err := s.SignIn(ctx, secret, "alice")
	if err != nil || p.Handle != "alice" || !p.Owner {
		t.Fatalf("signed in as %+v, %v", p, err)
	}
	if lives, err := s.Lives(ctx, p.Session); err != nil || !lives {
		t.Errorf("the session lives: %v, %v", lives, err)
	}
	ticket, err := s.Ticket(ctx, p.Session)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err := chat.Desk().UseTicket(ctx, ticket); err != nil || signed.Account.Handle != "alice" {
		t.Errorf("the ticket is for %v, %v", signed.Account, err)
	}
	for range 2 { // what has ended already has ended
		if err := s.SignOut(ctx, p.Session); err != nil {
			t.Error(err)
		}
	}
	if lives, err := s.Lives(ctx, p.Session); err != nil || lives {
		t.Errorf("the session that has ended lives: %v, %v", lives, err)
	}
	if _, err := s.Ticket(ctx, p.Session); err == nil || !strings.Contains(err.Error(), "is over") {
		t.Errorf("a ticket of a session that has ended: %v", err)
	}
	house.Close()
	if lives, err := s.Lives(ctx, p.Session); err == nil {
		t.Errorf("no server: lives %v", lives)
	}
}

// TestServer_redirect has a server send a client elsewhere: what it posts must not go there.
// TestServer_hostile shows nothing of what a server says that a terminal would obey.
func TestServer_hostile(t *testing.T) {
	const escape = `\u001b]0;owned\u0007\u001b[2J`
	house := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth/look" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error":"gone` + escape + `"}`))
			return
		}
		_, _ = w.Write([]byte(`{"handle":"` + escape + `","session":"x"}`))
	}))
	defer house.Close()
	s, err := NewServer(house.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, look := s.Look(t.Context(), "x")
	_, in := s.SignIn(t.Context(), "x", "alice")
	for what, err := range map[string]error{"look": look, "sign in": in} {
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07") {
			t.Errorf("%s: %q", what, err)
		}
	}
}

func TestServer_redirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the link went elsewhere")
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	s, err := NewServer(here.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignIn(t.Context(), "secret", "alice"); err == nil {
		t.Error("signed in")
	}
}

func TestFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "settings", "confab")
	f := File(filepath.Join(folder, "sessions.json"))
	if got, err := f.Sessions(); err != nil || len(got) != 0 {
		t.Errorf("without a file: %v, %v", got, err)
	}
	since := time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC)
	alice := client.Session{Handle: "alice", Device: "0123456789ab", Session: "secret", Since: since}
	for _, origin := range []string{"https://b.example", "https://a.example"} {
		if err := f.Put(origin, alice); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.Sessions()
	if err != nil || len(got) != 2 || got["https://a.example"] != alice {
		t.Errorf("got %v, %v", got, err)
	}
	if o := Origins(got); len(o) != 2 || o[0] != "https://a.example" {
		t.Errorf("origins %v", o)
	}
	for name, want := range map[string]os.FileMode{folder: 0o700, string(f): 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
	if err := f.Drop("https://b.example"); err != nil {
		t.Fatal(err)
	}
	// The form that docs/operations.md describes.
	const want = `{
  "version": 1,
  "sessions": {
    "https://a.example": {
      "handle": "alice",
      "device": "0123456789ab",
      "session": "secret",
      "since": "2026-11-21T16:00:00Z"
    }
  }
}
`
	if text, err := os.ReadFile(string(f)); err != nil || string(text) != want {
		t.Errorf("the file is %s, %v", text, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("it left %v, %v", files, err)
	}
}

func TestFile_damaged(t *testing.T) {
	f := File(filepath.Join(t.TempDir(), "sessions.json"))
	for text, want := range map[string]string{
		`{"version":1,"sess`:          "is damaged",
		`{"version":2,"sessions":{}}`: "version 2",
		`{}`:                          "version 0",
	} {
		if err := os.WriteFile(string(f), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Put("https://a.example", client.Session{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if now, err := os.ReadFile(string(f)); err != nil || string(now) != text {
			t.Errorf("%s was overwritten with %s, %v", text, now, err)
		}
	}
}
