package storetest

import (
	"fmt"
	"time"

	"github.com/confab-chat/confab/chat"
)

func testReopen(l *logTest) {
	if l.LogHarness.Reopen == nil {
		return
	}
	l.join("tea", "ann", "bob", "cyd")
	l.private("den", "ann")
	l.invite("den", "ann", "bob")
	l.send("tea", "ann", "m1", "one")
	l.send("tea", "bob", "m2", "two")
	l.send("lobby", "ann", "m1", "hello")
	_, err := l.A.Delete(l.ctx, "tea", 2, "bob")
	ok(l, "Delete", err)
	l.leave("tea", "cyd")
	ok(l, "MarkRead", l.A.MarkRead(l.ctx, "ann", "tea", 2))
	ok(l, "PutUser", l.A.PutUser(l.ctx, chat.User{Name: "Ann", Since: Start}))
	before := l.everything("tea", "den", "lobby")
	l.A, l.B = l.LogHarness.Reopen()
	equal(l, "what a crash left", l.everything("tea", "den", "lobby"), before)
	l.again(l.B, l.draft("tea", "ann", "m1", "one"), 1)
	l.refused(l.A, l.draft("tea", "bob", "m2", "other"), chat.IDReused)
	l.refused(l.A, l.draft("tea", "cyd", "m3", "x"), chat.NotMember)
	equal(l, "next number", l.send("tea", "bob", "m4", "four").Seq, 3)
}

// everything reads all that a log says of some rooms.
func (l *logTest) everything(rooms ...string) []any {
	l.Helper()
	var all []any
	for _, room := range rooms {
		members, _, err := l.B.Members(l.ctx, room, "", chat.MaxPage)
		ok(l, "Members", err)
		all = append(all, l.head(room), l.all(room), members)
	}
	for _, user := range []string{"ann", "bob", "cyd"} {
		of, err := l.B.RoomsOf(l.ctx, user)
		ok(l, "RoomsOf", err)
		all = append(all, of)
	}
	users, _, err := l.B.Users(l.ctx, "", chat.MaxPage)
	ok(l, "Users", err)
	public, _, err := l.B.PublicRooms(l.ctx, "", chat.MaxPage)
	ok(l, "PublicRooms", err)
	return append(all, users, public)
}

// settled is later than any number needs to be stored.
const settled = chat.SettleAfter + time.Second

func testStall(l *logTest) {
	if l.LogHarness.Stall == nil {
		return
	}
	rooms := 0
	in := func(name string, run func(l *logTest, room string)) {
		rooms++
		room := fmt.Sprintf("room%d", rooms)
		l.join(room, "ann", "bob")
		l.send(room, "ann", "first", "first")
		l.sub(name, func(l *logTest) { run(l, room) })
	}
	in("a number without message ends the page", func(l *logTest, room string) {
		finish := l.stall(room, nobody)
		l.send(room, "ann", "next", "next")
		for range 2 {
			p := l.page(room, chat.Range{Limit: 10})
			equal(l, "numbers", seqs(p.Messages), []uint64{1})
			equal(l, "More", p.More, true)
		}
		m, err := finish()
		ok(l, "the late Append", err)
		equal(l, "its number", m.Seq, 2)
		p := l.page(room, chat.Range{Limit: 10})
		equal(l, "numbers", seqs(p.Messages), []uint64{1, 2, 3})
		equal(l, "More", p.More, false)
		_, err = l.A.Delete(l.ctx, room, 2, "bob")
		ok(l, "Delete", err)
	})
	in("a late writer after a void takes another number", testLateWriter)
	in("the last number becomes a void too", func(l *logTest, room string) {
		finish := l.stall(room, nobody)
		p := l.page(room, chat.Range{After: 1, Limit: 10})
		equal(l, "messages", p.Messages, nil)
		equal(l, "More", p.More, true)
		l.Clock.Advance(settled)
		p = l.page(room, chat.Range{After: 1, Limit: 10})
		equal(l, "messages", p.Messages, []chat.Message{{Room: room, Seq: 2, State: chat.Void}})
		equal(l, "More", p.More, false)
		p = l.page(room, chat.Range{Before: chat.Newest, Limit: 10})
		equal(l, "newest", seqs(p.Messages), []uint64{1, 2})
		_, err := finish()
		ok(l, "the late Append", err)
	})
	in("a late writer that left is refused", func(l *logTest, room string) {
		finish := l.stall(room, func(chat.Head, chat.Message) { l.Error("then was called") })
		ok(l, "Leave", l.B.Leave(l.ctx, room, "bob"))
		l.Clock.Advance(settled)
		equal(l, "log", len(l.all(room)), 2)
		_, err := finish()
		wantKind(l, "the late Append", err, chat.NotMember)
		l.Clock.Advance(settled)
		equal(l, "stored messages", len(stored(l.all(room))), 1)
	})
	in("a repetition overtakes and stores once", func(l *logTest, room string) {
		finish := l.stall(room, nobody)
		over, err := l.B.Append(l.ctx, l.draft(room, "bob", "late", "late"), nobody)
		ok(l, "the repetition", err)
		m, err := finish()
		ok(l, "the late Append", err)
		equal(l, "its number", m.Seq, over.Seq)
		l.Clock.Advance(settled)
		equal(l, "stored messages", len(stored(l.all(room))), 2)
	})
}

