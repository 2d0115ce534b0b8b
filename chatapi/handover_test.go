package chatapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// mail is the frame of a direct message in the dialect directory.
func mail(from, text string) string {
	return fmt.Sprintf(`{"action":"send","sent_by":"%s","message":"%s"}`, from, text)
}

// tell sends a direct message a second after the one before.
func (w *world) tell(id, user, text string) {
	w.Helper()
	w.clock.Advance(time.Second)
	w.act(id, fmt.Sprintf(`{"action":"sendMessage","to":%q,"message":%q}`, user, text))
}

// bobWasHere is a world where alice and carol are, and bob is known and away.
func bobWasHere(w *world) {
	w.connect("alice1", "carol1", "bob9")
	w.disconnect("bob9")
}

// comes opens a connection of bob in the dialect directory, and gives what it is told.
func (w *world) comes(id string) []string {
	w.Helper()
	w.enter(id, wire.DirectoryDialect, "bob")
	equal(w, "within $connect", w.poster.take(id), []string{}) // AWS answers 410 there
	w.ok(w.later.run(w.ctx))
	return w.poster.take(id)
}

// What others wrote while a user of the dialect directory was away comes after the next $connect, once.
func TestDirectory_waiting(t *testing.T) {
	sub(t, "once, the oldest first", func(w *world) {
		bobWasHere(w)
		w.tell("carol1", "bob", "c1")
		w.tell("alice1", "bob", "a1")
		w.tell("carol1", "bob", "c2")
		w.tell("alice1", "bob", "a2")
		want := []string{mail("carol", "c1"), mail("alice", "a1"), mail("carol", "c2"), mail("alice", "a2")}
		equal(w, "bob gets", w.comes("phone1"), want)
		equal(w, "another device gets", w.comes("phone2"), []string{})
		w.disconnect("phone1")
		w.disconnect("phone2")
		equal(w, "bob gets again", w.comes("phone3"), []string{})
		equal(w, "tasks, where nothing waits", len(w.later.take()), 0)
	})
	sub(t, "not his own, not what is deleted, not other rooms", func(w *world) {
		bobWasHere(w)
		w.connect("bob1")
		w.tell("bob1", "alice", "mine")
		w.tell("alice1", "bob", "gone")
		w.act("alice1", `{"action":"deleteMessage","room":"@alice,bob","seq":2}`)
		w.join("tea", "alice1", "bob1")
		w.send("alice1", "tea", "t1", "tea")
		w.send("alice1", "lobby", "l1", "lobby")
		w.tell("bob1", "bob", "note to myself")
		w.poster.forget()
		equal(w, "bob gets", w.comes("phone1"), []string{mail("bob", "note to myself")})
	})
	sub(t, "not what he has read elsewhere", func(w *world) {
		bobWasHere(w)
		w.connect("bob1")
		w.tell("alice1", "bob", "a1")
		w.tell("alice1", "bob", "a2")
		w.act("bob1", `{"action":"read","room":"@alice,bob","seq":1}`)
		w.poster.forget()
		equal(w, "bob gets", w.comes("phone1"), []string{mail("alice", "a2")})
	})
	sub(t, "more than a page", func(w *world) {
		bobWasHere(w)
		var want []string
		for n := range chat.MaxPage + 50 {
			text := fmt.Sprintf("a%d", n)
			w.tell("alice1", "bob", text)
			want = append(want, mail("alice", text))
		}
		equal(w, "bob gets", w.comes("phone1"), want)
	})
	sub(t, "a clock that goes back changes no order within a room", func(w *world) {
		bobWasHere(w)
		w.tell("alice1", "bob", "a1")
		w.clock.Advance(-time.Hour)
		w.tell("alice1", "bob", "a2")
		w.tell("carol1", "bob", "c1")
		equal(w, "bob gets", w.comes("phone1"), []string{mail("carol", "c1"), mail("alice", "a1"), mail("alice", "a2")})
	})
}

