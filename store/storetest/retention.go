package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

// RunRetention runs the suite of chat.Retainer on a log that RunLog passes.
func RunRetention(t *testing.T, open func(testing.TB) LogHarness) {
	for _, group := range []struct {
		name string
		run  func(*logTest)
	}{
		{"Keep", testKeep},
		{"Cut", testCut},
		{"CutIDs", testCutIDs},
		{"Expire", testExpire},
		{"CutReopen", testCutReopen},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(newLogTest(t, open)) })
	}
	t.Run("Model", func(t *testing.T) { testCutModel(t, open) })
}

// retainers gives both instances.
func (l *logTest) retainers() (a, b chat.Retainer) { return l.A.(chat.Retainer), l.B.(chat.Retainer) }

// sendMany sends messages m1 … mn to a room.
func (l *logTest) sendMany(room string, n int) {
	l.Helper()
	for i := range n {
		l.send(room, "ann", fmt.Sprintf("m%d", i+1), fmt.Sprintf("text %d", i+1))
	}
}

func testKeep(l *logTest) {
	a, b := l.retainers()
	l.join("tea", "ann")
	l.sub("is the host's default at first", func(l *logTest) {
		equal(l, "Keep", l.head("tea").Keep, 0)
	})
	for _, keep := range []time.Duration{chat.MinKeep, 90 * 24 * time.Hour, chat.KeepForever, 0} {
		l.sub(fmt.Sprintf("can be %v", keep), func(l *logTest) {
			for range 2 {
				h, err := a.Keep(l.ctx, "tea", keep)
				ok(l, "Keep", err)
				equal(l, "Keep of the head given", h.Keep, keep)
			}
			equal(l, "Keep of the head", l.head("tea").Keep, keep)
		})
	}
	for _, keep := range []time.Duration{chat.MinKeep - time.Second, time.Nanosecond, -time.Hour} {
		l.sub(fmt.Sprintf("cannot be %v", keep), func(l *logTest) {
			_, err := a.Keep(l.ctx, "tea", keep)
			wantKind(l, "Keep", err, chat.Invalid)
		})
	}
	l.sub("of an absent room is NotFound", func(l *logTest) {
		_, err := a.Keep(l.ctx, "nowhere", 0)
		wantKind(l, "Keep", err, chat.NotFound)
	})
	l.sub("is listed with every room", func(l *logTest) {
		_, err := a.Keep(l.ctx, chat.Lobby, chat.KeepForever)
		ok(l, "Keep", err)
		rows, more, err := b.AllKept(l.ctx, "", 1)
		ok(l, "AllKept", err)
		equal(l, "first page", rows, []chat.Kept{{Room: chat.Lobby, Keep: chat.KeepForever}})
		equal(l, "more", more, true)
		rows, more, err = b.AllKept(l.ctx, chat.Lobby, 5)
		ok(l, "AllKept", err)
		equal(l, "second page", rows, []chat.Kept{{Room: "tea"}})
		equal(l, "more", more, false)
	})
}

