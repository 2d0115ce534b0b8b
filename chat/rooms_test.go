package chat_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/confab-chat/confab/chat"
)

func TestService_JoinRoom(t *testing.T) {
	sub(t, "makes a public room, shown as first written", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		head, err := w.svc.JoinRoom(w.ctx, alice, "Tea.Room", false)
		w.ok(err)
		equal(w, "room", head.Room, "tea.room")
		equal(w, "name", head.Name, "Tea.Room")
		equal(w, "kind", head.Kind, chat.PublicRoom)
		equal(w, "owner", head.Owner, "alice")
		equal(w, "number", head.Seq, 0)
		other, err := w.svc.JoinRoom(w.ctx, bob, "TEA.ROOM", false)
		w.ok(err)
		equal(w, "bob's head", other, head)
	})
	sub(t, "again is the same", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		w.fill(alice, "tea", 2)
		for range 2 {
			head, err := w.svc.JoinRoom(w.ctx, alice, "tea", false)
			w.ok(err)
			equal(w, "number", head.Seq, 2)
		}
	})
	sub(t, "subscribes every device", func(w *world) {
		alice, alice2, bob := w.open("alice"), w.open("alice"), w.open("bob")
		w.join("tea", alice)
		alice3 := w.open("alice")
		equal(w, "receivers", w.receivers("tea"), idsOf(alice, alice2, alice3))
		w.join("tea", bob)
		equal(w, "receivers", w.receivers("tea"), idsOf(alice, alice2, alice3, bob))
	})
	sub(t, "the lobby has everyone", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		head, err := w.svc.JoinRoom(w.ctx, alice, "Lobby", false)
		w.ok(err)
		equal(w, "kind", head.Kind, chat.LobbyRoom)
		equal(w, "receivers", w.receivers("lobby"), idsOf(alice, bob))
	})
	sub(t, "private", func(w *world) {
		alice, bob, carol := w.open("alice"), w.open("bob"), w.open("carol")
		w.private("den", alice, bob)
		for _, private := range []bool{false, true} {
			_, err := w.svc.JoinRoom(w.ctx, carol, "Den", private)
			wantKind(w.T, err, chat.Taken)
		}
		_, err := w.svc.JoinRoom(w.ctx, bob, "den", true) // another's room, also for the invited
		wantKind(w.T, err, chat.Taken)
		head, err := w.svc.JoinRoom(w.ctx, bob, "den", false)
		w.ok(err)
		equal(w, "kind", head.Kind, chat.PrivateRoom)
		equal(w, "receivers", w.receivers("den"), idsOf(alice, bob))
		_, err = w.svc.JoinRoom(w.ctx, alice, "den", true)
		w.ok(err)
	})
	sub(t, "private on a public room of others", func(w *world) {
		w.join("tea", w.open("alice"))
		_, err := w.svc.JoinRoom(w.ctx, w.open("bob"), "tea", true)
		wantKind(w.T, err, chat.Taken)
	})
	sub(t, "bad name", func(w *world) {
		for _, name := range []string{"a b", "../x", "t\u0435a", "@alice"} {
			_, err := w.svc.JoinRoom(w.ctx, w.open("alice"), name, false)
			wantKind(w.T, err, chat.Invalid)
		}
	})
	sub(t, "200 rooms, direct ones not counted", func(w *world) {
		alice := w.open("alice")
		w.open("bob")
		_, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m", Text: "x"}, nobody)
		w.ok(err)
		for i := range 200 {
			w.join(fmt.Sprint("room", i), alice)
		}
		_, err = w.svc.JoinRoom(w.ctx, alice, "room200", false)
		wantKind(w.T, err, chat.Limited)
		w.join("room7", alice)
		w.leave("room7", alice)
		w.join("room200", alice)
		_, err = w.svc.JoinRoom(w.ctx, alice, "room7", false)
		wantKind(w.T, err, chat.Limited)
	})
}

