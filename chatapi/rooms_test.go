package chatapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/confab-chat/confab/chatapi"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// crew is a world whose fan-out runs on workers.
func crew(t *testing.T, limit int) (*world, *chatapi.Rooms) {
	rooms := chatapi.NewRooms(limit)
	w := newWorld(t, with(func(c *chatapi.Config) { c.Rooms = rooms }))
	t.Cleanup(rooms.Wait)
	return w, rooms
}

func numbers(tb testing.TB, frames []string) []uint64 {
	tb.Helper()
	var list []uint64
	for _, f := range frames {
		var m struct {
			Event string
			Seq   uint64
		}
		if err := json.Unmarshal([]byte(f), &m); err != nil {
			tb.Fatal(err)
		}
		if m.Event == "message" {
			list = append(list, m.Seq)
		}
	}
	return list
}

func upTo(n uint64) []uint64 {
	var list []uint64
	for i := range n {
		list = append(list, i+1)
	}
	return list
}

func TestRooms_order(t *testing.T) {
	w, rooms := crew(t, 1000)
	ids := w.crowd(8)
	w.join("coffee", ids...)
	rooms.Wait()
	w.poster.forget()
	const each = 200
	var senders sync.WaitGroup
	for i, id := range ids {
		senders.Go(func() {
			room := []string{"tea", "coffee"}[i%2]
			for n := range each {
				w.handle(w.frame(id, fmt.Sprintf(`{"action":"sendMessage","id":"m%d","room":%q,"message":"x"}`,
					n, room)))
			}
		})
	}
	senders.Wait()
	rooms.Wait()
	for _, id := range ids {
		frames := w.poster.take(id)
		for _, room := range []string{"tea", "coffee"} {
			of := slices.DeleteFunc(slices.Clone(frames), func(f string) bool {
				return !strings.Contains(f, `"room":"`+room+`"`)
			})
			equal(w, id+" in "+room, numbers(w, of), upTo(4*each))
		}
	}
}

// What queues while a worker posts leaves in one Post, with whoever sent it first.
func TestRooms_batch(t *testing.T) {
	w, rooms := crew(t, 1000)
	ids := w.crowd(3)
	w.poster.forget()
	posting, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.poster.before = func(call) {
		once.Do(func() {
			close(posting)
			<-release
		})
	}
	send := func(id string) {
		w.handle(w.frame(id, `{"action":"sendMessage","room":"tea","message":"x"}`))
	}
	send(ids[0])
	<-posting
	for _, id := range []string{ids[2], ids[1], ids[2], ids[2]} {
		send(id)
	}
	close(release)
	rooms.Wait()
	equal(w, "posts", len(w.poster.calls), 2)
	equal(w, "frames of the first", numbers(w, w.poster.calls[0].frames), []uint64{1})
	equal(w, "frames of the second", numbers(w, w.poster.calls[1].frames), []uint64{2, 3, 4, 5})
	equal(w, "order of the second", w.poster.calls[1].to, []string{ids[2], ids[1], ids[0]})
	for _, id := range ids {
		equal(w, id, numbers(w, w.poster.take(id)), upTo(5))
	}
}

// What not everyone gets is posted by itself, in its place.
func TestRooms_batch_unalike(t *testing.T) {
	w, rooms := crew(t, 1000)
	ids := w.crowd(2)
	w.poster.forget()
	posting, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.poster.before = func(call) {
		once.Do(func() {
			close(posting)
			<-release
		})
	}
	act := func(frame string) { w.handle(w.frame(ids[0], frame)) }
	act(`{"action":"sendMessage","room":"tea","message":"1"}`)
	<-posting
	act(`{"action":"sendMessage","room":"tea","message":"2"}`)
	act(`{"action":"deleteMessage","id":"d","room":"tea","seq":1}`)
	act(`{"action":"typing","room":"tea"}`)
	act(`{"action":"sendMessage","room":"tea","message":"3"}`)
	close(release)
	rooms.Wait()
	events := func(id string) []string {
		var names []string
		for _, f := range w.poster.take(id) {
			name, _, _ := strings.Cut(strings.TrimPrefix(f, `{"event":"`), `"`)
			names = append(names, name)
		}
		return names
	}
	equal(w, "the sender gets", events(ids[0]), []string{"message", "message", "deleted", "message"})
	equal(w, "the other gets", events(ids[1]), []string{"message", "message", "deleted", "typing", "message"})
}

// A full queue makes senders to that room wait, and nobody else.
func TestRooms_full(t *testing.T) {
	const limit = 4
	w, rooms := crew(t, limit)
	ids := w.crowd(3)
	w.join("coffee", ids...)
	rooms.Wait()
	posting, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	var once sync.Once
	w.poster.before = func(c call) {
		if strings.Contains(c.frames[0], `"room":"tea"`) {
			once.Do(func() {
				close(posting)
				<-released
			})
		}
	}
	send := func(ctx context.Context, room string) uint64 {
		e := w.frame(ids[0], fmt.Sprintf(`{"action":"sendMessage","room":%q,"message":"x"}`, room))
		if _, err := w.h.Handle(ctx, e); err != nil {
			t.Error(err)
		}
		h, err := w.log.Heads(w.ctx, []string{room})
		w.ok(err)
		return h[0].Seq
	}
	send(w.ctx, "tea")
	<-posting
	for range limit {
		send(w.ctx, "tea")
	}
	short, cancel := context.WithCancel(w.ctx)
	refused := make(chan uint64)
	go func() { refused <- send(short, "tea") }()
	waiting := make(chan uint64)
	go func() { waiting <- send(w.ctx, "tea") }()
	equal(w, "another room's head", send(w.ctx, "coffee"), 1)
	cancel()
	equal(w, "head after the one that gave up", <-refused, 1+limit)
	if e := readError(t, errorsOf(w.poster.take(ids[0]))); e.Code != "unavailable" {
		t.Errorf("%+v", e)
	}
	select {
	case <-waiting:
		t.Error("the room's queue is full and a sender did not wait")
	default:
	}
	release()
	equal(w, "head after the one that waited", <-waiting, 1+limit+1)
}

func errorsOf(frames []string) []string {
	return slices.DeleteFunc(frames, func(f string) bool { return !strings.HasPrefix(f, `{"event":"error"`) })
}

func TestLocal(t *testing.T) {
	w := newWorld(t)
	tasks := &chatapi.Local{}
	w.h.Deferrer, tasks.Handler = tasks, w.h
	ids := w.crowd(2)
	w.poster.gone[ids[1]] = true
	w.handle(w.frame(ids[0], hello))
	tasks.Wait()
	equal(w, "posts", len(w.poster.calls), 3)
	w.ok(tasks.Later(w.ctx, chatapi.Task{Kind: "x"}))
	tasks.Wait()
	if !strings.Contains(w.logged.String(), `unknown task`) {
		t.Errorf("the log has %q", w.logged)
	}
}
