package chat_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

// world is a chat in memory with a clock that stands still.
type world struct {
	*testing.T
	ctx   context.Context
	clock *storetest.Clock
	log   *memstore.Log
	conns *memstore.Connections
	svc   *chat.Service
	next  int
}

func newWorld(t *testing.T) *world {
	clock := storetest.NewClock()
	epochs := 0
	o := memstore.Options{Now: clock.Now, NewEpoch: func() string {
		epochs++
		return fmt.Sprintf("epoch%d", epochs)
	}}
	w := &world{
		T: t, ctx: context.Background(), clock: clock, log: memstore.NewLog(o), conns: memstore.NewConnections(o),
	}
	w.svc = chat.NewService(w.log, w.conns, clock.Now)
	return w
}

// sub runs a subtest in a world of its own.
func sub(t *testing.T, name string, run func(w *world)) {
	t.Run(name, func(t *testing.T) { run(newWorld(t)) })
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func equal[T any](w testing.TB, what string, got, want T) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// open connects another device of a user.
func (w *world) open(user string) chat.Connection {
	w.Helper()
	w.next++
	c, err := w.svc.Connect(w.ctx, chat.Connection{
		ID: fmt.Sprintf("c%d", w.next), User: user, Dialect: "native", ConnectedAt: w.clock.Now(),
	})
	w.ok(err)
	return c
}

func (w *world) disconnect(id string) {
	w.Helper()
	_, err := w.svc.Disconnect(w.ctx, id)
	w.ok(err)
}

func (w *world) join(room string, cs ...chat.Connection) {
	w.Helper()
	for _, c := range cs {
		_, err := w.svc.JoinRoom(w.ctx, c, room, false)
		w.ok(err)
	}
}

func (w *world) leave(room string, c chat.Connection) {
	w.Helper()
	_, _, err := w.svc.LeaveRoom(w.ctx, c, room)
	w.ok(err)
}

// private makes a private room and invites users.
func (w *world) private(room string, owner chat.Connection, invited ...chat.Connection) {
	w.Helper()
	_, err := w.svc.JoinRoom(w.ctx, owner, room, true)
	w.ok(err)
	for _, c := range invited {
		_, _, err := w.svc.Invite(w.ctx, owner, room, c.User)
		w.ok(err)
	}
}

func nobody(chat.Head, chat.Message) {}

func (w *world) send(c chat.Connection, room, id, text string) chat.Message {
	w.Helper()
	m, err := w.svc.Send(w.ctx, c, chat.Send{Room: room, ID: id, Text: text}, nobody)
	w.ok(err)
	return m
}

func (w *world) fill(c chat.Connection, room string, n int) {
	w.Helper()
	for i := range n {
		w.send(c, room, fmt.Sprintf("fill%d", i+1), fmt.Sprintf("text %d", i+1))
	}
}

// receivers are the connections that a message of a room goes to.
func (w *world) receivers(room string) map[string]bool {
	w.Helper()
	h, err := w.svc.HeadOf(w.ctx, room)
	w.ok(err)
	ids := map[string]bool{}
	for r, err := range w.svc.Receivers(w.ctx, h) {
		w.ok(err)
		ids[r.ID] = true
	}
	return ids
}

func idsOf(cs ...chat.Connection) map[string]bool {
	ids := map[string]bool{}
	for _, c := range cs {
		ids[c.ID] = true
	}
	return ids
}

// told is what a send told others.
type told struct {
	heads    []chat.Head
	messages []chat.Message
}

func (f *told) then(h chat.Head, m chat.Message) {
	f.heads, f.messages = append(f.heads, h), append(f.messages, m)
}

func TestService_Send(t *testing.T) {
	sub(t, "ok", func(w *world) {
		alice := w.open("alice")
		w.join("Tea", alice)
		var f told
		m, err := w.svc.Send(w.ctx, alice, chat.Send{Room: "TEA", ID: "m1", Text: "hi\n<b>"}, f.then)
		w.ok(err)
		want := chat.Message{Room: "tea", Seq: 1, ID: "m1", From: "alice", Text: "hi\n<b>", At: w.clock.Now()}
		equal(w, "message", m, want)
		equal(w, "told", f.messages, []chat.Message{want})
		equal(w, "head's name", f.heads[0].Name, "Tea")
		equal(w, "head's number", f.heads[0].Seq, 1)
	})
	sub(t, "numbers are dense", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		for i := range 10 {
			c := []chat.Connection{alice, bob}[i%2]
			equal(w, "number", w.send(c, "tea", fmt.Sprint(i), "x").Seq, uint64(i+1))
		}
	})
	sub(t, "the lobby is the default", func(w *world) {
		alice := w.open("alice")
		equal(w, "room", w.send(alice, "", "m1", "hi").Room, "lobby")
		equal(w, "number", w.send(alice, "lobby", "m2", "hi").Seq, 2)
	})
	sub(t, "duplicate id", func(w *world) {
		alice := w.open("alice")
		w.send(alice, "", "m1", "hi")
		w.send(alice, "", "m2", "ho")
		var f told
		m, err := w.svc.Send(w.ctx, alice, chat.Send{ID: "m1", Text: "hi"}, f.then)
		w.ok(err)
		equal(w, "number", m.Seq, 1)
		equal(w, "Duplicate", m.Duplicate, true)
		equal(w, "told", len(f.messages), 0)
		equal(w, "another user's", w.send(w.open("bob"), "", "m1", "hi").Seq, 3)
	})
	sub(t, "the same id in another room", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		w.send(alice, "", "m1", "hi")
		equal(w, "Duplicate", w.send(alice, "tea", "m1", "hi").Duplicate, false)
	})
	sub(t, "id reused", func(w *world) {
		alice := w.open("alice")
		w.send(alice, "", "m1", "hi")
		_, err := w.svc.Send(w.ctx, alice, chat.Send{ID: "m1", Text: "ho"}, nobody)
		wantKind(w.T, err, chat.IDReused)
		w.clock.Advance(24 * time.Hour)
		equal(w, "number after 24 h", w.send(alice, "", "m1", "ho").Seq, 2)
	})
	sub(t, "left room", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice, bob)
		w.send(bob, "tea", "m1", "hi")
		w.leave("tea", bob)
		for _, id := range []string{"m1", "m2"} { // a repetition neither
			_, err := w.svc.Send(w.ctx, bob, chat.Send{Room: "tea", ID: id, Text: "hi"}, nobody)
			wantKind(w.T, err, chat.NotMember)
		}
		w.join("tea", bob)
		equal(w, "number after joining again", w.send(bob, "tea", "m2", "hi").Seq, 2)
	})
	sub(t, "nothing is told of what is refused", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.join("tea", alice)
		var f told
		for _, m := range []chat.Send{
			{Room: "tea", ID: "m", Text: "x"}, {Room: "none", ID: "m", Text: "x"}, {To: "nobody", ID: "m", Text: "x"},
		} {
			_, err := w.svc.Send(w.ctx, bob, m, f.then)
			wantKind(w.T, err, chat.NotFound)
		}
		equal(w, "told", len(f.messages), 0)
		equal(w, "stored", len(w.history(alice, "tea", chat.Range{}).Messages), 0)
	})
}

