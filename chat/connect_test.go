package chat_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
)

func TestService_Connect(t *testing.T) {
	sub(t, "the user is the name as first written", func(w *world) {
		equal(w, "first", w.open("Alice").User, "Alice")
		equal(w, "other case", w.open("ALICE").User, "Alice")
		equal(w, "NFC", w.open("Ju\u0308rgen").User, "J\u00fcrgen")
	})
	sub(t, "bad name", func(w *world) {
		_, err := w.svc.Connect(w.ctx, chat.Connection{ID: "x", User: "a b"})
		wantKind(w.T, err, chat.Invalid)
		equal(w, "field", asError(w.T, err).Field, "name")
		_, err = w.svc.Find(w.ctx, "x")
		wantKind(w.T, err, chat.NotFound)
	})
	sub(t, "20 devices", func(w *world) {
		for range 20 {
			w.open("alice")
		}
		_, err := w.svc.Connect(w.ctx, chat.Connection{ID: "one-more", User: "Alice", ConnectedAt: w.clock.Now()})
		wantKind(w.T, err, chat.Limited)
		w.open("bob")
		w.disconnect("c1")
		w.open("alice")
	})
	sub(t, "again changes nothing", func(w *world) {
		c := w.open("alice")
		_, err := w.svc.Connect(w.ctx, c)
		w.ok(err)
		devices, err := w.svc.Devices(w.ctx, "alice")
		w.ok(err)
		equal(w, "devices", len(devices), 1)
	})
	sub(t, "after its disconnect", func(w *world) {
		c := w.open("alice")
		w.disconnect(c.ID)
		_, err := w.svc.Connect(w.ctx, c)
		wantKind(w.T, err, chat.Taken)
		w.disconnect("early")
		_, err = w.svc.Connect(w.ctx, chat.Connection{ID: "early", User: "alice", ConnectedAt: w.clock.Now()})
		wantKind(w.T, err, chat.Taken)
	})
	sub(t, "subscribes to the user's rooms", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		w.join("coffee", alice)
		w.leave("coffee", alice)
		w.private("den", w.open("bob"), alice)
		alice2 := w.open("alice")
		equal(w, "tea", w.receivers("tea"), idsOf(alice, alice2))
		equal(w, "coffee", w.receivers("coffee"), idsOf())
		equal(w, "den", w.receivers("den")[alice2.ID], false)
	})
}

// opening is a store of connections that does something before it opens or renames one.
type opening struct {
	chat.Connections
	before func()
}

func (o opening) Open(ctx context.Context, c chat.Connection, members []chat.Member) error {
	o.before()
	return o.Connections.Open(ctx, c, members)
}

func (o opening) Rename(ctx context.Context, id, user string, members []chat.Member) (chat.Connection, error) {
	o.before()
	return o.Connections.Rename(ctx, id, user, members)
}

// A room that the user joins elsewhere between the reading of rooms and the opening is not missed.
func TestService_Connect_joinMeanwhile(t *testing.T) {
	sub(t, "by another device", func(w *world) {
		alice := w.open("alice")
		conns := opening{w.conns, func() { w.join("tea", alice) }}
		svc := chat.NewService(w.log, conns, w.clock.Now)
		late, err := svc.Connect(w.ctx, chat.Connection{ID: "late", User: "alice", ConnectedAt: w.clock.Now()})
		w.ok(err)
		equal(w, "receivers", w.receivers("tea"), idsOf(alice, late))
	})
	sub(t, "by another process that has just ended", func(w *world) {
		guest := w.open("guest-1")
		conns := opening{w.conns, func() {
			alice := w.open("alice")
			w.join("tea", alice)
			w.disconnect(alice.ID)
		}}
		renamed, err := chat.NewService(w.log, conns, w.clock.Now).SetName(w.ctx, guest, "alice")
		w.ok(err)
		equal(w, "receivers", w.receivers("tea"), idsOf(renamed))
	})
}

func TestService_Disconnect(t *testing.T) {
	sub(t, "once, late and unknown", func(w *world) {
		c := w.open("alice")
		for range 3 {
			w.disconnect(c.ID)
		}
		w.disconnect("never-seen")
		_, err := w.svc.Touch(w.ctx, c.ID, chat.Acts)
		wantKind(w.T, err, chat.NotFound)
	})
	sub(t, "ends one device alone", func(w *world) {
		c, c2 := w.open("alice"), w.open("alice")
		w.join("tea", c)
		w.disconnect(c.ID)
		equal(w, "receivers", w.receivers("tea"), idsOf(c2))
		_, err := w.svc.Touch(w.ctx, c2.ID, chat.Acts)
		w.ok(err)
	})
}

func TestService_SetName(t *testing.T) {
	sub(t, "a free name", func(w *world) {
		guest := w.open("guest-1")
		w.join("tea", guest)
		renamed, err := w.svc.SetName(w.ctx, guest, "Alice")
		w.ok(err)
		equal(w, "user", renamed.User, "Alice")
		equal(w, "id", renamed.ID, guest.ID)
		row, err := w.svc.Touch(w.ctx, guest.ID, chat.Acts)
		w.ok(err)
		equal(w, "row's user", row.User, "Alice")
		equal(w, "sender", w.send(row, "", "m", "hi").From, "Alice")
		equal(w, "the guest's rooms stay the guest's", w.receivers("tea"), idsOf())
	})
	sub(t, "a user who is away", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		w.disconnect(alice.ID)
		guest := w.open("guest-1")
		renamed, err := w.svc.SetName(w.ctx, guest, "ALICE")
		w.ok(err)
		equal(w, "user", renamed.User, "alice")
		equal(w, "receivers", w.receivers("tea"), idsOf(guest))
	})
	sub(t, "taken", func(w *world) {
		w.open("alice")
		guest := w.open("guest-1")
		_, err := w.svc.SetName(w.ctx, guest, "Alice")
		wantKind(w.T, err, chat.Taken)
		row, err := w.svc.Touch(w.ctx, guest.ID, chat.Acts)
		w.ok(err)
		equal(w, "row's user", row.User, "guest-1")
	})
	sub(t, "one's own", func(w *world) {
		alice := w.open("alice")
		w.open("alice")
		same, err := w.svc.SetName(w.ctx, alice, "Alice")
		w.ok(err)
		equal(w, "user", same.User, "alice")
	})
	sub(t, "bad name", func(w *world) {
		_, err := w.svc.SetName(w.ctx, w.open("alice"), "<b>")
		wantKind(w.T, err, chat.Invalid)
	})
}