// stall holds an Append by bob with the number 2; its id and its text are "late".
func (l *logTest) stall(room string, then func(chat.Head, chat.Message)) (finish func() (chat.Message, error)) {
	l.Helper()
	seq, finish := l.Stall(l.draft(room, "bob", "late", "late"), then)
	equal(l, "number of the stalled Append", seq, 2)
	return finish
}

func testLateWriter(l *logTest, room string) {
	var log told
	finish := l.stall(room, log.then)
	l.send(room, "ann", "next", "next")
	l.Clock.Advance(settled)
	void := chat.Message{Room: room, Seq: 2, State: chat.Void}
	equal(l, "number 2", l.all(room)[1], void)
	_, err := l.A.Delete(l.ctx, room, 2, "")
	wantKind(l, "Delete of a void", err, chat.NotFound)
	m, err := finish()
	ok(l, "the late Append", err)
	equal(l, "its number", m.Seq, 4)
	equal(l, "number 2 stays", l.all(room)[1], void)
	equal(l, "number 4", l.all(room)[3], m)
	equal(l, "numbers that then was given", seqs(log.messages), []uint64{4})
	equal(l, "number of then's head", log.heads[0].Seq, 4)
	l.again(l.B, l.draft(room, "bob", "late", "late"), 4)
}

// crashOp is a change that is cut off after each of its requests and repeated by another instance.
type crashOp struct {
	name  string
	run   func(l *logTest, log chat.Log, room string) error
	check func(l *logTest, room string)
}

func testCrash(l *logTest) {
	if l.LogHarness.Crash == nil {
		return
	}
	for _, op := range crashOps {
		l.sub(op.name, func(l *logTest) {
			const most = 25 // requests of one operation
			for n := 1; ; n++ {
				room := fmt.Sprintf("%s%d", op.name, n)
				l.join(room, "ann", "bob")
				l.send(room, "bob", "first", "first")
				l.LogHarness.Crash(n)
				err := op.run(l, l.A, room)
				l.LogHarness.Crash(0)
				if err != nil && !chat.Is(err, chat.Unavailable) && !chat.Is(err, chat.Unknown) {
					l.Fatalf("cut off at request %d: %v, want unavailable or unknown outcome", n, err)
				}
				ok(l, fmt.Sprintf("repetition after request %d", n), op.run(l, l.B, room))
				l.Clock.Advance(settled)
				op.check(l, room)
				if err == nil {
					return
				}
				if n == most {
					l.Fatalf("after %d requests it still fails", n)
				}
			}
		})
	}
}

var crashOps = []crashOp{
	{
		"append",
		func(l *logTest, log chat.Log, room string) error {
			_, err := log.Append(l.ctx, l.draft(room, "bob", "cut", "cut"), nobody)
			return err
		},
		func(l *logTest, room string) {
			all := stored(l.all(room))
			equal(l, "stored messages", len(all), 2)
			equal(l, "id", all[1].ID, "cut")
			l.again(l.A, l.draft(room, "bob", "cut", "cut"), all[1].Seq)
			l.leave(room, "bob")
		},
	},
	{
		"leave",
		func(l *logTest, log chat.Log, room string) error { return log.Leave(l.ctx, room, "bob") },
		func(l *logTest, room string) {
			l.refused(l.A, l.draft(room, "bob", "after", "x"), chat.NotMember)
			h := l.head(room)
			equal(l, "outdated", h.Outdated("bob", 0), true)
			rooms, err := l.A.RoomsOf(l.ctx, "bob")
			ok(l, "RoomsOf", err)
			equal(l, "rooms", rooms, []chat.Member{{Room: "lobby", User: "bob", State: chat.Joined}})
			m, _, err := l.A.Join(l.ctx, chat.Join{Room: room, User: "bob"})
			ok(l, "Join again", err)
			equal(l, "outdated after joining again", h.Outdated("bob", m.Gen), false)
			ok(l, "Leave", l.A.Leave(l.ctx, room, "bob"))
		},
	},
	{
		"join",
		func(l *logTest, log chat.Log, room string) error {
			room += "x"
			_, _, err := log.Join(l.ctx, chat.Join{
				Room: room, Name: room, User: "cyd", Kind: chat.PublicRoom,
			})
			return err
		},
		func(l *logTest, room string) {
			room += "x"
			l.wantMember(room, "cyd", chat.Member{Room: room, User: "cyd", State: chat.Joined})
			equal(l, "owner", l.head(room).Owner, "cyd")
			equal(l, "number", l.send(room, "cyd", "m1", "x").Seq, 1)
			public, _, err := l.A.PublicRooms(l.ctx, room[:len(room)-1], 1)
			ok(l, "PublicRooms", err)
			equal(l, "public room", public, []chat.RoomName{{Room: room, Name: room}})
			l.leave(room, "cyd")
		},
	},
	{
		"delete",
		func(l *logTest, log chat.Log, room string) error {
			_, err := log.Delete(l.ctx, room, 1, "bob")
			return err
		},
		func(l *logTest, room string) {
			equal(l, "state", l.all(room)[0].State, chat.Deleted)
			equal(l, "text", l.all(room)[0].Text, "")
		},
	},
}
