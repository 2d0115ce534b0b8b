package chat_test

import (
	"errors"
	"testing"

	"github.com/confab-chat/confab/chat"
)

func (w *world) history(c chat.Connection, room string, r chat.Range) chat.Page {
	w.Helper()
	p, err := w.svc.History(w.ctx, c, room, r)
	w.ok(err)
	return p
}

func texts(ms []chat.Message) []string {
	list := make([]string, len(ms))
	for i, m := range ms {
		list[i] = m.Text
	}
	return list
}

func seqs(ms []chat.Message) []uint64 {
	list := make([]uint64, len(ms))
	for i, m := range ms {
		list[i] = m.Seq
	}
	return list
}

// span are the numbers from a to b.
func span(a, b uint64) []uint64 {
	list := []uint64{}
	for ; a <= b; a++ {
		list = append(list, a)
	}
	return list
}

func TestService_History(t *testing.T) {
	w := newWorld(t)
	alice := w.open("alice")
	w.fill(alice, "", 300)
	for name, c := range map[string]struct {
		r    chat.Range
		want []uint64
		more bool
	}{
		"default":               {chat.Range{}, span(1, 50), true},
		"one":                   {chat.Range{Limit: 1}, span(1, 1), true},
		"the most":              {chat.Range{Limit: 200}, span(1, 200), true},
		"after is exclusive":    {chat.Range{After: 7, Limit: 3}, span(8, 10), true},
		"up to the end":         {chat.Range{After: 295, Limit: 5}, span(296, 300), false},
		"short of the limit":    {chat.Range{After: 298, Limit: 50}, span(299, 300), false},
		"after the end":         {chat.Range{After: 300}, span(1, 0), false},
		"far after the end":     {chat.Range{After: 1 << 53}, span(1, 0), false},
		"before is exclusive":   {chat.Range{Before: 101, Limit: 50}, span(51, 100), true},
		"before the first":      {chat.Range{Before: 1}, span(1, 0), false},
		"before the second":     {chat.Range{Before: 2}, span(1, 1), false},
		"before, to the start":  {chat.Range{Before: 11, Limit: 10}, span(1, 10), false},
		"before beyond the end": {chat.Range{Before: 1 << 53, Limit: 2}, span(299, 300), true},
		"newest":                {chat.Range{Before: chat.Newest}, span(251, 300), true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := w.svc.History(w.ctx, alice, "", c.r)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "numbers", seqs(p.Messages), c.want)
			equal(t, "More", p.More, c.more)
			equal(t, "head", p.Head.Seq, 300)
		})
	}
	for name, limit := range map[string]int{"over the most": 201, "below one": -1} {
		t.Run(name, func(t *testing.T) {
			_, err := w.svc.History(w.ctx, alice, "", chat.Range{Limit: limit})
			wantKind(t, err, chat.Invalid)
			equal(t, "field", asError(t, err).Field, "limit")
		})
	}
	sub(t, "empty room", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		p := w.history(alice, "tea", chat.Range{Before: chat.Newest})
		equal(w, "messages", len(p.Messages), 0)
		equal(w, "More", p.More, false)
	})
}