// A connection that is not yet open is tried again for 5 s; what it does not get goes on waiting.
func TestDirectory_notYetOpen(t *testing.T) {
	sub(t, "after a while", func(w *world) {
		bobWasHere(w)
		w.tell("alice1", "bob", "a1")
		w.poster.gone["phone1"] = true
		tries := 0
		w.h.Sleep = func(_ context.Context, d time.Duration) error {
			if d > 250*time.Millisecond {
				w.Errorf("it waits %v", d)
			}
			if tries++; tries == 7 {
				delete(w.poster.gone, "phone1")
			}
			return nil
		}
		equal(w, "bob gets", w.comes("phone1"), []string{mail("alice", "a1")})
	})
	sub(t, "never", func(w *world) {
		bobWasHere(w)
		w.tell("alice1", "bob", "a1")
		w.poster.gone["phone1"] = true
		began := w.clock.Now()
		equal(w, "bob gets", w.comes("phone1"), []string{})
		if took := w.clock.Now().Sub(began); took < 5*time.Second || took > 6*time.Second {
			w.Errorf("it tries for %v, want 5 s", took)
		}
		equal(w, "bob gets on the next", w.comes("phone2"), []string{mail("alice", "a1")})
	})
	sub(t, "a live message meanwhile", func(w *world) {
		bobWasHere(w)
		w.poster.gone["phone1"] = true
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.tell("alice1", "bob", "a1")
		delete(w.poster.gone, "phone1")
		w.ok(w.later.run(w.ctx))
		w.tell("alice1", "bob", "a2")
		equal(w, "bob gets", w.poster.take("phone1"), []string{mail("alice", "a1"), mail("alice", "a2")})
	})
	sub(t, "one device of two", func(w *world) {
		bobWasHere(w)
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.enter("phone2", wire.DirectoryDialect, "bob")
		w.poster.gone["phone2"] = true
		w.tell("alice1", "bob", "a1")
		w.h.Sleep = func(context.Context, time.Duration) error { delete(w.poster.gone, "phone2"); return nil }
		w.ok(w.later.run(w.ctx))
		for _, id := range []string{"phone1", "phone2"} {
			equal(w, id+" gets", w.poster.take(id), []string{mail("alice", "a1")})
		}
	})
}

// A live message takes what waited with it, in front of it, and a connection that is gone for good
// ends without holding anybody up.
func TestDirectory_live(t *testing.T) {
	sub(t, "behind what waited", func(w *world) {
		bobWasHere(w)
		w.tell("alice1", "bob", "a1")
		w.enter("phone1", wire.DirectoryDialect, "bob") // its task has not run yet
		w.tell("alice1", "bob", "a2")
		want := []string{mail("alice", "a1"), mail("alice", "a2")}
		equal(w, "bob gets", w.poster.take("phone1"), want)
		w.ok(w.later.run(w.ctx))
		equal(w, "and no more", w.poster.take("phone1"), []string{})
	})
	sub(t, "gone for good", func(w *world) {
		bobWasHere(w)
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.clock.Advance(time.Minute)
		w.poster.gone["phone1"] = true
		w.tell("alice1", "bob", "a1")
		if _, err := w.conns.Get(w.ctx, "phone1"); !chat.Is(err, chat.NotFound) {
			w.Errorf("its row: %v", err)
		}
		equal(w, "bob gets on the next", w.comes("phone2"), []string{mail("alice", "a1")})
	})
	sub(t, "a number that is not yet stored", func(w *world) {
		bobWasHere(w)
		unsettled := &unsettledLog{Log: w.log, hide: 1}
		w.use(unsettled)
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.tell("alice1", "bob", "a1")
		equal(w, "bob gets", w.poster.take("phone1"), []string{})
		unsettled.hide = 0
		w.ok(w.later.run(w.ctx))
		equal(w, "bob gets then", w.poster.take("phone1"), []string{mail("alice", "a1")})
	})
	sub(t, "a marker that cannot be moved", func(w *world) {
		bobWasHere(w)
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.use(stuckLog{w.log})
		w.tell("alice1", "bob", "a1")
		w.use(w.log)
		equal(w, "bob gets", w.poster.take("phone1"), []string{mail("alice", "a1")})
		w.tell("alice1", "bob", "a2") // rather twice than never
		equal(w, "bob gets then", w.poster.take("phone1"), []string{mail("alice", "a1"), mail("alice", "a2")})
	})
}

// unsettledLog has a number given and not yet stored: pages end before it.
type unsettledLog struct {
	chat.Log
	hide uint64
}

