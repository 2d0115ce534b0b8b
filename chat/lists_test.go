package chat_test

import (
	"fmt"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// row is what a client can tell of a chat.RoomRow.
type row struct {
	name, by string
	seq      uint64
	mine     bool
}

func (w *world) rooms(c chat.Connection, after string, limit int) ([]row, bool) {
	w.Helper()
	list, more, err := w.svc.ListRooms(w.ctx, c, after, limit)
	w.ok(err)
	rows := []row{}
	for _, r := range list {
		it := row{name: r.Name, by: r.InvitedBy}
		if r.Head != nil {
			it.mine, it.seq = true, r.Head.Seq
		}
		rows = append(rows, it)
	}
	return rows, more
}

func sameRows(w *world, got, want []row) {
	w.Helper()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		w.Errorf("rows\n%+v, want\n%+v", got, want)
	}
}

func TestService_ListRooms(t *testing.T) {
	sub(t, "mine, invitations and public ones", func(w *world) {
		alice, bob, carol := w.open("alice"), w.open("bob"), w.open("carol")
		w.join("Tea", alice, bob)
		w.join("coffee", alice)
		w.private("den", alice, bob)
		w.private("attic", alice)
		w.fill(alice, "tea", 3)
		_, err := w.svc.Send(w.ctx, carol, chat.Send{To: "bob", ID: "m", Text: "x"}, nobody)
		w.ok(err)
		rows, more := w.rooms(bob, "", 0)
		sameRows(w, rows, []row{
			{name: "@bob,carol", seq: 1, mine: true},
			{name: "coffee"},
			{name: "den", by: "alice"},
			{name: "lobby", mine: true},
			{name: "Tea", seq: 3, mine: true},
		})
		equal(w, "more", more, false)
		rows, _ = w.rooms(carol, "", 0)
		sameRows(w, rows, []row{
			{name: "@bob,carol", seq: 1, mine: true}, {name: "coffee"}, {name: "lobby", mine: true}, {name: "Tea"},
		})
		w.leave("tea", bob)
		rows, _ = w.rooms(bob, "lobby", 0)
		sameRows(w, rows, []row{{name: "Tea"}})
	})
	sub(t, "paging gives each room once", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		for i := range 30 {
			w.join(fmt.Sprintf("Room%02d", i), alice)
			if i%3 == 0 {
				w.join(fmt.Sprintf("room%02d", i), bob)
			}
		}
		for limit := 1; limit <= 40; limit++ {
			all, after := []string{}, ""
			for more := true; more; {
				var rows []row
				rows, more = w.rooms(bob, after, limit)
				if len(rows) > limit || len(rows) == 0 || len(all) > 31 {
					w.Fatalf("%d rows with limit %d", len(rows), limit)
				}
				for _, r := range rows {
					all = append(all, r.name)
				}
				after = all[len(all)-1]
			}
			if len(all) != 31 || all[0] != "lobby" || all[30] != "Room29" {
				w.Errorf("limit %d gives %d rooms: %v", limit, len(all), all)
			}
		}
	})
	sub(t, "bad limit", func(w *world) {
		for _, limit := range []int{-1, 201} {
			_, _, err := w.svc.ListRooms(w.ctx, w.open("alice"), "", limit)
			wantKind(w.T, err, chat.Invalid)
		}
	})
}