func TestService_LeaveRoom(t *testing.T) {
	sub(t, "ends receiving on every device", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.open("bob")
		w.join("tea", alice, bob)
		head, settled, err := w.svc.LeaveRoom(w.ctx, bob, "TEA")
		w.ok(err)
		equal(w, "room", head.Room, "tea")
		equal(w, "settled", settled, true)
		equal(w, "receivers", w.receivers("tea"), idsOf(alice))
		w.open("bob")
		equal(w, "receivers", w.receivers("tea"), idsOf(alice))
	})
	sub(t, "again is the same", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		w.leave("tea", bob)
		w.leave("tea", bob)
	})
	sub(t, "then joining again", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		w.leave("tea", bob)
		w.send(alice, "tea", "m1", "meanwhile")
		w.join("tea", bob)
		equal(w, "receivers", w.receivers("tea"), idsOf(alice, bob))
		equal(w, "history", texts(w.history(bob, "tea", chat.Range{}).Messages), []string{"meanwhile"})
	})
	sub(t, "a private room needs another invitation", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.private("den", alice, bob)
		w.join("den", bob)
		w.leave("den", bob)
		_, err := w.svc.JoinRoom(w.ctx, bob, "den", false)
		wantKind(w.T, err, chat.Taken)
		_, _, err = w.svc.Invite(w.ctx, alice, "den", "bob")
		w.ok(err)
		w.join("den", bob)
	})
	sub(t, "the owner comes back", func(w *world) {
		alice := w.open("alice")
		w.private("den", alice)
		w.leave("den", alice)
		head, err := w.svc.JoinRoom(w.ctx, alice, "den", false)
		w.ok(err)
		equal(w, "owner", head.Owner, "alice")
	})
	sub(t, "declines an invitation", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.private("den", alice, bob)
		w.leave("den", bob)
		_, err := w.svc.JoinRoom(w.ctx, bob, "den", false)
		wantKind(w.T, err, chat.Taken)
	})
	sub(t, "not the lobby, not a direct room", func(w *world) {
		alice := w.open("alice")
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "alice", ID: "m1", Text: "note"}, nobody)
		w.ok(err)
		for _, room := range []string{"lobby", "", m.Room} {
			_, _, err := w.svc.LeaveRoom(w.ctx, alice, room)
			wantKind(w.T, err, chat.Forbidden)
		}
	})
	sub(t, "unsettled when the subscriptions do not end", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		svc := chat.NewService(w.log, failing{w.conns}, w.clock.Now)
		_, settled, err := svc.LeaveRoom(w.ctx, bob, "tea")
		w.ok(err)
		equal(w, "settled", settled, false)
		equal(w, "receivers", w.receivers("tea"), idsOf(alice)) // the head keeps him out
		w.ok(w.svc.Unsubscribe(w.ctx, "tea", "bob"))
		equal(w, "receivers", w.receivers("tea"), idsOf(alice))
	})
}

// failing is a store of connections that cannot end subscriptions.
type failing struct{ chat.Connections }

func (failing) Unsubscribe(context.Context, string, string) error {
	return chat.E(chat.Unavailable, "throttled")
}

func TestService_Unsubscribe(t *testing.T) {
	sub(t, "late, after joining again", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		w.leave("tea", bob)
		w.join("tea", bob)
		w.ok(w.svc.Unsubscribe(w.ctx, "tea", "bob"))
		equal(w, "receivers", w.receivers("tea"), idsOf(alice, bob))
	})
	sub(t, "one who never was in it", func(w *world) {
		w.join("tea", w.open("alice"))
		w.ok(w.svc.Unsubscribe(w.ctx, "tea", "bob"))
		w.ok(w.svc.Unsubscribe(w.ctx, "none", "bob"))
	})
}

func TestService_Invite(t *testing.T) {
	sub(t, "ok", func(w *world) {
		alice, bob := w.open("alice"), w.open("Bob")
		w.private("Den", alice)
		head, user, err := w.svc.Invite(w.ctx, alice, "den", "bob")
		w.ok(err)
		equal(w, "name", head.Name, "Den")
		equal(w, "user", user.Name, "Bob")
		w.join("den", bob)
		_, _, err = w.svc.Invite(w.ctx, alice, "den", "Bob")
		w.ok(err)
		equal(w, "number", w.send(bob, "den", "m", "still a member").Seq, 1)
	})
	sub(t, "by a member who does not own it", func(w *world) {
		alice, bob, carol := w.open("alice"), w.open("bob"), w.open("carol")
		w.private("den", alice, bob)
		w.join("den", bob)
		_, _, err := w.svc.Invite(w.ctx, bob, "den", "carol")
		w.ok(err)
		w.join("den", carol)
	})
	sub(t, "unknown user", func(w *world) {
		alice := w.open("alice")
		w.private("den", alice)
		_, _, err := w.svc.Invite(w.ctx, alice, "den", "nobody")
		wantKind(w.T, err, chat.NotFound)
		_, _, err = w.svc.Invite(w.ctx, alice, "den", "a b")
		wantKind(w.T, err, chat.Invalid)
		equal(w, "field", asError(w.T, err).Field, "user")
	})
	sub(t, "not into the lobby or a direct room", func(w *world) {
		alice := w.open("alice")
		w.open("bob")
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m", Text: "x"}, nobody)
		w.ok(err)
		for _, room := range []string{"lobby", m.Room} {
			_, _, err := w.svc.Invite(w.ctx, alice, room, "bob")
			wantKind(w.T, err, chat.Forbidden)
		}
	})
	sub(t, "an invitation gives no messages", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.private("den", alice, bob)
		w.open("bob")
		equal(w, "receivers", w.receivers("den"), idsOf(alice))
		states, err := w.svc.Rooms(w.ctx, bob.User)
		w.ok(err)
		equal(w, "rooms", len(states), 1) // the lobby
	})
}
