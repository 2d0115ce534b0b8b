package storetest

import (
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

func testAppend(l *logTest) {
	l.join("tea", "ann", "bob")
	l.sub("gives the room's next number", func(l *logTest) {
		got := l.send("tea", "ann", "m1", "one")
		equal(l, "first message", got,
			chat.Message{Room: "tea", Seq: 1, ID: "m1", From: "ann", Text: "one", At: Start})
		l.Clock.Advance(time.Second)
		got = l.send("tea", "bob", "m2", "two")
		equal(l, "second message", got,
			chat.Message{
				Room: "tea", Seq: 2, ID: "m2", From: "bob", Text: "two", At: Start.Add(time.Second),
			})
		equal(l, "head's number", l.head("tea").Seq, 2)
	})
	l.sub("stores what Messages then reads on the other instance", func(l *logTest) {
		p := l.page("tea", chat.Range{Limit: 10})
		equal(l, "messages", p.Messages, []chat.Message{
			{Room: "tea", Seq: 1, ID: "m1", From: "ann", Text: "one", At: Start},
			{Room: "tea", Seq: 2, ID: "m2", From: "bob", Text: "two", At: Start.Add(time.Second)},
		})
	})
	l.sub("calls then once, before it returns, with the head of the number", testThen)
	l.sub("counts each room from 1", func(l *logTest) {
		l.join("milk", "ann")
		equal(l, "number in another room", l.send("milk", "ann", "m1", "one").Seq, 1)
	})
	l.sub("keeps the text byte for byte", testText)
	l.sub("gives the same time as it stores", func(l *logTest) {
		l.join("time", "ann")
		d := l.draft("time", "ann", "m1", "x")
		d.At = time.Date(2026, 3, 1, 14, 0, 0, 123_456_789, time.FixedZone("", 7200))
		m, err := l.A.Append(l.ctx, d, nobody)
		ok(l, "Append", err)
		equal(l, "time of the answer", m.At, time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC))
		equal(l, "time as read", l.page("time", chat.Range{Limit: 1}).Messages[0].At, m.At)
	})
}

func testThen(l *logTest) {
	l.join("then", "ann", "bob", "cyd")
	l.send("then", "ann", "m1", "one")
	l.leave("then", "cyd")
	calls := 0
	var head chat.Head
	var told chat.Message
	m, err := l.A.Append(l.ctx, l.draft("then", "bob", "m2", "two"), func(h chat.Head, m chat.Message) {
		calls++
		head, told = h, m
	})
	ok(l, "Append", err)
	equal(l, "calls of then", calls, 1)
	equal(l, "message given to then", told, m)
	equal(l, "head given to then", head, chat.Head{
		Room: "then", Name: "then", Kind: chat.PublicRoom, Owner: "ann", Epoch: l.head("then").Epoch,
		Seq: 2, Gen: 1, Removed: map[string]uint64{"cyd": 1},
	})
}

func testText(l *logTest) {
	l.join("text", "ann")
	texts := []string{
		" leading and trailing ", "\n\ttab and newline\n", `"quotes" \back\ 'single' --`, "<b>&amp;</b>",
		"caf\u00e9 cafe\u0301", "\u2028\u202e\ufeff", "\U0001f375\U0001f468\u200d\U0001f469", "0", "null",
		strings.Repeat("ab", 8192),
	}
	for i, text := range texts {
		m := l.send("text", "ann", "id #"+string(rune('a'+i))+"'/", text)
		equal(l, "text of the answer", m.Text, text)
	}
	for i, m := range l.all("text") {
		equal(l, "text as read", m.Text, texts[i])
		equal(l, "id as read", m.ID, "id #"+string(rune('a'+i))+"'/")
	}
}

