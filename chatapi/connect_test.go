package chatapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
)

func TestHandler_Handle_connect(t *testing.T) {
	sub(t, "ok", func(w *world) {
		r := w.handle(w.connectEvent("c1", map[string]string{"name": "Alice"}))
		equal[any](w, "answer", []any{r.StatusCode, r.Body}, []any{200, ""})
		row, err := w.conns.Get(w.ctx, "c1")
		w.ok(err)
		row.ConnectedAt = row.ConnectedAt.UTC()
		equal(w, "row", row, chat.Connection{
			ID: "c1", User: "Alice", Dialect: "native", Endpoint: "wss://chat.example",
			ConnectedAt: w.clock.Now(), NamedAt: w.clock.Now(), Until: row.Until,
		})
		equal(w, "until", row.Until.UTC(), w.clock.Now().Add(2*time.Hour))
		equal(w, "posted", len(w.poster.got), 0) // AWS answers 410 to a post within $connect
	}, with(func(c *chatapi.Config) { c.Endpoint, c.MaxConnection = "wss://chat.example", 2*time.Hour }))
	sub(t, "guest", func(w *world) {
		equal(w, "status", w.handle(w.connectEvent("c1", nil)).StatusCode, 200)
		row, err := w.conns.Get(w.ctx, "c1")
		w.ok(err)
		if !strings.HasPrefix(row.User, "guest-") || !row.Until.IsZero() || !row.NamedAt.IsZero() {
			w.Errorf("%+v", row)
		}
	})
	for name, query := range map[string]map[string]string{
		"no name": {"name": ""}, "bad name": {"name": "<b>"}, "path": {"name": "../etc"},
		"mixed scripts": {"name": "\u0430dmin"}, "unknown dialect": {"name": "alice", "dialect": "klingon"},
		"dialect in other case": {"name": "alice", "dialect": "Native"},
	} {
		sub(t, name, func(w *world) {
			r := w.handle(w.connectEvent("c1", query))
			equal(w, "status", r.StatusCode, 400)
			if len(r.Body) < 20 || !strings.HasSuffix(r.Body, "\n") {
				w.Errorf("no sentence: %q", r.Body)
			}
			_, err := w.conns.Get(w.ctx, "c1")
			equal(w, "row", chat.KindOf(err), chat.NotFound)
		})
	}
	sub(t, "the dialect that is named", func(w *world) {
		query := map[string]string{"name": "alice", "dialect": "native"}
		equal(w, "status", w.handle(w.connectEvent("c1", query)).StatusCode, 200)
	})
	sub(t, "21 devices", func(w *world) {
		for i := range 20 {
			w.connect(fmt.Sprint("alice", i))
		}
		r := w.handle(w.connectEvent("alice20", map[string]string{"name": "alice"}))
		equal(w, "status", r.StatusCode, 429)
	})
	sub(t, "after its disconnect", func(w *world) {
		w.disconnect("c1")
		r := w.handle(w.connectEvent("c1", map[string]string{"name": "alice"}))
		equal(w, "status", r.StatusCode, 409)
	})
	sub(t, "twice", func(w *world) { w.connect("alice1", "alice1") })
}

func TestHandler_Handle_connect_store(t *testing.T) {
	for kind, want := range map[chat.Kind]int{
		chat.Unavailable: 503, chat.Unknown: 503, chat.Internal: 500, chat.Corrupt: 500, chat.Limited: 429,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t)
			cause := &chat.Error{Kind: kind, Op: "put user", Err: errors.New("secret table name")}
			w.use(failingLog{w.log, cause})
			r := w.handle(w.connectEvent("c1", map[string]string{"name": "alice"}))
			equal(w, "status", r.StatusCode, want)
			if strings.Contains(r.Body, "secret") || r.Body == "\n" {
				t.Errorf("body %q", r.Body)
			}
			if want == 500 && !strings.Contains(w.logged.String(), "secret table name") {
				t.Errorf("the log has %q", w.logged.String())
			}
		})
	}
}

