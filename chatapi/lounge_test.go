package chatapi_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// members and system are frames of the lounge.
func members(names ...string) string {
	return `{"members":["` + strings.Join(names, `","`) + `"]}`
}

func system(text string) string { return `{"systemMessage":"` + text + `"}` }

// name lets connections of the lounge take names, a second apart, and forgets what they are told.
func (w *world) name(names map[string]string, ids ...string) {
	w.Helper()
	for _, id := range ids {
		w.enter(id, wire.LoungeDialect, "")
		w.clock.Advance(time.Second)
		w.act(id, `{"action":"setName","name":"`+names[id]+`"}`)
	}
	w.poster.forget()
}

// takes compares what connections have got since they were asked.
func (w *world) takes(step string, want to) {
	w.Helper()
	for id, frames := range want {
		equal(w, step+": "+id+" gets", w.poster.take(id), frames)
	}
}

func TestLounge_setName(t *testing.T) {
	sub(t, "tells everyone with a name, the new one too", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.enter("bar2", wire.LoungeDialect, "")
		w.enter("bar3", wire.LoungeDialect, "")
		w.connect("dave1")
		w.clock.Advance(time.Second)
		w.handle(w.frame("bar2", `{"action":"setName","id":"n1","name":"Bob"}`))
		told := []string{members("Alice", "Bob"), system("Bob has joined the chat")}
		w.takes("setName", to{"bar1": told, "bar2": told, "bar3": {}, "dave1": {}})
	})
	sub(t, "in the order of naming, who is there twice once", func(w *world) {
		w.name(map[string]string{"bar1": "Zoe", "bar2": "Adam", "bar3": "Mia"}, "bar1", "bar2", "bar3")
		w.enter("bar4", wire.LoungeDialect, "zoe")
		w.ok(w.later.run(w.ctx))
		w.poster.forget()
		w.clock.Advance(time.Second)
		told := []string{members("Zoe", "Adam", "Mia"), system("Adam has joined the chat")}
		equal(w, "the same name again", w.act("bar2", `{"action":"setName","name":"adam"}`), told)
		told = []string{members("Zoe", "Eve", "Mia"), system("Eve has joined the chat")}
		equal(w, "another name", w.act("bar2", `{"action":"setName","name":"Eve"}`), told)
	})
	sub(t, "a taken name is refused", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.connect("bob1")
		w.enter("bar2", wire.LoungeDialect, "")
		for _, name := range []string{"Alice", "ALICE", "bob"} {
			e := readError(w, w.act("bar2", `{"action":"setName","id":"n1","name":"`+name+`"}`))
			if e.Code != "taken" || e.ID != "n1" {
				w.Errorf("%s: %+v", name, e)
			}
		}
		w.takes("taken", to{"bar1": {}, "bob1": {}})
	})
	sub(t, "a bad name is refused", func(w *world) {
		w.enter("bar1", wire.LoungeDialect, "")
		for _, name := range []string{"<b>", `a\nb`, "Alice: hi", `\u0430lice`, "@operator"} {
			e := readError(w, w.act("bar1", `{"action":"setName","name":"`+name+`"}`))
			if e.Code != "bad_field" || !strings.Contains(e.Message, "name") {
				w.Errorf("%s: %+v", name, e)
			}
		}
	})
	sub(t, "at most 200 names", func(w *world) {
		for n := range 201 {
			user := fmt.Sprintf("user%03d", n)
			w.ok(w.conns.Open(w.ctx, chat.Connection{
				ID: user, User: user, Dialect: "lounge", ConnectedAt: w.clock.Now(), NamedAt: w.clock.Now(),
			}, nil))
			w.clock.Advance(time.Millisecond)
		}
		got := w.act("user200", `{"action":"setName","name":"user200"}`)
		if len(got) != 2 || strings.Count(got[0], `"user`) != 200 || strings.Contains(got[0], "user200") {
			w.Errorf("%s", got)
		}
	})
}