func TestService_Send_fields(t *testing.T) {
	long := string(make([]byte, 65))
	for name, c := range map[string]struct {
		m     chat.Send
		kind  chat.Kind
		field string
	}{
		"no text":          {chat.Send{ID: "m"}, chat.Invalid, "message"},
		"too long a text":  {chat.Send{ID: "m", Text: string(make([]byte, 16385))}, chat.TooLarge, "message"},
		"no id":            {chat.Send{Text: "x"}, chat.Invalid, "id"},
		"too long an id":   {chat.Send{ID: long, Text: "x"}, chat.Invalid, "id"},
		"a bad room name":  {chat.Send{ID: "m", Text: "x", Room: "a b"}, chat.Invalid, "room"},
		"a bad user name":  {chat.Send{ID: "m", Text: "x", To: "a b"}, chat.Invalid, "to"},
		"no direct room":   {chat.Send{ID: "m", Text: "x", Room: "@alice,bob"}, chat.NotFound, ""},
		"others' room":     {chat.Send{ID: "m", Text: "x", Room: "@bob,carol"}, chat.NotFound, ""},
		"mixed scripts":    {chat.Send{ID: "m", Text: "x", Room: "t\u0435a"}, chat.Invalid, "room"},
		"an unknown room":  {chat.Send{ID: "m", Text: "x", Room: "none"}, chat.NotFound, ""},
		"an unknown user":  {chat.Send{ID: "m", Text: "x", To: "nobody"}, chat.NotFound, ""},
		"a control in one": {chat.Send{ID: "m", Text: "a\x00"}, chat.Invalid, "message"},
	} {
		sub(t, name, func(w *world) {
			_, err := w.svc.Send(w.ctx, w.open("alice"), c.m, nobody)
			wantKind(w.T, err, c.kind)
			equal(w, "field", asError(w.T, err).Field, c.field)
		})
	}
	sub(t, "the longest id", func(w *world) { w.send(w.open("alice"), "", long[:64], "x") })
}

func TestService_Send_direct(t *testing.T) {
	sub(t, "the first message makes the room", func(w *world) {
		alice, bob, bob2 := w.open("alice"), w.open("Bob"), w.open("bob")
		w.open("carol")
		var f told
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "BOB", ID: "m1", Text: "hi"}, f.then)
		w.ok(err)
		equal(w, "room", m.Room, "@Bob,alice")
		equal(w, "number", m.Seq, 1)
		equal(w, "kind", f.heads[0].Kind, chat.DirectRoom)
		equal(w, "owner", f.heads[0].Owner, "")
		equal(w, "receivers", w.receivers(m.Room), idsOf(alice, bob, bob2))
		equal(w, "the answer's number", w.send(bob, m.Room, "m1", "hello").Seq, 2)
		reply, err := w.svc.Send(w.ctx, bob2, chat.Send{To: "alice", ID: "m2", Text: "again"}, nobody)
		w.ok(err)
		equal(w, "number by to", reply.Seq, 3)
		equal(w, "one room", reply.Room, m.Room)
	})
	sub(t, "duplicate id", func(w *world) {
		alice := w.open("alice")
		w.open("bob")
		for i := range 2 {
			m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m1", Text: "hi"}, nobody)
			w.ok(err)
			equal(w, "number", m.Seq, 1)
			equal(w, "Duplicate", m.Duplicate, i == 1)
		}
	})
	sub(t, "to self", func(w *world) {
		alice, alice2 := w.open("alice"), w.open("alice")
		w.open("bob")
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "alice", ID: "m1", Text: "note"}, nobody)
		w.ok(err)
		equal(w, "room", m.Room, "@alice,alice")
		equal(w, "receivers", w.receivers(m.Room), idsOf(alice, alice2))
	})
	sub(t, "to one who is not here", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.disconnect(bob.ID)
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m1", Text: "hi"}, nobody)
		w.ok(err)
		bob = w.open("bob")
		equal(w, "read later", texts(w.history(bob, m.Room, chat.Range{}).Messages), []string{"hi"})
	})
}
