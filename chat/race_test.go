package chat_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// subscribing is a store of connections that does something, once, before a change of
// subscriptions.
type subscribing struct {
	chat.Connections
	before func()
}

func (s *subscribing) once() {
	before := s.before
	s.before = func() {}
	before()
}

func (s *subscribing) Subscribe(ctx context.Context, m chat.Member) error {
	s.once()
	return s.Connections.Subscribe(ctx, m)
}

func (s *subscribing) Unsubscribe(ctx context.Context, room, user string) error {
	s.once()
	return s.Connections.Unsubscribe(ctx, room, user)
}

// Two devices of a user join and leave at once: subscriptions end as the membership does.
func TestService_joinAndLeaveAtOnce(t *testing.T) {
	sub(t, "a join within a leave", func(w *world) {
		one, two := w.open("alice"), w.open("alice")
		w.join("tea", one)
		conns := &subscribing{w.conns, func() { w.join("tea", two) }}
		_, settled, err := chat.NewService(w.log, conns, w.clock.Now).LeaveRoom(w.ctx, one, "tea")
		w.ok(err)
		equal(w, "settled", settled, true)
		equal(w, "receivers", w.receivers("tea"), idsOf(one, two))
	})
	sub(t, "a leave within a join", func(w *world) {
		one, two := w.open("alice"), w.open("alice")
		w.join("tea", w.open("bob"))
		conns := &subscribing{w.conns, func() { w.leave("tea", two) }}
		_, err := chat.NewService(w.log, conns, w.clock.Now).JoinRoom(w.ctx, one, "tea", false)
		w.ok(err)
		raw := map[string]bool{}
		for r, err := range w.conns.Receivers(w.ctx, chat.Head{Room: "tea", Kind: chat.PublicRoom}) {
			w.ok(err)
			raw[r.User] = true
		}
		equal(w, "subscribed users", raw, map[string]bool{"bob": true})
	})
	sub(t, "a leave while a connection opens", func(w *world) {
		one := w.open("alice")
		w.join("tea", one, w.open("bob"))
		conns := opening{w.conns, func() { w.leave("tea", one) }}
		_, err := chat.NewService(w.log, conns, w.clock.Now).Connect(w.ctx,
			chat.Connection{ID: "late", User: "alice", ConnectedAt: w.clock.Now()})
		w.ok(err)
		for r, err := range w.conns.Receivers(w.ctx, chat.Head{Room: "tea", Kind: chat.PublicRoom}) {
			w.ok(err)
			if r.User == "alice" {
				w.Errorf("the connection %s gets a room that alice has left", r.ID)
			}
		}
	})
}

// flaky is a log whose n-th Join fails, and whose RoomsOf fails after some calls.
type flaky struct {
	chat.Log
	joins, rooms int
}

func (f *flaky) Join(ctx context.Context, j chat.Join) (chat.Member, chat.Head, error) {
	if f.joins--; f.joins == 0 {
		return chat.Member{}, chat.Head{}, chat.E(chat.Unavailable, "no answer")
	}
	return f.Log.Join(ctx, j)
}

func (f *flaky) RoomsOf(ctx context.Context, user string) ([]chat.Member, error) {
	if f.rooms--; f.rooms == 0 {
		return nil, chat.E(chat.Unavailable, "no answer")
	}
	return f.Log.RoomsOf(ctx, user)
}

// A first direct message that breaks off half-way is made whole by its repetition.
func TestService_Send_directHalfMade(t *testing.T) {
	for n := 1; n <= 2; n++ {
		sub(t, fmt.Sprintf("join %d fails", n), func(w *world) {
			alice, bob := w.open("alice"), w.open("bob")
			svc := chat.NewService(&flaky{Log: w.log, joins: n}, w.conns, w.clock.Now)
			m := chat.Send{To: "bob", ID: "m1", Text: "hi"}
			_, err := svc.Send(w.ctx, alice, m, nobody)
			equal(w, "first try", chat.KindOf(err), chat.Unavailable)
			stored, err := svc.Send(w.ctx, alice, m, nobody)
			w.ok(err)
			page, err := w.svc.History(w.ctx, bob, stored.Room, chat.Range{Limit: 10})
			w.ok(err)
			equal(w, "bob's messages", len(page.Messages), 1)
		})
	}
}

// A handshake that fails after its connection was recorded leaves nobody behind.
func TestService_Connect_failsLate(t *testing.T) {
	fails := func(w *world, reading int) {
		svc := chat.NewService(&flaky{Log: w.log, rooms: reading}, w.conns, w.clock.Now)
		_, err := svc.Connect(w.ctx, chat.Connection{ID: "x", User: "alice", ConnectedAt: w.clock.Now()})
		equal(w, "kind", chat.KindOf(err), chat.Unavailable)
		left, err := w.conns.OfUser(w.ctx, "alice")
		w.ok(err)
		equal(w, "connections", len(left), 0)
	}
	sub(t, "the only reading of a new user's rooms", func(w *world) { fails(w, 1) })
	sub(t, "the second one of a known user's", func(w *world) {
		w.ok(w.log.PutUser(w.ctx, chat.User{Name: "alice", Since: w.clock.Now()}))
		fails(w, 2)
	})
}

// Direct rooms, which others make, do not crowd out the rooms that a user has joined.
func TestService_Rooms_bounded(t *testing.T) {
	sub(t, "many direct rooms", func(w *world) {
		alice := w.open("alice")
		w.join("zebra", alice)
		for i := range chat.MaxListed + 10 {
			sender := w.open(fmt.Sprintf("sender-%04d", i))
			_, err := w.svc.Send(w.ctx, sender, chat.Send{To: "alice", ID: "m", Text: "hi"}, nobody)
			w.ok(err)
		}
		rooms, err := w.svc.Rooms(w.ctx, "alice")
		w.ok(err)
		equal(w, "rooms", len(rooms), 400)
		equal(w, "the first", []string{rooms[0].Head.Room, rooms[1].Head.Room}, []string{"lobby", "zebra"})
	})
}