func (l *unsettledLog) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	page, err := l.Log.Messages(ctx, room, r)
	if at := slices.IndexFunc(page.Messages, func(m chat.Message) bool { return m.Seq == l.hide }); at >= 0 {
		page.Messages, page.More = page.Messages[:at], true
	}
	return page, err
}

// stuckLog moves no read marker.
type stuckLog struct{ chat.Log }

func (stuckLog) MarkRead(context.Context, string, string, uint64) error {
	return chat.E(chat.Unavailable, "no")
}

// With workers a user's messages, live and waiting, come once and each sender's in order, whoever
// writes while the user comes.
func TestDirectory_workers(t *testing.T) {
	const each = 50
	w := newWorld(t, with(func(c *chatapi.Config) { c.Rooms = chatapi.NewRooms(16) }))
	bobWasHere(w)
	done := make(chan struct{}, 2)
	for _, id := range []string{"alice1", "carol1"} {
		go func() {
			for n := range each {
				w.handle(w.frame(id, fmt.Sprintf(`{"action":"sendMessage","to":"bob","message":"%d"}`, n)))
			}
			done <- struct{}{}
		}()
	}
	w.enter("phone1", wire.DirectoryDialect, "bob")
	<-done
	<-done
	w.ok(w.later.run(w.ctx))
	w.h.Rooms.Wait()
	got := w.poster.take("phone1")
	var alice, carol []string
	for _, frame := range got {
		if strings.Contains(frame, `"alice"`) {
			alice = append(alice, frame)
		} else {
			carol = append(carol, frame)
		}
	}
	for from, frames := range map[string][]string{"alice": alice, "carol": carol} {
		want := make([]string, each)
		for n := range want {
			want[n] = mail(from, fmt.Sprint(n))
		}
		equal(t, "bob gets of "+from, frames, want)
	}
}

// What cannot be told to one device does not come to the others again.
func TestDirectory_oneFails(t *testing.T) {
	w := newWorld(t)
	bobWasHere(w)
	w.enter("phone1", wire.DirectoryDialect, "bob")
	w.enter("phone2", wire.DirectoryDialect, "bob")
	w.h.Poster = failingFor{w.poster, "phone1"}
	w.tell("alice1", "bob", "a1")
	w.h.Poster = w.poster
	w.tell("alice1", "bob", "a2")
	equal(t, "phone2 gets", w.poster.take("phone2"), []string{mail("alice", "a1"), mail("alice", "a2")})
}

// failingFor cannot send to one connection.
type failingFor struct {
	*poster
	id string
}

func (f failingFor) Send(ctx context.Context, to connections.Target, frames [][]byte) error {
	if to.ID == f.id {
		return context.DeadlineExceeded
	}
	return f.poster.Send(ctx, to, frames)
}

func TestDirectory_connect(t *testing.T) {
	w := newWorld(t)
	r := w.handle(w.connectEvent("phone1", map[string]string{"dialect": "directory"}))
	if r.StatusCode != http.StatusBadRequest || r.Body == "" {
		t.Errorf("without a name: %d %q", r.StatusCode, r.Body)
	}
	if _, err := w.conns.Get(w.ctx, "phone1"); !chat.Is(err, chat.NotFound) {
		t.Errorf("its row: %v", err)
	}
}

// slowPoster holds the first Send until it is let go.
type slowPoster struct {
	*poster
	once  sync.Once
	began chan struct{}
	goOn  chan struct{}
}

func (s *slowPoster) Send(ctx context.Context, to connections.Target, frames [][]byte) error {
	s.once.Do(func() {
		close(s.began)
		<-s.goOn
	})
	return s.poster.Send(ctx, to, frames)
}

// interrupted lets something happen before the first Send, which then fails with err.
type interrupted struct {
	*poster
	meanwhile func()
	err       error
}

func (i *interrupted) Send(ctx context.Context, to connections.Target, frames [][]byte) error {
	if meanwhile := i.meanwhile; meanwhile != nil {
		i.meanwhile = nil
		if meanwhile(); i.err != nil {
			return i.err
		}
	}
	return i.poster.Send(ctx, to, frames)
}