func TestService_Delete(t *testing.T) {
	setUp := func(w *world) (alice, bob, carol chat.Connection) {
		alice, bob, carol = w.open("alice"), w.open("bob"), w.open("carol")
		w.join("tea", alice, bob, carol)
		w.send(alice, "tea", "m1", "of alice")
		w.send(bob, "tea", "m1", "of bob")
		return alice, bob, carol
	}
	sub(t, "by its author", func(w *world) {
		_, bob, carol := setUp(w)
		head, m, err := w.svc.Delete(w.ctx, bob, "Tea", 2)
		w.ok(err)
		equal(w, "room", head.Room, "tea")
		equal(w, "state", m.State, chat.Deleted)
		p := w.history(carol, "tea", chat.Range{})
		equal(w, "texts", texts(p.Messages), []string{"of alice", ""})
		equal(w, "numbers", seqs(p.Messages), span(1, 2))
		equal(w, "next number", w.send(carol, "tea", "m1", "x").Seq, 3)
	})
	sub(t, "by the room's owner", func(w *world) {
		alice, _, _ := setUp(w)
		_, _, err := w.svc.Delete(w.ctx, alice, "tea", 2)
		w.ok(err)
		equal(w, "texts", texts(w.history(alice, "tea", chat.Range{}).Messages), []string{"of alice", ""})
	})
	sub(t, "by another member", func(w *world) {
		_, bob, carol := setUp(w)
		for _, c := range []chat.Connection{bob, carol} {
			_, _, err := w.svc.Delete(w.ctx, c, "tea", 1)
			wantKind(w.T, err, chat.Forbidden)
		}
		equal(w, "texts", texts(w.history(bob, "tea", chat.Range{}).Messages), []string{"of alice", "of bob"})
	})
	sub(t, "again", func(w *world) {
		_, bob, _ := setUp(w)
		for range 2 {
			_, m, err := w.svc.Delete(w.ctx, bob, "tea", 2)
			w.ok(err)
			equal(w, "state", m.State, chat.Deleted)
		}
	})
	sub(t, "no such message", func(w *world) {
		alice, _, _ := setUp(w)
		for _, seq := range []uint64{0, 3, 1 << 53} {
			_, _, err := w.svc.Delete(w.ctx, alice, "tea", seq)
			wantKind(w.T, err, chat.NotFound)
		}
	})
	sub(t, "the id stays used", func(w *world) {
		_, bob, _ := setUp(w)
		_, _, err := w.svc.Delete(w.ctx, bob, "tea", 2)
		w.ok(err)
		m := w.send(bob, "tea", "m1", "of bob")
		equal(w, "number", m.Seq, 2)
		equal(w, "Duplicate", m.Duplicate, true)
		equal(w, "text", m.Text, "")
	})
	sub(t, "in the lobby nobody deletes what is another's", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.send(alice, "", "m1", "hi")
		_, _, err := w.svc.Delete(w.ctx, bob, "", 1)
		wantKind(w.T, err, chat.Forbidden)
	})
}

func TestService_Read(t *testing.T) {
	sub(t, "moves forward and never back", func(w *world) {
		alice := w.open("alice")
		w.join("tea", alice)
		w.fill(alice, "tea", 5)
		for _, c := range []struct{ asked, marker uint64 }{{3, 3}, {1, 3}, {0, 3}, {9, 5}, {4, 5}} {
			head, seq, err := w.svc.Read(w.ctx, alice, "TEA", c.asked)
			w.ok(err)
			equal(w, "room", head.Room, "tea")
			equal(w, "number", seq, c.marker)
			equal(w, "marker", w.marker(alice, "tea"), c.marker)
		}
	})
	sub(t, "is each user's own", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.fill(alice, "", 5)
		_, _, err := w.svc.Read(w.ctx, alice, "", 5)
		w.ok(err)
		equal(w, "bob's", w.marker(bob, "lobby"), 0)
		equal(w, "alice's other device", w.marker(w.open("alice"), "lobby"), 5)
	})
}

func (w *world) marker(c chat.Connection, room string) uint64 {
	w.Helper()
	states, err := w.svc.Rooms(w.ctx, c.User)
	w.ok(err)
	for _, s := range states {
		if s.Head.Room == room {
			return s.Member.Read
		}
	}
	w.Fatalf("%s is not in %s", c.User, room)
	return 0
}

// resumed is what a resume gives.
type resumed struct {
	numbers []uint64
	reset   bool
	seq     uint64
	more    bool
	ok      bool
}

func (w *world) resume(c chat.Connection, cur chat.Cursor, limit int) resumed {
	w.Helper()
	r := resumed{numbers: []uint64{}}
	m, ok, err := w.svc.Resume(w.ctx, c, cur, limit, func(p chat.Page) error {
		r.numbers = append(r.numbers, seqs(p.Messages)...)
		return nil
	})
	w.ok(err)
	r.reset, r.seq, r.more, r.ok = m.Reset != "", m.Seq, m.More, ok
	return r
}