// Until it has a name a connection of the lounge cannot speak, and is told how it can.
func TestLounge_unnamed(t *testing.T) {
	for _, frame := range []string{
		`{"action":"sendPublic","id":"m1","message":"hi"}`, `{"action":"$sendPublic","id":"m1","message":"hi"}`,
		`{"action":"sendPrivate","id":"m1","to":"bob","message":"hi"}`,
		`{"action":"sendMessage","id":"m1","message":"hi"}`, `{"action":"sendmessage","id":"m1","message":"hi"}`,
		`{"action":"sendMessage","id":"m1","to":"bob","message":"hi"}`,
		`{"action":"send","id":"m1","send_to":"bob","sent_by":"bob","message":"hi"}`,
	} {
		w := newWorld(t)
		w.connect("bob1")
		w.enter("bar1", wire.LoungeDialect, "")
		e := readError(t, w.act("bar1", frame))
		if e.Code != "forbidden" || !strings.Contains(e.Message, "setName") || e.ID != "m1" {
			t.Errorf("%s: %+v", frame, e)
		}
		w.takes(frame, to{"bob1": {}})
		w.act("bar1", `{"action":"setName","name":"Alice"}`)
		equal(t, "then", w.act("bar1", `{"action":"sendPublic","message":"hi"}`), []string{`{"publicMessage":"Alice: hi"}`})
	}
}

func TestLounge_left(t *testing.T) {
	three := map[string]string{"bar1": "Alice", "bar2": "Bob", "bar3": "Carol"}
	left := []string{system("Bob has left the chat"), members("Alice", "Carol")}
	sub(t, "the others are told", func(w *world) {
		w.name(three, "bar1", "bar2", "bar3")
		w.disconnect("bar2")
		w.takes("left", to{"bar1": left, "bar3": left, "bar2": {}})
		w.disconnect("bar2")
		w.takes("again", to{"bar1": {}, "bar3": {}})
	})
	sub(t, "once the last connection of the user goes", func(w *world) {
		w.name(three, "bar1", "bar2", "bar3")
		w.enter("bar4", wire.LoungeDialect, "bob")
		w.connect("bob1")
		w.ok(w.later.run(w.ctx))
		w.poster.forget()
		w.disconnect("bar2")
		w.takes("one of two", to{"bar1": {}, "bar3": {}, "bar4": {}})
		w.disconnect("bar4")
		w.takes("the other", to{"bar1": left, "bar3": left, "bob1": {}})
	})
	sub(t, "two that close at once", func(w *world) {
		w.name(three, "bar1", "bar2")
		w.enter("bar4", wire.LoungeDialect, "bob")
		w.ok(w.later.run(w.ctx))
		w.poster.forget()
		_, err := w.conns.Close(w.ctx, "bar4") // another instance is as far as this with the other one
		w.ok(err)
		w.disconnect("bar2")
		w.h.Service = chat.NewService(w.log, closesAgain{w.conns, bob(w, "bar4")}, w.clock.Now)
		w.disconnect("bar4")
		w.takes("both", to{"bar1": {system("Bob has left the chat"), members("Alice")}})
	})
	sub(t, "an old name of one that is still there", func(w *world) {
		w.name(three, "bar1", "bar2")
		w.act("bar2", `{"action":"setName","name":"Eve"}`)
		w.enter("bar4", wire.LoungeDialect, "Bob")
		w.poster.forget()
		w.ok(w.later.run(w.ctx))
		told := []string{members("Alice", "Eve", "Bob"), system("Bob has joined the chat")}
		w.takes("the old name comes again", to{"bar1": told, "bar2": told, "bar4": told})
	})
	sub(t, "an unnamed one is not announced", func(w *world) {
		w.name(three, "bar1")
		w.enter("bar9", wire.LoungeDialect, "")
		w.enter("pipe1", wire.DirectDialect, "dave")
		w.disconnect("bar9")
		w.disconnect("pipe1")
		w.takes("left", to{"bar1": {}})
	})
	sub(t, "one that a post finds gone", func(w *world) {
		w.name(three, "bar1", "bar2", "bar3")
		w.clock.Advance(time.Minute)
		w.poster.gone["bar2"] = true
		w.act("bar1", `{"action":"sendPublic","message":"hi"}`)
		equal(w, "Carol gets", w.poster.take("bar3"), append([]string{`{"publicMessage":"Alice: hi"}`}, left...))
	})
}

