package chatapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/store/storetest"
)

// crowd connects as many users and puts them into the room tea. It gives their connections' ids.
func (w *world) crowd(n int) []string {
	w.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("user%04dx", i)
		w.connect(ids[i])
		_, _, err := w.log.Join(w.ctx, chat.Join{Room: "tea", Name: "tea", User: ids[i], Kind: chat.PublicRoom})
		w.ok(err)
		w.ok(w.conns.Subscribe(w.ctx, chat.Member{Room: "tea", User: ids[i]}))
	}
	return ids
}

const hello = `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`

func isMessage(frames []string) bool {
	return len(frames) == 1 && strings.Contains(frames[0], `"event":"message"`) &&
		strings.Contains(frames[0], `"id":"m1"`)
}

func TestHandler_fanout(t *testing.T) {
	sub(t, "the sender first", func(w *world) {
		ids := w.crowd(30)
		for _, sender := range []string{ids[0], ids[17], ids[29]} {
			w.poster.forget()
			w.handle(w.frame(sender, `{"action":"sendMessage","room":"tea","message":"hi"}`))
			equal(w, "posts", len(w.poster.calls), 1)
			to := w.poster.calls[0].to
			equal(w, "first", to[0], sender)
			slices.Sort(to)
			equal(w, "all, each once", to, ids)
		}
	})
	sub(t, "one frame for all", func(w *world) {
		ids := w.crowd(3)
		w.handle(w.frame(ids[0], hello))
		first := w.poster.take(ids[0])
		for _, id := range ids[1:] {
			equal(w, id, w.poster.take(id), first)
		}
	})
	sub(t, "up to Inline by the event itself", func(w *world) {
		ids := w.crowd(200)
		w.handle(w.frame(ids[7], hello))
		equal(w, "posted to", len(w.poster.calls[0].to), 200)
		equal(w, "tasks", len(w.later.take()), 0)
	}, with(func(c *chatapi.Config) { c.Inline = 200 }))
	sub(t, "over Inline by tasks of at most 500", func(w *world) {
		ids := w.crowd(1300)
		w.handle(w.frame(ids[7], hello))
		equal(w, "posts", len(w.poster.calls), 1)
		equal(w, "posted to", len(w.poster.calls[0].to), 200)
		equal(w, "the first", w.poster.calls[0].to[0], ids[7])
		tasks := w.later.take()
		var sizes []int
		for _, task := range tasks {
			sizes = append(sizes, len(task.To))
			w.ok(w.h.Run(w.ctx, throughJSON(w, task)))
		}
		equal(w, "tasks", sizes, []int{500, 500, 100})
		for _, id := range ids {
			if got := w.poster.take(id); !isMessage(got) {
				w.Fatalf("%s got %s", id, got)
			}
		}
		for range 2 { // a repeated task is harmless
			w.ok(w.h.Run(w.ctx, tasks[0]))
		}
	}, with(func(c *chatapi.Config) { c.Inline = 200 }))
	sub(t, "what there was no time for goes to a task", func(w *world) {
		ids := w.crowd(5)
		w.poster.unsent[ids[3]], w.poster.unsent[ids[4]] = true, true
		w.handle(w.frame(ids[0], hello))
		tasks := w.later.take()
		equal(w, "tasks", len(tasks), 1)
		equal(w, "of", addressed(tasks[0]), []string{ids[3], ids[4]})
		clear(w.poster.unsent)
		w.ok(w.h.Run(w.ctx, tasks[0]))
		for _, id := range ids {
			if !isMessage(w.poster.take(id)) {
				w.Errorf("%s has no message", id)
			}
		}
	})
	sub(t, "a task without time is tried three times", func(w *world) {
		ids := w.crowd(2)
		w.poster.unsent[ids[1]] = true
		w.handle(w.frame(ids[0], hello))
		w.ok(w.later.run(w.ctx))
		equal(w, "posts", len(w.poster.calls), 1+3)
	})
	sub(t, "one task that cannot be made does not keep it from the sender", func(w *world) {
		ids := w.crowd(5)
		w.later.fail = errors.New("throttled")
		w.handle(w.frame(ids[4], hello))
		if !isMessage(w.poster.take(ids[4])) || !strings.Contains(w.logged.String(), "throttled") {
			w.Errorf("no acknowledgement, or nothing in the log: %q", w.logged)
		}
	}, with(func(c *chatapi.Config) { c.Inline = 2 }))
	sub(t, "the acknowledgement of a delete fails for the sender alone", func(w *world) {
		ids := w.crowd(3)
		w.send(ids[0], "tea", "m1", "hi")
		w.poster.gone[ids[0]] = true
		w.handle(w.frame(ids[0], `{"action":"deleteMessage","room":"tea","seq":1}`))
		equal(w, "another gets", len(w.poster.take(ids[1])), 1)
	})
}

