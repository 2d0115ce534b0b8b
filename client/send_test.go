package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/confab-chat/confab/client"
)

// queue queues texts for the room tea.
func queue(t *testing.T, c *client.Client, texts ...string) (all []*client.Sending) {
	t.Helper()
	for _, text := range texts {
		s, err := c.Queue(t.Context(), client.Draft{Room: "tea", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// says takes the next actions, which must be these texts, and gives their ids.
func says(t *testing.T, p *peer, texts ...string) (ids []string) {
	t.Helper()
	for _, text := range texts {
		f := p.await("sendMessage")
		if f.fields["message"] != text {
			t.Fatalf("said %s, want %q", f.raw, text)
		}
		ids = append(ids, f.id())
	}
	return ids
}

// TestClient_pipeline expects at most two messages under way (welcome says so), in order, and the same
// ids again on the next connection.
func TestClient_pipeline(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		all := queue(t, c, "one", "two", "three", "four")
		first := says(t, p, "one", "two")
		p.silent()
		p.message(1, first[0], "alice", "one")
		third := says(t, p, "three")
		p.silent()
		p.cut() // "two" was stored, the answer is lost; "three" did not arrive
		p = <-s.peers
		p.welcome(2, "")
		again := says(t, p, "two", "three")
		if again[0] != first[1] || again[1] != third[0] {
			t.Errorf("ids %q, first %q and %q", again, first, third)
		}
		p.send(`{"event":"message","room":"tea","seq":2,"epoch":"e1","id":%q,"from":"alice","message":"two",`+
			`"at":"2026-11-21T12:00:00.000Z","duplicate":true}`, first[1])
		p.message(3, third[0], "alice", "three")
		fourth := says(t, p, "four")
		p.message(4, fourth[0], "alice", "four")
		for i, sending := range all {
			m, err := sending.Wait(t.Context())
			if err != nil || m.Seq != uint64(i+1) || m.ID != sending.ID() || m.Room != "tea" {
				t.Errorf("message %d: %+v, %v", i+1, m, err)
			}
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		s.end(c)
	})
}

func TestClient_refusals(t *testing.T) {
	const refusal = `{"event":"error","id":%q,"code":%q,"message":"m","retryAfterMs":%d,"requestId":"r"}`
	t.Run("for a moment", func(t *testing.T) {
		for code, wait := range map[string]int{"rate_limited": 250, "unavailable": 2000, "unknown_outcome": 700} {
			play(t, func(t *testing.T, s *stage) {
				c, p := s.client(0, "")
				all := queue(t, c, "one")
				first := p.next("sendMessage")
				p.send(refusal, first.id(), code, wait)
				synctest.Wait()
				queue(t, c, "two") // must not overtake
				again := p.next("sendMessage")
				if waited := again.at.Sub(first.at); waited != time.Duration(wait)*time.Millisecond || again.id() != first.id() {
					t.Errorf("%s: said %s after %v", code, again.raw, waited)
				}
				p.message(1, first.id(), "alice", "one")
				if _, err := all[0].Wait(t.Context()); err != nil {
					t.Errorf("%s: %v", code, err)
				}
				says(t, p, "two")
				s.end(c)
			})
		}
	})
	t.Run("one at a time for a while", func(t *testing.T) { // so that nothing is overtaken again
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			queue(t, c, "one", "two", "three", "four", "five")
			ids := says(t, p, "one", "two")
			p.send(refusal, ids[0], "rate_limited", 50)
			p.send(refusal, ids[1], "rate_limited", 50)
			time.Sleep(time.Second)
			for i, text := range []string{"one", "two", "three"} {
				id := says(t, p, text)[0]
				p.silent()
				p.message(i+1, id, "alice", text)
			}
			says(t, p, "four")
			p.silent()
			time.Sleep(10 * time.Second)
			says(t, p, "five")
			s.end(c)
		})
	})
	t.Run("for good", func(t *testing.T) {
		for code, want := range map[string]*client.Error{
			"not_found": client.ErrNotFound, "not_member": client.ErrNotMember, "forbidden": client.ErrForbidden,
			"id_reused": client.ErrIDReused, "too_large": client.ErrTooLarge, "internal": client.ErrInternal,
			"bad_field": client.ErrBadField, "invented_later": client.ErrInternal,
		} {
			play(t, func(t *testing.T, s *stage) {
				c, p := s.client(0, "")
				all := queue(t, c, "one")
				p.send(refusal, p.next("sendMessage").id(), code, 0)
				_, err := all[0].Wait(t.Context())
				if !errors.Is(err, want) || errors.Is(err, client.ErrTaken) || errors.Is(err, client.ErrPending) {
					t.Errorf("%s: %v", code, err)
				}
				p.silent()
				s.end(c)
			})
		}
	})
	t.Run("before it is sent", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			for _, d := range []client.Draft{
				{},
				{Text: "x", Room: "tea", To: "bob"},
				{Text: "\xff"},
				{Text: "x", Room: "\xff"},
				{Text: "x", ID: "~1"},
				{Text: "x", ID: strings.Repeat("x", 65)},
				{Text: "x", Room: strings.Repeat("x", 200_000)},
				{Text: "x", To: strings.Repeat("x", 200_000)},
			} {
				if _, err := c.Queue(t.Context(), d); !errors.Is(err, client.ErrBadField) {
					t.Errorf("%+v: %v", d, err)
				}
			}
			long := client.Draft{Text: strings.Repeat("x", 16385)}
			if _, err := c.Queue(t.Context(), long); !errors.Is(err, client.ErrTooLarge) {
				t.Errorf("16,385 bytes: %v", err)
			}
			long.Text = strings.Repeat(`"`, 16384) // in JSON it is more than a frame may be
			if _, err := c.Queue(t.Context(), long); err != nil {
				t.Error(err)
			}
			if f := p.next("sendMessage"); f.fields["message"] != long.Text || f.fields["room"] != "lobby" {
				t.Errorf("said %d bytes in %v", len(f.raw), f.fields["room"])
			}
			s.end(c)
		})
	})
}