// A connection that comes with a name is announced when it can hear it: not within its $connect.
func TestLounge_opened(t *testing.T) {
	sub(t, "as soon as it is open", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.poster.gone["bar2"] = true
		w.enter("bar2", wire.LoungeDialect, "Bob")
		w.takes("within $connect", to{"bar1": {}})
		tries := 0
		w.h.Sleep = func(_ context.Context, d time.Duration) error {
			w.takes("not yet open", to{"bar1": {}})
			if tries++; tries == 3 {
				delete(w.poster.gone, "bar2")
			}
			return nil
		}
		w.ok(w.later.run(w.ctx))
		told := []string{members("Alice", "Bob"), system("Bob has joined the chat")}
		w.takes("open", to{"bar1": told, "bar2": told})
	})
	sub(t, "never open", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.poster.gone["bar2"] = true
		w.enter("bar2", wire.LoungeDialect, "Bob")
		began := w.clock.Now()
		w.ok(w.later.run(w.ctx))
		if took := w.clock.Now().Sub(began); took < 5*time.Second || took > 6*time.Second {
			w.Errorf("it tries for %v, want 5 s", took)
		}
		w.takes("never open", to{"bar1": {}})
	})
	sub(t, "closed again", func(w *world) {
		w.enter("bar2", wire.LoungeDialect, "Bob")
		w.disconnect("bar2")
		w.ok(w.later.run(w.ctx))
		w.takes("closed", to{"bar2": {}})
	})
	sub(t, "a second device", func(w *world) {
		w.name(map[string]string{"bar1": "Alice", "bar2": "Bob"}, "bar1", "bar2")
		w.enter("bar3", wire.LoungeDialect, "bob")
		w.ok(w.later.run(w.ctx))
		there := []string{members("Alice", "Bob")}
		w.takes("there", to{"bar1": there, "bar3": there})
	})
	sub(t, "two at once", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.enter("bar2", wire.LoungeDialect, "Bob")
		w.enter("bar3", wire.LoungeDialect, "Bob")
		w.ok(w.later.run(w.ctx))
		told := strings.Join(w.poster.take("bar1"), " ")
		if n := strings.Count(told, system("Bob has joined the chat")); n != 1 {
			w.Errorf("Bob joins %d times: %s", n, told)
		}
		w.poster.forget()
		w.disconnect("bar2")
		w.disconnect("bar3")
		w.takes("left", to{"bar1": {system("Bob has left the chat"), members("Alice")}})
	})
	sub(t, "one that comes while the user goes", func(w *world) {
		w.name(map[string]string{"bar1": "Alice", "bar2": "Bob"}, "bar1", "bar2")
		w.enter("bar3", wire.LoungeDialect, "Bob")
		w.h.Poster = &described{w.poster, func() { // another instance has closed the rows and told nobody yet
			for _, id := range []string{"bar2", "bar3"} {
				_, err := w.conns.Close(w.ctx, id)
				w.ok(err)
			}
		}}
		w.ok(w.later.run(w.ctx))
		w.takes("came too late", to{"bar1": {}})
		w.h.Service = chat.NewService(w.log, closesAgain{w.conns, bob(w, "bar2")}, w.clock.Now)
		w.disconnect("bar2")
		w.takes("left", to{"bar1": {system("Bob has left the chat"), members("Alice")}})
	})
	sub(t, "closed before anybody was told", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.enter("bar2", wire.LoungeDialect, "Bob")
		w.disconnect("bar2")
		w.ok(w.later.run(w.ctx))
		w.takes("closed", to{"bar1": {}})
	})
	sub(t, "nothing waits for others", func(w *world) {
		w.connect("alice1")
		w.enter("bar1", wire.LoungeDialect, "")
		w.enter("shout1", wire.BroadcastDialect, "carol")
		w.enter("phone1", wire.DirectoryDialect, "dave")
		equal(w, "tasks", len(w.later.take()), 0)
	})
}

