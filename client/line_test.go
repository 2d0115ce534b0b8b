package client_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/client"
)

// TestClient_heartbeat expects a first one soon, then one each 10 s (welcome says so), and the end of
// a connection that does not answer for 15 s.
func TestClient_heartbeat(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		begin := time.Now()
		c, p := s.client(0, "")
		first := p.next("ping")
		if at := first.at.Sub(begin); at != 3*time.Second {
			t.Errorf("the first heartbeat after %v", at)
		}
		p.pong(first, 0)
		second := p.next("ping")
		if at := second.at.Sub(first.at); at != 10*time.Second {
			t.Errorf("the next heartbeat after %v", at)
		}
		d, ok := s.event(c).(client.Disconnected)
		if !ok || !errors.Is(d.Err, client.ErrSilent) {
			t.Errorf("told %#v", d)
		}
		if at := time.Since(second.at); at != 15*time.Second {
			t.Errorf("given up after %v", at)
		}
		p = <-s.peers
		p.welcome(0, "")
		s.expect(c, client.Connected{User: "alice", ConnectionID: "c1"})
		s.end(c)
	})
}

// TestClient_backoff has no network: full jitter, 1 s doubling to 30 s (docs/protocol.md).
func TestClient_backoff(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.down(true)
		c, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http), client.Lazy())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		var longest time.Duration
		different := map[time.Duration]bool{}
		dials := s.dials()
		for i := 1; i < len(dials); i++ {
			limit := min(time.Second<<min(i-1, 10), 30*time.Second)
			waited := dials[i].Sub(dials[i-1])
			if waited > limit {
				t.Errorf("attempt %d after %v, at most %v", i, waited, limit)
			}
			longest = max(longest, waited)
			different[waited] = true
		}
		// 20 minutes are 80 waits of 15 s on average.
		if n := len(dials); n < 50 || n > 160 || longest < 20*time.Second || len(different) < n/2 {
			t.Errorf("%d attempts, %d different waits, the longest %v", n, len(different), longest)
		}
		if d, ok := s.event(c).(client.Disconnected); !ok || d.Err == nil {
			t.Errorf("told %#v", d)
		}
		s.nothing(c) // it is told once
		s.down(false)
		p := <-s.peers
		p.welcome(0, "")
		s.expect(c, client.Connected{User: "alice", ConnectionID: "c1"})
		s.end(c)
	})
}

// TestClient_rotation expects another connection before the first one ends.
func TestClient_rotation(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		begin := time.Now()
		c, p := s.client(0, `"maxConnectionSeconds":7200,`)
		p.texts(1)
		s.shows(c, 1)
		go func() {
			for f := range p.frames {
				p.pong(f, 1)
			}
		}()
		next := <-s.peers
		if at := time.Since(begin); at < 5400*time.Second || at > 6624*time.Second {
			t.Errorf("after %v, want 75 to 92 %% of 2 h", at)
		}
		synctest.Wait()
		p.texts(2) // the first one still carries messages
		resumes(t, next.welcome(2, `"maxConnectionSeconds":7200,`), "e1", 1)
		next.texts(2)
		next.send(`{"event":"resumed","id":"h","room":"tea","seq":2,"more":false}`)
		next.texts(3)
		p.texts(3)
		s.shows(c, 2, 3)
		if c.State() != client.Online {
			t.Errorf("state %v", c.State())
		}
		sent := make(chan error)
		go func() {
			_, err := c.Send(t.Context(), "tea", "hello")
			sent <- err
		}()
		next.message(4, next.next("sendMessage").id(), "alice", "hello")
		if err := <-sent; err != nil {
			t.Error(err)
		}
		taken := time.Now()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if p.code != websocket.StatusNormalClosure {
			t.Errorf("%v after another connection has taken over the first one has code %v", time.Since(taken), p.code)
		}
		s.event(c) // hello
		s.nothing(c)
		s.end(c)
	})
}

