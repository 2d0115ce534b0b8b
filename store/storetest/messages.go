package storetest

import (
	"fmt"
	"strings"

	"github.com/confab-chat/confab/chat"
)

func testMessages(l *logTest) {
	l.join("tea", "ann")
	for i := range 7 {
		l.send("tea", "ann", fmt.Sprintf("m%d", i+1), "x")
	}
	for _, c := range []struct {
		name string
		r    chat.Range
		want []uint64
		more bool
	}{
		{"from the start", chat.Range{Limit: 3}, []uint64{1, 2, 3}, true},
		{"after", chat.Range{After: 2, Limit: 3}, []uint64{3, 4, 5}, true},
		{"after, to the end", chat.Range{After: 4, Limit: 3}, []uint64{5, 6, 7}, false},
		{"after, beyond the end", chat.Range{After: 5, Limit: 3}, []uint64{6, 7}, false},
		{"after the head", chat.Range{After: 7, Limit: 3}, nil, false},
		{"after what was never given", chat.Range{After: 99, Limit: 3}, nil, false},
		{"all", chat.Range{Limit: 200}, []uint64{1, 2, 3, 4, 5, 6, 7}, false},
		{"one", chat.Range{After: 3, Limit: 1}, []uint64{4}, true},
		{"newest", chat.Range{Before: chat.Newest, Limit: 3}, []uint64{5, 6, 7}, true},
		{"all as newest", chat.Range{Before: chat.Newest, Limit: 7}, []uint64{1, 2, 3, 4, 5, 6, 7}, false},
		{"before", chat.Range{Before: 5, Limit: 3}, []uint64{2, 3, 4}, true},
		{"before, to the start", chat.Range{Before: 4, Limit: 3}, []uint64{1, 2, 3}, false},
		{"before, beyond the start", chat.Range{Before: 3, Limit: 3}, []uint64{1, 2}, false},
		{"before the first", chat.Range{Before: 1, Limit: 3}, nil, false},
		{"before what was never given", chat.Range{Before: 99, Limit: 2}, []uint64{6, 7}, true},
	} {
		l.sub(c.name, func(l *logTest) {
			p := l.page("tea", c.r)
			equal(l, "numbers", seqs(p.Messages), c.want)
			equal(l, "More", p.More, c.more)
			equal(l, "head", p.Head, l.head("tea"))
		})
	}
	l.sub("of an absent room is NotFound", func(l *logTest) {
		_, err := l.A.Messages(l.ctx, "nowhere", chat.Range{Limit: 1})
		wantKind(l, "Messages", err, chat.NotFound)
	})
	l.sub("of an empty room", func(l *logTest) {
		l.join("empty", "ann")
		for _, r := range []chat.Range{{Limit: 1}, {Before: chat.Newest, Limit: 1}} {
			p := l.page("empty", r)
			equal(l, "messages", p.Messages, nil)
			equal(l, "More", p.More, false)
			equal(l, "name in the head", p.Head.Name, "empty")
		}
	})
	l.sub("belong to the caller", func(l *logTest) {
		for _, r := range []chat.Range{{Limit: 2}, {Before: 3, Limit: 2}} {
			l.page("tea", r).Messages[0].Text = "changed"
			equal(l, "text read again", l.page("tea", r).Messages[0].Text, "x")
		}
	})
}

func testPageBytes(l *logTest) {
	l.join("big", "ann")
	text := strings.Repeat("a", 10_000) // a JSONSize of 10,209: 9 of them are 91,881 bytes, 10 over 98,304
	for i := range 12 {
		l.send("big", "ann", fmt.Sprintf("m%02d", 10+i), text)
	}
	l.sub("end a page from its start", func(l *logTest) {
		p := l.page("big", chat.Range{Limit: 50})
		equal(l, "numbers", seqs(p.Messages), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9})
		equal(l, "More", p.More, true)
		p = l.page("big", chat.Range{After: 9, Limit: 50})
		equal(l, "numbers of the next", seqs(p.Messages), []uint64{10, 11, 12})
		equal(l, "More of the next", p.More, false)
	})
	l.sub("end a page from its end", func(l *logTest) {
		p := l.page("big", chat.Range{Before: chat.Newest, Limit: 50})
		equal(l, "numbers", seqs(p.Messages), []uint64{4, 5, 6, 7, 8, 9, 10, 11, 12})
		equal(l, "More", p.More, true)
		p = l.page("big", chat.Range{Before: 4, Limit: 50})
		equal(l, "numbers of the next", seqs(p.Messages), []uint64{1, 2, 3})
		equal(l, "More of the next", p.More, false)
	})
	l.sub("count what JSON must escape", func(l *logTest) {
		l.join("quotes", "ann")
		// A JSONSize of 32,978: two are 65,956, three 98,934.
		quotes := strings.Repeat(`"`, 16_384)
		for i := range 3 {
			l.send("quotes", "ann", fmt.Sprintf("%d", i), quotes)
		}
		equal(l, "numbers", seqs(l.page("quotes", chat.Range{Limit: 50}).Messages), []uint64{1, 2})
	})
	l.sub("are those of the messages on the page", func(l *logTest) {
		l.join("mixed", "ann")
		for i, size := range []int{60_000, 60_000, 1, 1} {
			l.send("mixed", "ann", fmt.Sprintf("%d", i), strings.Repeat("m", size))
		}
		p := l.page("mixed", chat.Range{Before: chat.Newest, Limit: 50})
		equal(l, "newest", seqs(p.Messages), []uint64{2, 3, 4})
		p = l.page("mixed", chat.Range{After: 1, Limit: 50})
		equal(l, "numbers after the first", seqs(p.Messages), []uint64{2, 3, 4})
	})
	l.sub("never leave a page empty", func(l *logTest) {
		l.join("huge", "ann")
		for i := range 3 {
			l.send("huge", "ann", fmt.Sprintf("%d", i), strings.Repeat("h", 100_000))
		}
		p := l.page("huge", chat.Range{After: 1, Limit: 50})
		equal(l, "numbers", seqs(p.Messages), []uint64{2})
		equal(l, "More", p.More, true)
		p = l.page("huge", chat.Range{Before: chat.Newest, Limit: 50})
		equal(l, "newest", seqs(p.Messages), []uint64{3})
		equal(l, "More of the newest", p.More, true)
	})
}