func throughJSON(tb testing.TB, t chatapi.Task) chatapi.Task {
	tb.Helper()
	text, err := json.Marshal(t)
	if err != nil {
		tb.Fatal(err)
	}
	var again chatapi.Task
	if err := json.Unmarshal(text, &again); err != nil {
		tb.Fatal(err)
	}
	return again
}

func addressed(t chatapi.Task) []string {
	var ids []string
	for _, a := range t.To {
		ids = append(ids, a.ID)
	}
	slices.Sort(ids)
	return ids
}

// The acknowledgement is posted by then, and then is called before Append returns and after the
// message is stored: a log that watches both.
type watchedLog struct {
	chat.Log
	w       *world
	inside  bool
	reached bool
}

func (l *watchedLog) Append(
	ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message),
) (chat.Message, error) {
	l.inside = true
	defer func() { l.inside = false }()
	return l.Log.Append(ctx, d, func(h chat.Head, m chat.Message) {
		l.w.poster.before = func(call) {
			p, err := l.w.log.Messages(ctx, d.Room, chat.Range{Limit: 9})
			l.reached = l.inside && err == nil && len(p.Messages) == 1
		}
		then(h, m)
		l.w.poster.before = nil
	})
}

func TestHandler_ackAfterStore(t *testing.T) {
	sub(t, "stored when it is posted", func(w *world) {
		ids := w.crowd(2)
		log := &watchedLog{Log: w.log, w: w}
		w.use(log)
		w.handle(w.frame(ids[0], hello))
		equal(w, "stored before it was posted", log.reached, true)
	})
	for _, kind := range []chat.Kind{chat.Unavailable, chat.Unknown, chat.Internal} {
		sub(t, "nothing is posted when it is "+kind.String(), func(w *world) {
			ids := w.crowd(2)
			w.use(failingLog{w.log, chat.E(kind, "no")})
			got := w.act(ids[0], hello)
			readError(w, got)
			equal(w, "posts", len(w.poster.calls), 0)
		})
	}
}

func TestHandler_gone(t *testing.T) {
	const old, young = 10*time.Second + time.Millisecond, 10 * time.Second
	live := func(w *world, id string) bool {
		_, err := w.conns.Get(w.ctx, id)
		return err == nil
	}
	sub(t, "an old row goes, and no other", func(w *world) {
		ids := w.crowd(4)
		w.clock.Advance(old)
		w.poster.gone[ids[2]] = true
		w.handle(w.frame(ids[0], hello))
		for i, id := range ids {
			equal(w, id+" is live", live(w, id), i != 2)
		}
		equal(w, "tasks", len(w.later.take()), 0)
	})
	sub(t, "a young one is tried again and stays", func(w *world) {
		ids := w.crowd(3)
		w.clock.Advance(young)
		w.poster.gone[ids[2]] = true
		w.handle(w.frame(ids[0], hello))
		equal(w, "is live", live(w, ids[2]), true)
		tasks := w.later.take()
		equal(w, "tasks", len(tasks), 1)
		w.poster.before = func(call) { // it opens between the two tries of the task
			w.poster.before = func(call) { delete(w.poster.gone, ids[2]) }
		}
		w.clock.Advance(-time.Second)
		w.ok(w.h.Run(w.ctx, throughJSON(w, tasks[0])))
		if !isMessage(w.poster.take(ids[2])) {
			w.Error("it has no message")
		}
		equal(w, "is live", live(w, ids[2]), true)
	})
	sub(t, "a young one that stays closed is tried twice by the task", func(w *world) {
		ids := w.crowd(2)
		w.poster.gone[ids[1]] = true
		w.handle(w.frame(ids[0], hello))
		w.ok(w.later.run(w.ctx))
		equal(w, "posts", len(w.poster.calls), 3)
		equal(w, "waited", w.clock.Now().Sub(storetest.Start), 250*time.Millisecond)
		equal(w, "is live", live(w, ids[1]), true)
	})
	sub(t, "the sender's own", func(w *world) {
		ids := w.crowd(3)
		w.clock.Advance(old)
		w.poster.gone[ids[0]] = true
		w.handle(w.frame(ids[0], hello))
		for i, id := range ids {
			equal(w, id+" is live", live(w, id), i != 0)
		}
		if !isMessage(w.poster.take(ids[1])) {
			w.Error("the others have no message")
		}
	})
	sub(t, "one of a user's devices", func(w *world) {
		w.connect("alice1", "bob1", "bob2")
		w.join("tea", "alice1", "bob1")
		w.clock.Advance(old)
		w.poster.gone["bob1"] = true
		w.handle(w.frame("alice1", hello))
		equal(w, "bob1 is live", live(w, "bob1"), false)
		equal(w, "bob2 is live", live(w, "bob2"), true)
		if !isMessage(w.poster.take("bob2")) {
			w.Error("bob2 has no message")
		}
	})
	sub(t, "of an invited user, by sendDirect", func(w *world) {
		w.connect("alice1", "bob1", "carol1")
		w.join("tea", "alice1")
		w.clock.Advance(old)
		w.poster.gone["bob1"], w.poster.gone["carol1"] = true, true
		w.act("alice1", `{"action":"invite","room":"tea","user":"bob"}`)
		w.act("alice1", `{"action":"sendDirect","connectionId":"carol1","operationType":"x","message":1}`)
		equal(w, "bob1 is live", live(w, "bob1"), false)
		equal(w, "carol1 is live", live(w, "carol1"), false)
	})
}