// TestClient_rotation_spread expects that clients which came together do not go together.
func TestClient_rotation_spread(t *testing.T) {
	first, last := 7200*time.Second, time.Duration(0)
	for range 60 {
		play(t, func(t *testing.T, s *stage) {
			begin := time.Now()
			c, p := s.client(0, `"maxConnectionSeconds":7200,`)
			go func() {
				for f := range p.frames {
					p.pong(f, 0)
				}
			}()
			next := <-s.peers
			first, last = min(first, time.Since(begin)), max(last, time.Since(begin))
			next.welcome(0, "")
			s.end(c)
		})
	}
	// 75 to 92 % of 2 h; that 60 draws all miss a third of it is one run in 10^10.
	if first < 5400*time.Second || first > 5808*time.Second || last > 6624*time.Second || last < 6216*time.Second {
		t.Errorf("between %v and %v", first, last)
	}
}

// TestClient_reconnect has a server that says when it wants to be left.
func TestClient_reconnect(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		begin := time.Now()
		p.send(`{"event":"reconnect","afterMs":2500}`)
		next := <-s.peers
		if at := time.Since(begin); at != 2500*time.Millisecond {
			t.Errorf("connected after %v", at)
		}
		next.welcome(0, "")
		s.nothing(c)
		s.end(c)
	})
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		p.send(`{"event":"reconnect","afterMs":2500}`)
		synctest.Wait()
		s.down(true)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if p.code != websocket.StatusNormalClosure {
			t.Errorf("a server that stops is not left: %v", p.code)
		}
		s.down(false)
		(<-s.peers).welcome(0, "")
		if d, ok := s.event(c).(client.Disconnected); !ok {
			t.Errorf("told %#v", d)
		}
		s.end(c)
	})
}

func TestDial_refused(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		for status, want := range map[int]bool{401: true, 400: false, 403: false, 503: false, 429: false} {
			s.refuses(func() int { return status })
			c, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http))
			var refused *client.HandshakeError
			if c != nil || !errors.As(err, &refused) || refused.Status != status || refused.Message != "a sentence" {
				t.Errorf("%d: %v", status, err)
			}
			if got := errors.Is(err, client.ErrUnauthenticated); got != want {
				t.Errorf("%d: not signed in: %v", status, got)
			}
		}
		s.down(true)
		if _, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http)); err == nil {
			t.Error("dialed without a network")
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		s.down(false)
		s.refuses(func() int {
			time.Sleep(10 * time.Second)
			return http.StatusTeapot
		})
		begin := time.Now()
		_, err := client.Dial(ctx, "ws://chat.example/production", client.HTTPClient(s.http))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		time.Sleep(10 * time.Second)
		for _, bad := range []string{"", "chat.example", "ftp://chat.example/x", "ws:///x", "ws://a:b@chat.example", "ws://%zz"} {
			if _, err := client.Dial(ctx, bad); err == nil {
				t.Errorf("dialed %q", bad)
			}
		}
	})
}

// TestClient_signedOut ends by itself when the server wants another sign-in, and tries again after
// every other refusal.
func TestClient_signedOut(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		tries := 0
		s.refuses(func() int {
			tries++
			return map[int]int{1: 503, 2: 429, 3: 409}[tries]
		})
		p.cut()
		p = <-s.peers
		p.welcome(0, "")
		if tries != 4 {
			t.Errorf("%d attempts", tries)
		}
		s.refuses(func() int { return http.StatusUnauthorized })
		p.cut()
		var last error
		for _, err := range c.Events(t.Context()) {
			last = err
		}
		if !errors.Is(last, client.ErrUnauthenticated) || !errors.Is(c.Err(), client.ErrUnauthenticated) {
			t.Errorf("ended with %v and %v", last, c.Err())
		}
		if c.State() != client.Closed {
			t.Errorf("state %v", c.State())
		}
		if _, err := c.Send(t.Context(), "tea", "too late"); !errors.Is(err, client.ErrUnauthenticated) {
			t.Errorf("sent: %v", err)
		}
		s.end(c)
	})
}