func testDelete(l *logTest) {
	l.join("tea", "ann", "bob")
	l.send("tea", "ann", "m1", "one")
	l.send("tea", "bob", "m2", "two")
	l.send("tea", "bob", "m3", "three")
	tombstone := chat.Message{Room: "tea", Seq: 2, State: chat.Deleted, ID: "m2", From: "bob", At: Start}
	l.sub("of another's message is Forbidden", func(l *logTest) {
		_, err := l.A.Delete(l.ctx, "tea", 2, "ann")
		wantKind(l, "Delete", err, chat.Forbidden)
		equal(l, "text", l.all("tea")[1].Text, "two")
	})
	l.sub("gives the tombstone, again the same", func(l *logTest) {
		for _, log := range []chat.Log{l.A, l.B, l.A} {
			m, err := log.Delete(l.ctx, "tea", 2, "bob")
			ok(l, "Delete", err)
			equal(l, "tombstone", m, tombstone)
		}
	})
	l.sub("leaves the number and takes the text", func(l *logTest) {
		all := l.all("tea")
		equal(l, "numbers", seqs(all), []uint64{1, 2, 3})
		equal(l, "tombstone", all[1], tombstone)
		equal(l, "neighbour", all[2].Text, "three")
		equal(l, "head's number", l.head("tea").Seq, 3)
	})
	l.sub("of a tombstone that is another's is Forbidden", func(l *logTest) {
		_, err := l.B.Delete(l.ctx, "tea", 2, "ann")
		wantKind(l, "Delete", err, chat.Forbidden)
	})
	l.sub("without author is of anybody's", func(l *logTest) {
		m, err := l.B.Delete(l.ctx, "tea", 3, "")
		ok(l, "Delete", err)
		want := chat.Message{Room: "tea", Seq: 3, State: chat.Deleted, ID: "m3", From: "bob", At: Start}
		equal(l, "tombstone", m, want)
	})
	for _, c := range []struct {
		name, room string
		seq        uint64
	}{{"number 0", "tea", 0}, {"a number not given", "tea", 4}, {"an absent room", "nowhere", 1}} {
		l.sub("of "+c.name+" is NotFound", func(l *logTest) {
			_, err := l.A.Delete(l.ctx, c.room, c.seq, "")
			wantKind(l, "Delete", err, chat.NotFound)
		})
	}
	l.sub("does not stop the numbers", func(l *logTest) {
		equal(l, "next number", l.send("tea", "ann", "m4", "four").Seq, 4)
	})
}

func testHeads(l *logTest) {
	l.join("tea", "ann", "bob")
	l.private("den", "bob")
	l.send("tea", "ann", "m1", "one")
	l.sub("read many, without the unknown", func(l *logTest) {
		heads, err := l.B.Heads(l.ctx, []string{"nowhere", "den", "tea", "lobby"})
		ok(l, "Heads", err)
		byRoom := map[string]chat.Head{}
		epochs := map[string]bool{}
		for _, h := range heads {
			epochs[h.Epoch] = true
			h.Epoch = ""
			byRoom[h.Room] = h
		}
		equal(l, "heads", byRoom, map[string]chat.Head{
			"lobby": {Room: "lobby", Name: "lobby", Kind: chat.LobbyRoom},
			"tea":   {Room: "tea", Name: "tea", Kind: chat.PublicRoom, Owner: "ann", Seq: 1},
			"den":   {Room: "den", Name: "den", Kind: chat.PrivateRoom, Owner: "bob"},
		})
		if len(epochs) != 3 || epochs[""] {
			l.Fatalf("epochs: got %v, want three, each its own", epochs)
		}
	})
	l.sub("keep their epoch", func(l *logTest) {
		for _, room := range []string{"lobby", "tea"} {
			epoch := l.head(room).Epoch
			l.send(room, "ann", "m2", "two")
			l.Clock.Advance(48 * 3600e9)
			equal(l, "epoch of "+room, l.head(room).Epoch, epoch)
		}
	})
	l.sub("read MaxHeads", func(l *logTest) {
		rooms := []string{"tea"}
		for i := range chat.MaxHeads - 1 {
			rooms = append(rooms, fmt.Sprintf("no%d", i))
		}
		heads, err := l.B.Heads(l.ctx, rooms)
		ok(l, "Heads", err)
		equal(l, "heads", len(heads), 1)
	})
	l.sub("of no rooms are none", func(l *logTest) {
		heads, err := l.B.Heads(l.ctx, nil)
		ok(l, "Heads", err)
		equal(l, "heads", len(heads), 0)
	})
}