// TestClient_pending gives up waiting, not sending.
func TestClient_pending(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err := c.Send(ctx, "tea", "one")
		if !errors.Is(err, client.ErrPending) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("gave up with %v", err)
		}
		p.message(1, p.next("sendMessage").id(), "alice", "one")
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		sending := queue(t, c, "two")[0]
		s.end(c)
		if _, err := sending.Wait(t.Context()); !errors.Is(err, client.ErrPending) || !errors.Is(err, client.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestClient_unanswered has a server that lives and does not answer a message: it is asked whether it
// lives after 5 s, and gets the message again after 15 s.
func TestClient_unanswered(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		p.pong(p.next("ping"), 0)
		queue(t, c, "one")
		first := p.next("sendMessage")
		ping := p.next("ping")
		if at := ping.at.Sub(first.at); at != 5*time.Second {
			t.Errorf("asked after %v", at)
		}
		p.pong(ping, 0)
		again := p.next("sendMessage")
		if at := again.at.Sub(first.at); at != 15*time.Second || again.id() != first.id() {
			t.Errorf("said %s after %v", again.raw, at)
		}
		s.end(c)
	})
}

// TestClient_stale is without a network for so long that the server may have forgotten the id of a
// message that it may have stored.
func TestClient_stale(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		all := queue(t, c, "one")
		says(t, p, "one")
		s.down(true)
		p.cut()
		synctest.Wait()
		all = append(all, queue(t, c, "two")...)
		time.Sleep(23*time.Hour + time.Minute)
		s.down(false)
		p = <-s.peers
		p.welcome(0, "")
		says(t, p, "two") // it was never sent before
		if _, err := all[0].Wait(t.Context()); !errors.Is(err, client.ErrStale) {
			t.Errorf("a message of yesterday: %v", err)
		}
		s.end(c)
	})
}

// TestClient_unsendable refuses what would end the connection, by its form or its length; what has
// 131,072 bytes exactly is sent (docs/protocol.md, "Limits").
func TestClient_unsendable(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		pay := func(bytes int) error {
			return c.SendPayload(t.Context(), "c2", "signing", []byte(`"`+strings.Repeat("x", bytes-2)+`"`))
		}
		done := make(chan error, 1)
		go func() { done <- pay(100) }()
		f := p.next("sendDirect")
		most := 131_072 - len(f.raw) + 100
		p.send(`{"event":"sent","id":%q}`, f.id())
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("x", 200_000)
		for _, refused := range []struct{ err, want error }{
			{c.SendPayload(t.Context(), "c2", "signing", []byte("{")), client.ErrBadField},
			{pay(most + 1), client.ErrTooLarge},
			{c.Join(t.Context(), long), client.ErrTooLarge},
			{c.Typing(long), client.ErrTooLarge},
		} {
			if !errors.Is(refused.err, refused.want) {
				t.Errorf("%v, want %v", refused.err, refused.want)
			}
		}
		p.silent()
		go func() { done <- pay(most) }()
		f = p.next("sendDirect")
		if len(f.raw) != 131_072 {
			t.Errorf("%d bytes", len(f.raw))
		}
		p.send(`{"event":"sent","id":%q}`, f.id())
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.end(c)
	})
}

// TestClient_requests repeats on the next connection what may be done twice, and nothing else.
func TestClient_requests(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		joined, paid := make(chan error, 1), make(chan error, 1)
		go func() { joined <- c.Join(t.Context(), "den") }()
		p.next("joinRoom")
		go func() { paid <- c.SendPayload(t.Context(), "c2", "signing", []byte(`{"n":1.50}`)) }()
		if f := p.next("sendDirect"); !strings.Contains(f.raw, `"message":{"n":1.50}`) {
			t.Errorf("said %s", f.raw)
		}
		p.cut()
		if err := <-paid; !errors.Is(err, client.ErrUnknownOutcome) {
			t.Errorf("a payload: %v", err)
		}
		if err := c.Typing("tea"); !errors.Is(err, client.ErrOffline) {
			t.Errorf("typing: %v", err)
		}
		p = <-s.peers
		p.welcome(0, "")
		p.send(`{"event":"error","id":%q,"code":"taken","message":"m","requestId":"r"}`, p.next("joinRoom").id())
		if err := <-joined; !errors.Is(err, client.ErrTaken) {
			t.Errorf("joined: %v", err)
		}
		p.silent()
		if err := c.Typing("tea"); err != nil {
			t.Error(err)
		}
		p.next("typing")
		s.end(c)
	})
}
