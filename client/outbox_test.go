package client_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/confab-chat/confab/client"
)

// TestClient_Outbox ends a program before its messages are acknowledged.
func TestClient_Outbox(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		file := filepath.Join(t.TempDir(), "outbox")
		c, p := s.client(0, "", client.Outbox(file))
		queue(t, c, "one", "two", "three", "four")
		synctest.Wait()
		ids := says(t, p, "one", "two")
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), ids[0]) {
			t.Errorf("sent before it was kept: %s, %v", text, err)
		}
		p.message(1, ids[0], "alice", "one")
		synctest.Wait()
		s.end(c)

		c, p = s.client(1, "", client.Outbox(file)) // the next run
		if _, err := client.Dial(t.Context(), "ws://chat.example/production", client.Outbox(file)); !errors.Is(err, client.ErrOutboxInUse) {
			t.Errorf("a second process: %v", err)
		}
		again := says(t, p, "two", "three")
		if again[0] != ids[1] {
			t.Errorf("sent again as %s, first as %s", again[0], ids[1])
		}
		p.message(2, again[0], "alice", "two")
		if m, ok := s.event(c).(client.Message); !ok || m.ID != again[0] {
			t.Errorf("told %#v", m)
		}
		p.send(`{"event":"error","id":%q,"code":"not_member","message":"m","requestId":"r"}`, again[1])
		failed, ok := s.event(c).(client.SendFailed)
		if !ok || failed.Draft != (client.Draft{Room: "tea", ID: again[1], Text: "three"}) || !errors.Is(failed.Err, client.ErrNotMember) {
			t.Errorf("told %#v", failed)
		}
		p.message(3, says(t, p, "four")[0], "alice", "four")
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		s.end(c)

		c, p = s.client(3, "", client.Outbox(file))
		p.silent()
		s.end(c)
	})
}

// TestClient_Outbox_old is started again after the server may have forgotten ids.
func TestClient_Outbox_old(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		file := filepath.Join(t.TempDir(), "outbox")
		c, p := s.client(0, "", client.Outbox(file))
		queue(t, c, "one")
		says(t, p, "one")
		s.end(c)
		time.Sleep(23*time.Hour + time.Minute)
		c, p = s.client(0, "", client.Outbox(file))
		if failed, ok := s.event(c).(client.SendFailed); !ok || !errors.Is(failed.Err, client.ErrStale) {
			t.Errorf("told %#v", failed)
		}
		p.silent()
		s.end(c)
	})
}

// TestClient_Outbox_user is started again as somebody else.
func TestClient_Outbox_user(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		file := filepath.Join(t.TempDir(), "outbox")
		c, p := s.client(0, "", client.Outbox(file))
		queue(t, c, "one")
		says(t, p, "one")
		s.end(c)
		c, err := client.Dial(t.Context(), "ws://chat.example/production", client.Name("bob"), client.Outbox(file),
			client.HTTPClient(s.http), client.Lazy())
		if err != nil {
			t.Fatal(err)
		}
		p = <-s.peers
		p.send(`{"event":"welcome","id":%q,"protocol":1,"server":"0.1.0","user":"bob","connectionId":"c1",`+
			`"heartbeatSeconds":10,"pipeline":2,"rooms":[]}`, p.next("hello").id())
		for _, err := range c.Events(t.Context()) {
			if !errors.Is(err, client.ErrOtherUser) {
				t.Errorf("ended with %v", err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