func TestService_Resume(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.open("alice"), w.open("bob")
	w.fill(alice, "", 450)
	w.join("Tea", alice, bob)
	w.fill(alice, "tea", 3)
	w.leave("tea", bob)
	lobby, err := w.svc.HeadOf(w.ctx, "lobby")
	w.ok(err)
	tea, err := w.svc.HeadOf(w.ctx, "tea")
	w.ok(err)
	from := func(seq uint64) chat.Cursor { return chat.Cursor{Room: "lobby", Epoch: lobby.Epoch, Seq: seq} }
	other := func(seq uint64) chat.Cursor { return chat.Cursor{Room: "tea", Epoch: tea.Epoch, Seq: seq} }
	none := span(1, 0)
	foreign := chat.Cursor{Room: "lobby", Epoch: tea.Epoch}
	for name, c := range map[string]struct {
		who   chat.Connection
		cur   chat.Cursor
		limit int
		want  resumed
	}{
		"nothing missed":          {alice, from(450), 1000, resumed{none, false, 450, false, true}},
		"the last":                {alice, from(449), 1000, resumed{span(450, 450), false, 450, false, true}},
		"all, in pages":           {alice, from(0), 1000, resumed{span(1, 450), false, 450, false, true}},
		"exactly the limit":       {alice, from(350), 100, resumed{span(351, 450), false, 450, false, true}},
		"one over the limit":      {alice, from(349), 100, resumed{span(350, 449), false, 449, true, true}},
		"limit of several pages":  {alice, from(0), 300, resumed{span(1, 300), false, 300, true, true}},
		"no limit left":           {alice, from(449), 0, resumed{none, false, 449, true, true}},
		"ahead of the log":        {alice, from(451), 1000, resumed{reset: true, ok: true}},
		"foreign epoch":           {alice, foreign, 9, resumed{reset: true, ok: true}},
		"empty epoch":             {alice, chat.Cursor{Room: "lobby", Seq: 450}, 9, resumed{reset: true, ok: true}},
		"another room":            {alice, other(1), 9, resumed{span(2, 3), false, 3, false, true}},
		"left room":               {bob, other(1), 9, resumed{}},
		"unknown room":            {bob, chat.Cursor{Room: "none", Epoch: tea.Epoch, Seq: 1}, 9, resumed{}},
		"no room's name":          {bob, chat.Cursor{Room: "a b", Epoch: tea.Epoch, Seq: 1}, 9, resumed{}},
		"left room, foreign":      {bob, chat.Cursor{Room: "tea", Epoch: "x", Seq: 99}, 9, resumed{}},
		"a stranger's direct one": {bob, chat.Cursor{Room: "@alice,carol", Seq: 1}, 9, resumed{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.resume(c.who, c.cur, c.limit)
			if len(got.numbers)+len(c.want.numbers) > 0 {
				equal(t, "numbers", got.numbers, c.want.numbers)
			}
			got.numbers, c.want.numbers = nil, nil
			if got.reset { // of a reset the number says nothing
				got.seq, c.want.seq = 0, 0
			}
			if got.reset != c.want.reset || got.seq != c.want.seq || got.more != c.want.more || got.ok != c.want.ok {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	t.Run("a room in other case", func(t *testing.T) {
		got := w.resume(alice, chat.Cursor{Room: "TEA", Epoch: tea.Epoch, Seq: 1}, 9)
		equal(t, "numbers", got.numbers, span(2, 3))
	})
	t.Run("a failed send ends it", func(t *testing.T) {
		broken := errors.New("broken pipe")
		calls := 0
		_, _, err := w.svc.Resume(w.ctx, alice, from(0), 1000, func(chat.Page) error { calls++; return broken })
		if !errors.Is(err, broken) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}