func testCut(l *logTest) {
	a, _ := l.retainers()
	l.join("tea", "ann")
	l.sendMany("tea", 7)
	epoch := l.head("tea").Epoch
	_, err := l.A.Delete(l.ctx, "tea", 2, "ann")
	ok(l, "Delete", err)
	for range 2 {
		h, err := a.Cut(l.ctx, "tea", 4)
		ok(l, "Cut", err)
		equal(l, "Cut of the head given", h.Cut, 4)
	}
	l.sub("never moves back", func(l *logTest) {
		h, err := a.Cut(l.ctx, "tea", 2)
		ok(l, "Cut", err)
		equal(l, "Cut", h.Cut, 4)
	})
	l.sub("leaves epoch and number", func(l *logTest) {
		h := l.head("tea")
		equal(l, "epoch", h.Epoch, epoch)
		equal(l, "number", h.Seq, 7)
		equal(l, "Cut", h.Cut, 4)
	})
	for _, c := range []struct {
		name string
		r    chat.Range
		want []uint64
		more bool
	}{
		{"from the start", chat.Range{Limit: 2}, []uint64{5, 6}, true},
		{"after what is gone", chat.Range{After: 3, Limit: 9}, []uint64{5, 6, 7}, false},
		{"after the last that is gone", chat.Range{After: 4, Limit: 9}, []uint64{5, 6, 7}, false},
		{"after what is kept", chat.Range{After: 5, Limit: 9}, []uint64{6, 7}, false},
		{"newest", chat.Range{Before: chat.Newest, Limit: 3}, []uint64{5, 6, 7}, false},
		{"newest but the first", chat.Range{Before: chat.Newest, Limit: 2}, []uint64{6, 7}, true},
		{"before what is kept", chat.Range{Before: 6, Limit: 9}, []uint64{5}, false},
		{"before the first that is kept", chat.Range{Before: 5, Limit: 9}, nil, false},
		{"before what is gone", chat.Range{Before: 3, Limit: 9}, nil, false},
	} {
		l.sub("shows "+c.name, func(l *logTest) {
			p := l.page("tea", c.r)
			equal(l, "numbers", seqs(p.Messages), c.want)
			equal(l, "More", p.More, c.more)
		})
	}
	l.sub("leaves nothing to delete", func(l *logTest) {
		_, err := l.B.Delete(l.ctx, "tea", 4, "")
		wantKind(l, "Delete", err, chat.NotFound)
	})
	l.sub("does not stop the numbers", func(l *logTest) {
		equal(l, "next number", l.send("tea", "ann", "m8", "x").Seq, 8)
	})
	l.sub("goes at most to the head", func(l *logTest) {
		h, err := a.Cut(l.ctx, "tea", 99)
		ok(l, "Cut", err)
		equal(l, "Cut", h.Cut, 8)
		for _, r := range []chat.Range{{Limit: 1}, {Before: chat.Newest, Limit: 1}} {
			p := l.page("tea", r)
			equal(l, "messages", p.Messages, nil)
			equal(l, "More", p.More, false)
		}
		equal(l, "next number", l.send("tea", "ann", "m9", "x").Seq, 9)
		equal(l, "numbers", seqs(l.page("tea", chat.Range{Limit: 9}).Messages), []uint64{9})
	})
	l.sub("of an absent room is NotFound", func(l *logTest) {
		_, err := a.Cut(l.ctx, "nowhere", 1)
		wantKind(l, "Cut", err, chat.NotFound)
	})
}

// testCutIDs has ids come again whose messages are gone.
func testCutIDs(l *logTest) {
	a, _ := l.retainers()
	l.sendMany(chat.Lobby, 3)
	l.Clock.Advance(chat.DedupWindow)
	_, err := a.Cut(l.ctx, chat.Lobby, 2)
	ok(l, "Cut", err)
	l.Clock.Advance(time.Second)
	m := l.send(chat.Lobby, "ann", "m1", "another text")
	equal(l, "number of an id that is forgotten", m.Seq, 4)
	equal(l, "Duplicate", m.Duplicate, false)
	m = l.send(chat.Lobby, "ann", "m1", "another text")
	equal(l, "number of the repetition", m.Seq, 4)
	equal(l, "Duplicate", m.Duplicate, true)
}

// testExpire has rooms lose what is older than they keep.
func testExpire(l *logTest) {
	a, b := l.retainers()
	const day = 24 * time.Hour
	for _, room := range []string{"tea", "milk", "den"} {
		l.join(room, "ann")
		l.sendMany(room, 3) // on the first day
	}
	l.Clock.Advance(20 * day)
	for _, room := range []string{"tea", "milk", "den"} {
		l.send(room, "ann", "late", "late") // 4, after 20 days
	}
	l.Clock.Advance(20 * day)
	_, err := a.Keep(l.ctx, "milk", chat.KeepForever)
	ok(l, "Keep", err)
	_, err = a.Keep(l.ctx, "den", 10*day)
	ok(l, "Keep", err)
	expire := func(l *logTest, standard time.Duration, removed uint64, tea, milk, den uint64) {
		n, err := chat.Expire(l.ctx, b, l.Clock.Now(), standard)
		ok(l, "Expire", err)
		equal(l, "removed", n, removed)
		for room, cut := range map[string]uint64{"tea": tea, "milk": milk, "den": den} {
			equal(l, "Cut of "+room, l.head(room).Cut, cut)
		}
	}
	l.sub("without a default", func(l *logTest) { expire(l, 0, 4, 0, 0, 4) })
	l.sub("at the default's age nothing", func(l *logTest) { expire(l, 40*day, 0, 0, 0, 4) })
	l.sub("past it what is older", func(l *logTest) { expire(l, 40*day-time.Millisecond, 3, 3, 0, 4) })
	l.sub("again nothing", func(l *logTest) { expire(l, 40*day-time.Millisecond, 0, 3, 0, 4) })
}

