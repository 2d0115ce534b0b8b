package chat_test

import (
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
)

// waits gives the texts that wait for a user, and moves the markers past them.
func (w *world) waits(user string, rooms ...string) []string {
	w.Helper()
	waiting, err := w.svc.Waiting(w.ctx, user, rooms)
	w.ok(err)
	texts := []string{}
	for _, m := range waiting.Messages {
		texts = append(texts, m.Text)
	}
	w.ok(w.svc.Delivered(w.ctx, waiting))
	return texts
}

func (w *world) direct(c chat.Connection, to, text string) chat.Message {
	w.Helper()
	w.clock.Advance(time.Second)
	m, err := w.svc.Send(w.ctx, c, chat.Send{To: to, ID: text, Text: text}, func(chat.Head, chat.Message) {})
	w.ok(err)
	return m
}

func TestService_Waiting(t *testing.T) {
	sub(t, "ok", func(w *world) {
		alice, bob, carol := w.open("alice"), w.open("bob"), w.open("carol")
		has := func(want bool) {
			w.Helper()
			got, err := w.svc.HasWaiting(w.ctx, "bob")
			w.ok(err)
			equal(w, "has", got, want)
		}
		has(false)
		w.join("tea", alice, bob)
		w.send(alice, "tea", "t1", "tea")
		w.send(alice, "lobby", "l1", "lobby")
		has(false)
		w.direct(carol, "bob", "c1")
		w.direct(alice, "bob", "a1")
		w.direct(bob, "alice", "mine")
		w.direct(carol, "bob", "c2")
		has(true)
		equal(w, "of alice", w.waits("bob", "@alice,bob"), []string{"a1"})
		equal(w, "of all", w.waits("bob"), []string{"c1", "c2"})
		equal(w, "once", w.waits("bob"), []string{})
		has(false)
		equal(w, "to alice", w.waits("alice"), []string{"mine"})
	})
	sub(t, "not without Delivered", func(w *world) {
		w.direct(w.open("alice"), w.open("bob").User, "a1")
		for range 2 {
			waiting, err := w.svc.Waiting(w.ctx, "bob", nil)
			w.ok(err)
			equal(w, "messages", len(waiting.Messages), 1)
		}
	})
	sub(t, "one's own are passed over", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.direct(bob, "alice", "mine")
		waiting, err := w.svc.Waiting(w.ctx, "bob", nil)
		w.ok(err)
		equal(w, "empty", waiting.Empty(), false)
		w.ok(w.svc.Delivered(w.ctx, waiting))
		waiting, err = w.svc.Waiting(w.ctx, "bob", nil)
		w.ok(err)
		equal(w, "empty then", waiting.Empty(), true)
		w.direct(alice, "bob", "a1")
		equal(w, "waits", w.waits("bob"), []string{"a1"})
	})
	sub(t, "deleted and notes to oneself", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		m := w.direct(alice, "bob", "gone")
		_, _, err := w.svc.Delete(w.ctx, alice, m.Room, m.Seq)
		w.ok(err)
		w.direct(bob, "bob", "note")
		equal(w, "waits", w.waits("bob"), []string{"note"})
	})
}

// A connection with a guest's name has none until it takes one, if it is the same.
func TestService_SetName_named(t *testing.T) {
	w := newWorld(t)
	guest := w.open("guest-1")
	if !guest.NamedAt.IsZero() {
		t.Errorf("named at %v", guest.NamedAt)
	}
	for _, name := range []string{"guest-1", "guest-1", "alice"} {
		w.clock.Advance(time.Second)
		named, err := w.svc.SetName(w.ctx, guest, name)
		w.ok(err)
		first := guest.ConnectedAt.Add(time.Second)
		equal(w, "named at", named.NamedAt, first)
		guest = named
	}
}