// S1. Who sends no Origin is a program; a page must be this host's or be allowed.
func TestHandler_Handle_connect_origin(t *testing.T) {
	const missing = "(missing)"
	for _, c := range []struct {
		origin, host, proto string
		allowed             bool
	}{
		{missing, "chat.example", "https", true},
		{"https://chat.example", "chat.example", "https", true},
		{"https://chat.example", "chat.example:443", "https", true},
		{"https://chat.example:443", "chat.example", "https", true},
		{"https://CHAT.example", "chat.example", "https", true}, // host names have no case
		{"http://localhost:8080", "localhost:8080", "http", true},
		{"http://localhost", "localhost:80", "http", true},
		{"http://127.0.0.1:8080", "127.0.0.1:8080", "http", true},
		{"http://[::1]:8080", "[::1]:8080", "http", true},
		{"http://[::1]", "[::1]", "http", true},
		{"https://xn--bcher-kva.example", "xn--bcher-kva.example", "https", true},
		{"https://other.example", "chat.example", "https", true}, // in AllowedOrigins
		{"https://chat.example", "chat.example", "", true},       // a host that does not say how

		{"", "chat.example", "https", false},
		{"null", "chat.example", "https", false},
		{"*", "chat.example", "https", false},
		{"chat.example", "chat.example", "https", false},
		{"//chat.example", "chat.example", "https", false},
		{"https://", "", "https", false},
		{"https://evil.example", "chat.example", "https", false},
		{"https://chat.example.evil.example", "chat.example", "https", false},
		{"https://evilchat.example", "chat.example", "https", false},
		{"https://sub.chat.example", "chat.example", "https", false},
		{"https://example", "chat.example", "https", false},
		{"https://chat.exampl", "chat.example", "https", false},
		{"https://chat.example.", "chat.example", "https", false},
		{"https://chat.example:8443", "chat.example", "https", false},
		{"https://chat.example", "chat.example:8443", "https", false},
		{"https://chat.example:80", "chat.example", "https", false},
		{"http://chat.example", "chat.example", "https", false},
		{"http://chat.example:443", "chat.example", "https", false},
		{"https://chat.example", "chat.example", "http", false},
		{"ws://chat.example", "chat.example", "http", false},
		{"ftp://chat.example", "chat.example", "https", false},
		{"file://", "chat.example", "https", false},
		{"chrome-extension://chat.example", "chat.example", "https", false},
		{"HTTPS://chat.example", "chat.example", "https", false}, // no browser sends that
		{"https://chat.example/", "chat.example", "https", false},
		{"https://chat.example/path", "chat.example", "https", false},
		{"https://chat.example?q", "chat.example", "https", false},
		{"https://chat.example#f", "chat.example", "https", false},
		{"https://user@chat.example", "chat.example", "https", false},
		{"https://chat.example@evil.example", "chat.example", "https", false},
		{"https://evil.example@chat.example", "chat.example", "https", false},
		{`https://chat.example\@evil.example`, "chat.example", "https", false},
		{"https://chat.example evil.example", "chat.example", "https", false},
		{"https://chat.example, https://evil.example", "chat.example", "https", false},
		{"https://bücher.example", "xn--bcher-kva.example", "https", false}, // browsers send the other form
		{"https://ch\u0430t.example", "chat.example", "https", false},
		{"https://chat%2eexample", "chat.example", "https", false},
		{"https://chat.example\x00", "chat.example", "https", false},
		{"https://OTHER.example", "chat.example", "https", false}, // AllowedOrigins is word for word
		{"https://other.example:443", "chat.example", "https", false},
		{"https://other.example.evil.example", "chat.example", "https", false},
		{"http://other.example", "chat.example", "https", false},
	} {
		for _, name := range []string{"Origin", "origin", "ORIGIN"} {
			t.Run(fmt.Sprintf("%s at %s", c.origin, c.host), func(t *testing.T) {
				w := newWorld(t, with(func(c *chatapi.Config) { c.AllowedOrigins = []string{"https://other.example"} }))
				e := w.connectEvent("c1", map[string]string{"name": "alice"})
				e.Headers = map[string]string{"host": c.host}
				if c.proto != "" {
					e.Headers["X-Forwarded-Proto"] = c.proto
				}
				if c.origin != missing {
					e.Headers[name] = c.origin
				}
				r := w.handle(e)
				_, err := w.conns.Get(w.ctx, "c1")
				if (r.StatusCode == http.StatusOK) != c.allowed || (err == nil) != c.allowed {
					t.Errorf("status %d, row %v; allowed should be %v", r.StatusCode, err, c.allowed)
				}
				if !c.allowed {
					equal(w, "status", r.StatusCode, 403)
				}
			})
		}
	}
}

func TestHandler_Handle_disconnect(t *testing.T) {
	sub(t, "ends the row", func(w *world) {
		w.connect("alice1", "alice2")
		w.disconnect("alice1")
		w.disconnect("alice1")
		w.disconnect("unknown")
		_, err := w.conns.Get(w.ctx, "alice1")
		equal(w, "alice1", chat.KindOf(err), chat.NotFound)
		_, err = w.conns.Get(w.ctx, "alice2")
		w.ok(err)
	})
	sub(t, "what comes after it is refused", func(w *world) {
		w.connect("alice1")
		w.disconnect("alice1")
		got := w.act("alice1", `{"action":"sendMessage","id":"m1","message":"hi"}`)
		equal(w, "posted", got, []string{})
		equal(w, "closed with", w.poster.closed["alice1"].code, 1008)
		head, err := w.log.Heads(w.ctx, []string{"lobby"})
		w.ok(err)
		equal(w, "stored", head[0].Seq, 0)
	})
}