func TestService_ListUsers(t *testing.T) {
	sub(t, "online is who has a connection", func(w *world) {
		w.open("Alice")
		bob, bob2 := w.open("bob"), w.open("BOB")
		w.open("carol")
		list := func() []chat.Person {
			people, more, err := w.svc.ListUsers(w.ctx, "", 0)
			w.ok(err)
			equal(w, "more", more, false)
			return people
		}
		w.disconnect(bob.ID)
		equal(w, "one device gone", list(), []chat.Person{{User: "Alice", Online: true}, {User: "bob", Online: true}, {User: "carol", Online: true}})
		w.disconnect(bob2.ID)
		equal(w, "both gone", list(), []chat.Person{{User: "Alice", Online: true}, {User: "bob", Online: false}, {User: "carol", Online: true}})
	})
	sub(t, "paging", func(w *world) {
		for i := range 25 {
			c := w.open(fmt.Sprintf("user%02d", i))
			if i%2 == 1 {
				w.disconnect(c.ID)
			}
		}
		for limit := 1; limit <= 30; limit++ {
			all, after := []chat.Person{}, ""
			for more := true; more; {
				var people []chat.Person
				var err error
				people, more, err = w.svc.ListUsers(w.ctx, after, limit)
				w.ok(err)
				all = append(all, people...)
				after = all[len(all)-1].User
			}
			if len(all) != 25 {
				w.Fatalf("limit %d gives %d users", limit, len(all))
			}
			for i, p := range all {
				if p.User != fmt.Sprintf("user%02d", i) || p.Online != (i%2 == 0) {
					w.Errorf("limit %d: row %d is %+v", limit, i, p)
				}
			}
		}
	})
	sub(t, "bad limit", func(w *world) {
		_, _, err := w.svc.ListUsers(w.ctx, "", 201)
		wantKind(w.T, err, chat.Invalid)
	})
}

func TestService_ListMembers(t *testing.T) {
	sub(t, "joined ones alone, online by their connections", func(w *world) {
		alice, bob, carol, dave := w.open("alice"), w.open("bob"), w.open("carol"), w.open("dave")
		w.private("Den", alice, bob, carol, dave)
		w.join("den", bob, carol)
		w.leave("den", carol)
		w.disconnect(bob.ID)
		head, people, more, err := w.svc.ListMembers(w.ctx, alice, "den", "", 0)
		w.ok(err)
		equal(w, "name", head.Name, "Den")
		equal(w, "more", more, false)
		equal(w, "members", people, []chat.Person{{User: "alice", Online: true}, {User: "bob", Online: false}})
	})
	sub(t, "paging", func(w *world) {
		first := w.open("user00")
		w.join("tea", first)
		for i := 1; i < 7; i++ {
			w.join("tea", w.open(fmt.Sprintf("user%02d", i)))
		}
		_, people, more, err := w.svc.ListMembers(w.ctx, first, "tea", "user03", 2)
		w.ok(err)
		equal(w, "members", people, []chat.Person{{User: "user04", Online: true}, {User: "user05", Online: true}})
		equal(w, "more", more, true)
		_, people, more, err = w.svc.ListMembers(w.ctx, first, "tea", "user05", 2)
		w.ok(err)
		equal(w, "members", people, []chat.Person{{User: "user06", Online: true}})
		equal(w, "more", more, false)
	})
	sub(t, "of the lobby", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		w.disconnect(bob.ID)
		head, people, _, err := w.svc.ListMembers(w.ctx, alice, "", "", 0)
		w.ok(err)
		equal(w, "room", head.Room, "lobby")
		equal(w, "members", people, []chat.Person{{User: "alice", Online: true}, {User: "bob", Online: false}})
	})
	sub(t, "of a direct room", func(w *world) {
		alice, bob := w.open("alice"), w.open("bob")
		m, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m", Text: "x"}, nobody)
		w.ok(err)
		_, people, _, err := w.svc.ListMembers(w.ctx, bob, m.Room, "", 0)
		w.ok(err)
		equal(w, "members", people, []chat.Person{{User: "alice", Online: true}, {User: "bob", Online: true}})
	})
	sub(t, "bad limit", func(w *world) {
		_, _, _, err := w.svc.ListMembers(w.ctx, w.open("alice"), "", "", -1)
		wantKind(w.T, err, chat.Invalid)
	})
}

func TestService_Rooms(t *testing.T) {
	w := newWorld(t)
	alice := w.open("alice")
	for i := range 150 { // more than one call of Heads
		w.join(fmt.Sprintf("room%03d", i), alice)
	}
	w.fill(alice, "room149", 2)
	states, err := w.svc.Rooms(w.ctx, "alice")
	w.ok(err)
	equal(w, "rooms", len(states), 151)
	equal(w, "the first", states[0].Head.Room, "lobby")
	equal(w, "the last", states[150].Head.Room, "room149")
	equal(w, "its number", states[150].Head.Seq, 2)
}