// TestClient_faults ends after close codes that say so (docs/protocol.md, "Close codes").
func TestClient_faults(t *testing.T) {
	for code, over := range map[websocket.StatusCode]bool{
		1000: false, 1001: false, 1002: true, 1003: true, 1007: true, 1008: false, 1009: true,
		1011: false, 1012: false, 1013: false,
	} {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			go func() { _ = p.conn.Close(code, "") }()
			if over {
				for _, err := range c.Events(t.Context()) {
					if err != nil && websocket.CloseStatus(err) != code {
						t.Errorf("%d: %v", code, err)
					}
				}
			} else {
				(<-s.peers).welcome(0, "")
			}
			s.end(c)
		})
	}
}

func TestClient_signIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.json")
	// The form that docs/operations.md describes.
	const text = `{"version":1,"sessions":{"http://chat.example":{"handle":"alice","device":"3f2a9c81d0e4",` +
		`"session":"kept","since":"2026-11-21T16:00:00Z"}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tickets := 0
	for name, sign := range map[string]struct {
		option        client.Option
		header, value string
	}{
		"name":   {client.Name("alice"), "Authorization", ""},
		"bearer": {client.Bearer("secret"), "Authorization", "Bearer secret"},
		"file":   {client.SignedIn(file), "Authorization", "Bearer kept"},
		"ticket": {client.Ticket(func(context.Context) (string, error) {
			tickets++
			return []string{"", "first", "second"}[tickets], nil
		}), "Sec-Websocket-Protocol", "confab,first"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *stage) {
				c, err := client.Dial(t.Context(), "http://CHAT.example:80/production/?x=1",
					sign.option, client.HTTPClient(s.http), client.Lazy())
				if err != nil {
					t.Fatal(err)
				}
				p := <-s.peers
				if got := p.header.Get(sign.header); got != sign.value {
					t.Errorf("%s: %q, want %q", sign.header, got, sign.value)
				}
				if q := p.query; q.Get("dialect") != "native" || q.Get("x") != "1" || (q.Get("name") == "alice") != (name == "name") {
					t.Errorf("query %v", q)
				}
				p.welcome(0, "")
				s.event(c)
				p.cut()
				p = <-s.peers
				if name == "ticket" && p.header.Get(sign.header) != "confab,second" {
					t.Errorf("the next ticket: %q", p.header.Get(sign.header))
				}
				p.welcome(0, "")
				s.end(c)
			})
		})
	}
	if _, err := client.Dial(t.Context(), "ws://other.example/production", client.SignedIn(file)); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("without a session: %v", err)
	}
}

// TestClient_protocol meets a server whose protocol has another number, which means that it breaks
// what this client knows.
func TestClient_protocol(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		go func() {
			p := <-s.peers
			p.send(`{"event":"welcome","id":%q,"protocol":2,"user":"alice","rooms":[]}`, p.next("hello").id())
		}()
		_, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http))
		if !errors.Is(err, client.ErrProtocol) {
			t.Errorf("dialed: %v", err)
		}
	})
}

// TestClient_guest stays who it is, since messages that are repeated have to be from the same user.
func TestClient_guest(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http), client.Lazy())
		if err != nil {
			t.Fatal(err)
		}
		p := <-s.peers
		if p.query.Has("name") {
			t.Errorf("query %v", p.query)
		}
		p.welcome(0, "")
		s.event(c)
		p.cut()
		p = <-s.peers
		if p.query.Get("name") != "alice" {
			t.Errorf("query %v", p.query)
		}
		p.welcome(0, "")
		s.end(c)
	})
}

func TestClient_Close(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		s.end(c)
		synctest.Wait()
		if p.code != websocket.StatusNormalClosure {
			t.Errorf("closed with %v", p.code)
		}
		for event, err := range c.Events(t.Context()) {
			if !errors.Is(err, client.ErrClosed) {
				t.Errorf("after Close: %v, %v", event, err)
			}
		}
		if err := c.Join(t.Context(), "tea"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("joined: %v", err)
		}
		s.end(c)
	})
}