// described lets something happen when a connection is described.
type described struct {
	*poster
	meanwhile func()
}

func (d *described) Describe(ctx context.Context, t connections.Target) (connections.Info, error) {
	d.meanwhile()
	return d.poster.Describe(ctx, t)
}

// closesAgain is the first to close a connection, as it was for the instance that now goes on.
type closesAgain struct {
	chat.Connections
	row chat.Connection
}

func (c closesAgain) Close(context.Context, string) (chat.Connection, error) { return c.row, nil }

func bob(w *world, id string) chat.Connection {
	return chat.Connection{
		ID: id, User: "Bob", Dialect: string(wire.LoungeDialect), NamedAt: w.clock.Now(), ConnectedAt: w.clock.Now(),
	}
}

// With workers the members are those at the time of the telling, and both frames come together.
func TestLounge_workers(t *testing.T) {
	w := newWorld(t, with(func(c *chatapi.Config) { c.Rooms = chatapi.NewRooms(16) }))
	w.enter("bar1", wire.LoungeDialect, "")
	w.enter("bar2", wire.LoungeDialect, "")
	w.handle(w.frame("bar1", `{"action":"setName","name":"Alice"}`))
	w.handle(w.frame("bar2", `{"action":"setName","name":"Bob"}`))
	w.h.Rooms.Wait()
	got := w.poster.take("bar2")
	want := []string{members("Alice", "Bob"), system("Bob has joined the chat")}
	if n := len(got); n < 2 || !slices.Equal(got[n-2:], want) {
		t.Errorf("Bob gets %s, want %s at the end", got, want)
	}
	w.poster.forget()
	w.disconnect("bar1")
	w.h.Rooms.Wait()
	w.takes("left", to{"bar1": {}, "bar2": {system("Alice has left the chat"), members("Bob")}})
}

// staleConns lists who gets the lobby's messages as it was some time ago, as a read without
// consistency may.
type staleConns struct {
	chat.Connections
	old []chat.Receiver
}

func (s staleConns) Receivers(context.Context, chat.Head) iter.Seq2[chat.Receiver, error] {
	return func(yield func(chat.Receiver, error) bool) {
		for _, r := range s.old {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// stale makes the lobby's list stay as it is now.
func (w *world) stale() {
	w.Helper()
	s := staleConns{Connections: w.conns}
	for r, err := range w.conns.Receivers(w.ctx, chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}) {
		w.ok(err)
		s.old = append(s.old, r)
	}
	w.h.Service = chat.NewService(w.log, s, w.clock.Now)
}

// A list that is a little old neither hides who has just taken a name nor keeps who has gone, and it is
// read once for both frames.
func TestLounge_stale(t *testing.T) {
	sub(t, "setName", func(w *world) {
		w.name(map[string]string{"bar1": "Alice"}, "bar1")
		w.enter("bar2", wire.LoungeDialect, "")
		w.stale()
		w.handle(w.frame("bar2", `{"action":"setName","name":"Bob"}`))
		told := []string{members("Alice", "Bob"), system("Bob has joined the chat")}
		w.takes("named", to{"bar1": told, "bar2": told})
		equal(w, "posts", len(w.poster.calls), 1)
	})
	sub(t, "left", func(w *world) {
		w.name(map[string]string{"bar1": "Alice", "bar2": "Bob"}, "bar1", "bar2")
		w.stale()
		w.disconnect("bar2")
		w.takes("left", to{"bar1": {system("Bob has left the chat"), members("Alice")}, "bar2": {}})
		equal(w, "posts", len(w.poster.calls), 1)
	})
}