func TestHandler_removed(t *testing.T) {
	sub(t, "one who left gets nothing though the subscription is still there", func(w *world) {
		w.connect("alice1", "bob1", "bob2")
		w.join("tea", "alice1", "bob1")
		w.ok(w.log.Leave(w.ctx, "tea", "bob")) // as if the process died before Unsubscribe
		w.handle(w.frame("alice1", hello))
		equal(w, "posted to", w.poster.calls[0].to, []string{"alice1"})
		w.join("tea", "bob1")
		w.handle(w.frame("alice1", `{"action":"sendMessage","id":"m2","room":"tea","message":"hi"}`))
		equal(w, "posted to after joining again", len(w.poster.calls[0].to), 3)
	})
	sub(t, "unsubscribe is repeated by a task", func(w *world) {
		w.connect("alice1", "bob1")
		w.join("tea", "alice1", "bob1")
		w.h.Service = chat.NewService(w.log, stuck{w.conns}, w.clock.Now)
		got := w.act("bob1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		equal(w, "answer", got, []string{`{"event":"left","id":"l1","room":"tea"}`})
		tasks := w.later.take()
		equal(w, "tasks", tasks, []chatapi.Task{{Kind: "unsubscribe", Room: "tea", User: "bob"}})
		w.h.Service = chat.NewService(w.log, w.conns, w.clock.Now)
		for range 2 {
			w.ok(w.h.Run(w.ctx, throughJSON(w, tasks[0])))
		}
		n := 0
		for range w.conns.Receivers(w.ctx, chat.Head{Room: "tea"}) {
			n++
		}
		equal(w, "subscriptions", n, 1)
	})
	sub(t, "unknown task", func(w *world) {
		if err := w.h.Run(w.ctx, chatapi.Task{Kind: "x"}); err == nil {
			w.Error("no error")
		}
	})
}

// stuck is a store of connections that cannot end subscriptions.
type stuck struct{ chat.Connections }

func (stuck) Unsubscribe(context.Context, string, string) error {
	return chat.E(chat.Unavailable, "throttled")
}

func TestHandler_typing(t *testing.T) {
	const typing = `{"action":"typing","room":"tea"}`
	for _, c := range []struct {
		others int
		told   bool
	}{{20, true}, {21, false}} {
		sub(t, fmt.Sprintf("in a room of %d others", c.others), func(w *world) {
			ids := w.crowd(c.others + 1)
			w.handle(w.frame(ids[0], typing))
			equal(w, "told", len(w.poster.take(ids[1])) == 1, c.told)
			equal(w, "the typing user is told", len(w.poster.take(ids[0])), 0)
		}, with(func(c *chatapi.Config) { c.TypingMax = 20 }))
	}
	sub(t, "at most every 5 s", func(w *world) {
		ids := w.crowd(2)
		for _, want := range []int{1, 0, 0, 1} {
			w.handle(w.frame(ids[0], typing))
			equal(w, "told", len(w.poster.take(ids[1])), want)
			w.clock.Advance(2 * time.Second)
		}
	})
}

func TestHandler_Sweep(t *testing.T) {
	sub(t, "presence, once", func(w *world) {
		w.connect("alice1", "bob1", "carol1")
		w.join("Tea", "alice1", "bob1")
		w.ok(w.h.Sweep(w.ctx))
		w.poster.forget()
		w.disconnect("bob1")
		for _, want := range [][]string{{`{"event":"presence","room":"Tea","online":[],"offline":["bob"]}`}, {}} {
			w.ok(w.h.Sweep(w.ctx))
			equal(w, "alice gets", w.poster.take("alice1"), want)
			equal(w, "carol gets", w.poster.take("carol1"), []string{})
		}
		w.connect("bob2")
		w.ok(w.h.Sweep(w.ctx))
		online := []string{`{"event":"presence","room":"Tea","online":["bob"],"offline":[]}`}
		equal(w, "alice gets", w.poster.take("alice1"), online)
		equal(w, "bob gets", w.poster.take("bob2"), online)
	})
	for _, c := range []struct {
		connections int
		told        bool
	}{{200, true}, {201, false}} {
		sub(t, fmt.Sprintf("presence in a room of %d", c.connections), func(w *world) {
			ids := w.crowd(c.connections)
			w.connect("late1")
			w.ok(w.conns.Note(w.ctx, ids[5], []string{"tea"}))
			w.ok(w.h.Sweep(w.ctx))
			equal(w, "told", len(w.poster.take(ids[0])) == 1, c.told)
		})
	}
	leases := func(o *options) { o.store.Lease, o.store.SilentLease = time.Minute, 2*time.Hour }
	sub(t, "lapsed leases", func(w *world) {
		w.connect("alice1", "bob1", "carol1")
		w.join("tea", "alice1", "bob1", "carol1")
		w.act("alice1", `{"action":"hello"}`)
		w.act("bob1", `{"action":"hello"}`)
		w.clock.Advance(40 * time.Second)
		w.act("alice1", `{"action":"ping"}`)
		w.clock.Advance(20 * time.Second)
		w.poster.forget()
		w.ok(w.h.Sweep(w.ctx))
		equal(w, "closed", fmt.Sprint(w.poster.closed), "map[bob1:{1001 no heartbeat}]")
		for _, id := range []string{"alice1", "carol1"} { // carol never said hello
			equal(w, id, w.poster.take(id), []string{
				`{"event":"presence","room":"tea","online":["alice","carol"],"offline":["bob"]}`,
			})
		}
		w.ok(w.h.Sweep(w.ctx))
		equal(w, "closed again", len(w.poster.closed), 1)
	}, leases)
	sub(t, "one that cannot be closed stops nothing", func(w *world) {
		w.connect("alice1", "bob1", "carol1")
		w.join("tea", "alice1", "bob1", "carol1")
		w.act("bob1", `{"action":"hello"}`)
		w.act("carol1", `{"action":"hello"}`)
		w.clock.Advance(time.Minute)
		w.poster.forget()
		w.poster.unsent["bob1"] = true
		if err := w.h.Sweep(w.ctx); err == nil {
			w.Error("the sweep hides what has failed")
		}
		equal(w, "closed", fmt.Sprint(w.poster.closed), "map[carol1:{1001 no heartbeat}]")
		equal(w, "alice gets", len(w.poster.take("alice1")), 1)
		w.poster.unsent["bob1"] = false
		w.ok(w.h.Sweep(w.ctx))
		equal(w, "closed by the next", len(w.poster.closed), 2)
	}, leases)
	sub(t, "a lapsed one that is gone already", func(w *world) {
		w.connect("alice1")
		w.act("alice1", `{"action":"hello"}`)
		w.clock.Advance(time.Minute)
		w.poster.gone["alice1"] = true
		w.ok(w.h.Sweep(w.ctx))
		for c := range w.conns.Lapsed(w.ctx, w.clock.Now()) {
			w.Errorf("%s is still recorded", c.ID)
		}
	}, leases)
	sub(t, "past its end", func(w *world) {
		w.connect("alice1")
		w.clock.Advance(time.Hour)
		w.ok(w.h.Sweep(w.ctx))
		equal(w, "closed", len(w.poster.closed), 1)
	}, with(func(c *chatapi.Config) { c.MaxConnection = time.Hour }))
}