// A delivery that fails is a task's then, and so is what somebody else has left to it.
func TestDirectory_fails(t *testing.T) {
	a1, c1 := mail("alice", "a1"), mail("carol", "c1")
	fails := func(w *world, meanwhile func()) []string {
		bobWasHere(w)
		w.enter("phone1", wire.DirectoryDialect, "bob")
		w.h.Poster = &interrupted{w.poster, meanwhile, errors.New("API Gateway answers 500")}
		w.tell("alice1", "bob", "a1")
		w.ok(w.later.run(w.ctx))
		return w.poster.take("phone1")
	}
	sub(t, "alone", func(w *world) {
		equal(w, "bob gets", fails(w, func() {}), []string{a1})
	})
	sub(t, "with another's behind it", func(w *world) {
		equal(w, "bob gets", fails(w, func() { w.tell("carol1", "bob", "c1") }), []string{a1, c1})
	})
}

// Who had the turn longer than it lasts looks once more: what was left to it may be nobody's.
func TestDirectory_longTurn(t *testing.T) {
	w := newWorld(t)
	bobWasHere(w)
	w.enter("phone1", wire.DirectoryDialect, "bob")
	w.h.Poster = &interrupted{w.poster, func() {
		w.tell("carol1", "bob", "c1") // is left to alice's
		w.clock.Advance(chat.TurnMax)
		w.tell("alice1", "bob", "a2") // takes the turn over, for one room
	}, nil}
	w.tell("alice1", "bob", "a1")
	w.ok(w.later.run(w.ctx))
	if got := w.poster.take("phone1"); !slices.Contains(got, mail("carol", "c1")) {
		t.Errorf("bob gets %s", got)
	}
}

// What is written while the user's connection takes its time comes when it is done, of every sender.
func TestDirectory_slow(t *testing.T) {
	w := newWorld(t, with(func(c *chatapi.Config) { c.Rooms = chatapi.NewRooms(16) }))
	slow := &slowPoster{poster: w.poster, began: make(chan struct{}), goOn: make(chan struct{})}
	bobWasHere(w)
	w.enter("phone1", wire.DirectoryDialect, "bob")
	w.h.Poster = slow
	w.tell("alice1", "bob", "a1")
	<-slow.began
	w.tell("alice1", "bob", "a2")
	w.tell("carol1", "bob", "c1")
	close(slow.goOn)
	w.h.Rooms.Wait()
	got := w.poster.take("phone1")
	slices.Sort(got[1:])
	equal(t, "bob gets", got, []string{mail("alice", "a1"), mail("alice", "a2"), mail("carol", "c1")})
}

// However many write while the user's connection takes its time, nobody's message is forgotten.
func TestDirectory_manyWriters(t *testing.T) {
	const writers = 100
	w := newWorld(t, with(func(c *chatapi.Config) { c.Rooms = chatapi.NewRooms(16) }))
	slow := &slowPoster{poster: w.poster, began: make(chan struct{}), goOn: make(chan struct{})}
	bobWasHere(w)
	w.enter("phone1", wire.DirectoryDialect, "bob")
	w.h.Poster = slow
	w.tell("alice1", "bob", "a1")
	<-slow.began
	want := []string{mail("alice", "a1")}
	for n := range writers {
		user := fmt.Sprintf("writer%03dx", n)
		w.connect(user + "1")
		w.tell(user+"1", "bob", "hi")
		want = append(want, mail(user, "hi"))
	}
	close(slow.goOn)
	w.h.Rooms.Wait()
	got := w.poster.take("phone1")
	slices.Sort(got)
	equal(t, "bob gets", got, want)
}

// A connection that takes a name is told what waits for it, as one that comes under that name.
func TestDirectory_setName(t *testing.T) {
	w := newWorld(t)
	bobWasHere(w)
	w.tell("alice1", "bob", "a1")
	w.enter("phone1", wire.DirectoryDialect, "dave")
	equal(t, "Dave", w.act("phone1", `{"action":"setName","name":"dave"}`), []string{`{"event":"named","user":"dave"}`})
	equal(t, "tasks", len(w.later.take()), 0)
	w.act("phone1", `{"action":"setName","name":"bob"}`)
	w.ok(w.later.run(w.ctx))
	equal(t, "Bob gets", w.poster.take("phone1"), []string{mail("alice", "a1")})
}