func TestService_Find(t *testing.T) {
	w := newWorld(t)
	c := w.open("alice")
	found, err := w.svc.Find(w.ctx, c.ID)
	w.ok(err)
	equal(w, "row", found, c)
	for _, id := range []string{"", "none"} {
		_, err := w.svc.Find(w.ctx, id)
		wantKind(t, err, chat.NotFound)
	}
}

// told lists what TakePresence tells: room+online or room-offline.
func (w *world) presence() []string {
	w.Helper()
	lines := []string{}
	w.ok(w.svc.TakePresence(w.ctx, func(p chat.Presence) {
		for _, user := range p.Online {
			lines = append(lines, p.Head.Room+"+"+user)
		}
		for _, user := range p.Offline {
			lines = append(lines, p.Head.Room+"-"+user)
		}
	}))
	return lines
}

func TestService_TakePresence(t *testing.T) {
	type step struct {
		do   func(w *world)
		want []string
	}
	none := []string{}
	devices := map[string]chat.Connection{}
	open := func(id, user string) func(*world) {
		return func(w *world) { devices[id] = w.open(user) }
	}
	gone := func(id string) func(*world) {
		return func(w *world) { w.disconnect(devices[id].ID) }
	}
	later := func(d time.Duration) func(*world) { return func(w *world) { w.clock.Advance(d) } }
	for name, steps := range map[string][]step{
		"comes and goes": {
			{gone("bob"), []string{"tea-bob"}},
			{open("b2", "bob"), []string{"tea+bob"}},
			{gone("b2"), []string{"tea-bob"}},
		},
		"told once": {{gone("bob"), []string{"tea-bob"}}, {later(time.Minute), none}},
		"gone and back between two": {
			{func(w *world) { gone("bob")(w); open("b2", "bob")(w) }, []string{"tea+bob"}},
		},
		"a second device changes nothing": {
			{later(time.Minute), none},
			{open("b2", "bob"), none},
			{gone("b2"), none},
			{gone("bob"), []string{"tea-bob"}},
		},
		"two at once": {
			{gone("bob"), []string{"tea-bob"}},
			{func(w *world) { open("b2", "bob")(w); open("b3", "bob")(w) }, []string{"tea+bob"}},
			{gone("b2"), none},
			{gone("b3"), []string{"tea-bob"}},
		},
		"joins and leaves": {
			{func(w *world) { open("carol", "carol")(w); w.join("tea", devices["carol"]) }, []string{"tea+carol"}},
			{func(w *world) { w.leave("tea", devices["carol"]) }, []string{"tea-carol"}},
			{gone("carol"), none},
		},
		"another name": {
			{func(w *world) {
				_, err := w.svc.SetName(w.ctx, devices["bob"], "dave")
				w.ok(err)
			}, []string{"tea-bob"}},
		},
		"never in the lobby or in direct rooms": {
			{func(w *world) {
				_, err := w.svc.Send(w.ctx, devices["alice"], chat.Send{To: "erin", ID: "m", Text: "x"}, nobody)
				w.ok(err)
			}, none},
			{open("e2", "erin"), none},
		},
	} {
		sub(t, name, func(w *world) {
			open("alice", "alice")(w)
			open("bob", "bob")(w)
			open("erin", "erin")(w)
			gone("erin")(w)
			w.join("tea", devices["alice"], devices["bob"])
			w.presence()
			for i, s := range steps {
				s.do(w)
				equal(w, fmt.Sprint("step ", i+1), w.presence(), s.want)
			}
		})
	}
	for _, c := range []struct {
		connections int
		told        bool
	}{{200, true}, {201, false}} {
		sub(t, fmt.Sprintf("a room of %d connections", c.connections), func(w *world) {
			for i := range c.connections {
				w.join("tea", w.open(fmt.Sprint("user", i)))
			}
			equal(w, "told", len(w.presence()) > 0, c.told)
		})
	}
}

func TestService_Typing(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.open("alice"), w.open("bob")
	w.join("tea", alice)
	due := func(c chat.Connection, room string) bool {
		t.Helper()
		head, due, err := w.svc.Typing(w.ctx, c, room)
		w.ok(err)
		if head.Room == "" {
			t.Error("no head")
		}
		return due
	}
	equal(w, "the first", due(alice, "tea"), true)
	equal(w, "at once", due(alice, "tea"), false)
	equal(w, "in another room", due(alice, ""), false)
	equal(w, "another user's", due(bob, ""), true)
	w.clock.Advance(5*time.Second - time.Millisecond)
	equal(w, "just before 5 s", due(alice, "tea"), false)
	w.clock.Advance(time.Millisecond)
	equal(w, "after 5 s", due(alice, "tea"), true)
	equal(w, "counted from the last that was told", due(alice, "tea"), false)
}