// testCutReopen has what rooms keep survive a crash.
func testCutReopen(l *logTest) {
	if l.Reopen == nil {
		return
	}
	a, _ := l.retainers()
	l.join("tea", "ann")
	l.sendMany("tea", 5)
	_, err := a.Keep(l.ctx, "tea", chat.MinKeep)
	ok(l, "Keep", err)
	_, err = a.Cut(l.ctx, "tea", 3)
	ok(l, "Cut", err)
	before := l.head("tea")
	l.A, l.B = l.Reopen()
	equal(l, "head", l.head("tea"), before)
	equal(l, "numbers", seqs(l.page("tea", chat.Range{Limit: 9}).Messages), []uint64{4, 5})
	equal(l, "next number", l.send("tea", "ann", "m6", "x").Seq, 6)
	a, _ = l.retainers()
	_, err = a.Cut(l.ctx, "tea", 6)
	ok(l, "Cut", err)
	l.A, l.B = l.Reopen()
	equal(l, "messages", l.page("tea", chat.Range{Limit: 9}).Messages, nil)
	equal(l, "next number", l.send("tea", "ann", "m7", "x").Seq, 7)
}

// testCutModel compares random operations with the model's.
func testCutModel(t *testing.T, open func(testing.TB) LogHarness) {
	names := []string{
		"append", "append", "append", "append", "delete", "after", "before", "heads", "cut", "keep",
		"kept",
	}
	ops := drawOps(names, []string{"ann"}, []string{chat.Lobby, "tea"})
	randomRuns(t, false, func(rt *rapid.T, tb testing.TB) {
		h := open(tb)
		model := memstore.NewLog(memstore.Options{Now: h.Clock.Now})
		run := cutRun{logRun{
			ctx: t.Context(), clock: h.Clock, model: model, left: map[string]time.Time{},
		}}
		for i, o := range ops.Draw(rt, "ops") {
			want, got := run.apply(model, o), run.apply([]chat.Log{h.A, h.B}[o.On], o)
			run.forget(got)
			run.forget(want)
			equal(rt, fmt.Sprintf("operation %d: %v", i, o), got, want)
			h.Clock.Advance(7 * time.Hour)
		}
	})
}

// cutRun is a random run that cuts too.
type cutRun struct{ logRun }

func (r *cutRun) apply(log chat.Log, o op) outcome {
	retainer := log.(chat.Retainer)
	switch o.Name {
	case "cut":
		heads, err := log.Heads(r.ctx, []string{o.Room})
		if err != nil || len(heads) == 0 {
			return outcomeOf(err)
		}
		h, err := retainer.Cut(r.ctx, o.Room, heads[0].Seq-min(heads[0].Seq, uint64(o.N)))
		return outcomeOf(err, h)
	case "keep":
		keeps := []time.Duration{0, chat.KeepForever, chat.MinKeep, time.Hour, 2 * chat.MinKeep, 0}
		h, err := retainer.Keep(r.ctx, o.Room, keeps[o.N])
		return outcomeOf(err, h)
	case "kept":
		rows, more, err := retainer.AllKept(context.Background(), "", 1+o.N)
		return outcomeOf(err, rows, more)
	case "append":
		o.N += int(r.clock.Now().Sub(Start)/(28*time.Hour)) * 6 // ids come again for about a day
	}
	return r.logRun.apply(log, o)
}