func testAppendRefused(l *logTest) {
	l.private("den", "ann")
	l.invite("den", "ann", "bob")
	l.join("tea", "ann", "cyd")
	l.send("tea", "cyd", "m1", "one")
	l.leave("tea", "cyd")
	for _, c := range []struct {
		name, room, from, id string
		want                 chat.Kind
	}{
		{"absent room", "nowhere", "ann", "x1", chat.NotFound},
		{"never joined a private room", "den", "dan", "x2", chat.NotFound},
		{"never joined a public room", "tea", "dan", "x3", chat.NotFound},
		{"only invited", "den", "bob", "x4", chat.NotFound},
		{"left", "tea", "cyd", "x5", chat.NotMember},
		{"left, a repetition", "tea", "cyd", "m1", chat.NotMember},
		{"absent direct room", "@ann,bob", "ann", "x6", chat.NotFound},
	} {
		l.sub(c.name, func(l *logTest) {
			l.refused(l.A, l.draft(c.room, c.from, c.id, "one"), c.want)
			l.refused(l.B, l.draft(c.room, c.from, c.id, "one"), c.want)
		})
	}
	l.sub("uses no number", func(l *logTest) {
		equal(l, "log of tea", len(l.all("tea")), 1)
		equal(l, "log of den", len(l.all("den")), 0)
		equal(l, "next number", l.send("tea", "ann", "m2", "two").Seq, 2)
	})
	l.sub("makes no room", func(l *logTest) {
		heads, err := l.B.Heads(l.ctx, []string{"nowhere", "@ann,bob"})
		ok(l, "Heads", err)
		equal(l, "heads", heads, nil)
	})
	l.sub("succeeds after joining again, also a repetition", func(l *logTest) {
		l.join("tea", "cyd")
		l.again(l.B, l.draft("tea", "cyd", "m1", "one"), 1)
		equal(l, "next number", l.send("tea", "cyd", "m3", "three").Seq, 3)
	})
}

// again repeats an Append whose message is stored already as seq.
func (l *logTest) again(log chat.Log, d chat.Draft, seq uint64) chat.Message {
	l.Helper()
	m, err := log.Append(l.ctx, d, func(chat.Head, chat.Message) {
		l.Errorf("repetition of %s called then", d.ID)
	})
	ok(l, "repetition of "+d.ID, err)
	if m.Seq != seq || !m.Duplicate {
		l.Fatalf("repetition of %s: got number %d, duplicate %v, want number %d, duplicate",
			d.ID, m.Seq, m.Duplicate, seq)
	}
	return m
}

func testRepetition(l *logTest) {
	l.join("tea", "ann", "bob")
	l.join("milk", "ann")
	first := l.send("tea", "ann", "m1", "one")
	l.Clock.Advance(time.Second)
	l.sub("gives the first message", func(l *logTest) {
		for _, log := range []chat.Log{l.A, l.B, l.A} {
			m := l.again(log, l.draft("tea", "ann", "m1", "one"), 1)
			m.Duplicate = false
			equal(l, "message", m, first)
		}
		equal(l, "log", l.all("tea"), []chat.Message{first})
	})
	l.sub("with other text is IDReused", func(l *logTest) {
		l.refused(l.A, l.draft("tea", "ann", "m1", "One"), chat.IDReused)
		l.refused(l.B, l.draft("tea", "ann", "m1", "one "), chat.IDReused)
		equal(l, "log", l.all("tea"), []chat.Message{first})
	})
	l.sub("is by room, user and id", func(l *logTest) {
		equal(l, "another user's", l.send("tea", "bob", "m1", "other").Seq, 2)
		equal(l, "another room's", l.send("milk", "ann", "m1", "other").Seq, 1)
		equal(l, "another id", l.send("tea", "ann", "M1", "one").Seq, 3)
	})
	l.sub("of a deleted message gives the tombstone", func(l *logTest) {
		l.send("tea", "ann", "gone", "secret")
		_, err := l.A.Delete(l.ctx, "tea", 4, "ann")
		ok(l, "Delete", err)
		m := l.again(l.B, l.draft("tea", "ann", "gone", "secret"), 4)
		equal(l, "state", m.State, chat.Deleted)
		equal(l, "text", m.Text, "")
		l.refused(l.B, l.draft("tea", "ann", "gone", "other"), chat.IDReused)
	})
	l.sub("counts for 24 h from the first", func(l *logTest) {
		l.Clock.Advance(23 * time.Hour)
		l.again(l.B, l.draft("tea", "ann", "m1", "one"), 1)
		l.Clock.Advance(time.Hour + time.Second)
		got, err := l.B.Append(l.ctx, l.draft("tea", "ann", "m1", "two"), nobody)
		ok(l, "Append of m1 a day later", err)
		equal(l, "message a day later", got, chat.Message{
			Room: "tea", Seq: 5, ID: "m1", From: "ann", Text: "two", At: ms(l.Clock.Now()),
		})
		l.again(l.A, l.draft("tea", "ann", "m1", "two"), 5)
		l.refused(l.A, l.draft("tea", "ann", "m1", "one"), chat.IDReused)
	})
}
