package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/confab-chat/confab/chat"
)

// paged reads a list page by page, at most limit rows each, and checks more of each page.
func paged[T any](t failer, limit int, key func(T) string, read func(after string) ([]T, bool, error)) []T {
	t.Helper()
	var all []T
	after := ""
	for {
		rows, more, err := read(after)
		ok(t, "page after "+after, err)
		if len(rows) > limit || more && len(rows) == 0 {
			t.Fatalf("page after %q: %d rows, more %v, limit %d", after, len(rows), more, limit)
		}
		all = append(all, rows...)
		if !more {
			return all
		}
		after = key(rows[len(rows)-1])
	}
}

func testLists(l *logTest) {
	for _, room := range []string{"milk", "tea", "a.b", "ümlaut", "zoo", "0"} {
		l.join(room, "ann")
	}
	_, _, err := l.A.Join(l.ctx, chat.Join{
		Room: "loud", Name: "LOUD", User: "ann", Kind: chat.PublicRoom,
	})
	ok(l, "Join", err)
	l.private("den", "ann")
	l.join("tea", "Zed", "bob", "éva", "cyd", "dan")
	l.leave("tea", "dan")
	l.invite("tea", "ann", "guest")
	l.sub("PublicRooms ascend and leave out lobby, private and direct rooms", func(l *logTest) {
		want := []chat.RoomName{
			{Room: "0", Name: "0"},
			{Room: "a.b", Name: "a.b"},
			{Room: "loud", Name: "LOUD"},
			{Room: "milk", Name: "milk"},
			{Room: "tea", Name: "tea"},
			{Room: "zoo", Name: "zoo"},
			{Room: "ümlaut", Name: "ümlaut"},
		}
		for _, limit := range []int{1, 2, 6, 7, 200} {
			got := paged(l, limit, func(r chat.RoomName) string { return r.Room },
				func(after string) ([]chat.RoomName, bool, error) { return l.B.PublicRooms(l.ctx, after, limit) })
			equal(l, "rooms", got, want)
		}
		rooms, more, err := l.B.PublicRooms(l.ctx, "b", 2)
		ok(l, "PublicRooms", err)
		equal(l, "rooms after what is none", rooms, want[2:4])
		equal(l, "more", more, true)
	})
	l.sub("Members ascend and have joined", func(l *logTest) {
		want := []string{"Zed", "ann", "bob", "cyd", "éva"}
		for _, limit := range []int{1, 2, 4, 5, 200} {
			got := paged(l, limit, func(m chat.Member) string { return m.User },
				func(after string) ([]chat.Member, bool, error) { return l.B.Members(l.ctx, "tea", after, limit) })
			for i, m := range got {
				equal(l, "member", m, chat.Member{Room: "tea", User: want[i], State: chat.Joined})
			}
			equal(l, "members", len(got), 5)
		}
		members, more, err := l.B.Members(l.ctx, "tea", "cyd", 5)
		ok(l, "Members", err)
		equal(l, "members after cyd", members, []chat.Member{{Room: "tea", User: "éva", State: chat.Joined}})
		equal(l, "more", more, false)
		_, _, err = l.B.Members(l.ctx, "nowhere", "", 5)
		wantKind(l, "Members of an absent room", err, chat.NotFound)
	})
	l.sub("RoomsOf are the joined and the invited ones and the lobby", func(l *logTest) {
		_, _, err := l.A.Join(l.ctx, chat.Join{
			Room: "@bob,cyd", Name: "@bob,cyd", User: "bob", Kind: chat.DirectRoom,
		})
		ok(l, "Join", err)
		l.invite("den", "ann", "bob")
		rooms, err := l.B.RoomsOf(l.ctx, "bob")
		ok(l, "RoomsOf", err)
		for i := range rooms {
			if rooms[i].State == chat.Invited {
				rooms[i].Gen = 0 // without meaning
			}
		}
		equal(l, "rooms", rooms, []chat.Member{
			{Room: "@bob,cyd", User: "bob", State: chat.Joined},
			{Room: "den", User: "bob", State: chat.Invited, InvitedBy: "ann"},
			{Room: "lobby", User: "bob", State: chat.Joined},
			{Room: "tea", User: "bob", State: chat.Joined},
		})
		rooms, err = l.B.RoomsOf(l.ctx, "nobody")
		ok(l, "RoomsOf", err)
		equal(l, "rooms of a stranger", rooms, []chat.Member{{Room: "lobby", User: "nobody", State: chat.Joined}})
	})
}

func testMarkRead(l *logTest) {
	l.join("tea", "ann", "bob")
	l.private("den", "ann")
	read := func(l *logTest, user string) map[string]uint64 {
		l.Helper()
		rooms, err := l.B.RoomsOf(l.ctx, user)
		ok(l, "RoomsOf", err)
		marks := map[string]uint64{}
		for _, m := range rooms {
			marks[m.Room] = m.Read
		}
		return marks
	}
	mark := func(l *logTest, user, room string, seq uint64) {
		l.Helper()
		ok(l, "MarkRead", l.A.MarkRead(l.ctx, user, room, seq))
	}
	l.sub("moves the marker of one user in one room", func(l *logTest) {
		mark(l, "ann", "tea", 5)
		mark(l, "ann", "lobby", 2)
		equal(l, "ann's markers", read(l, "ann"), map[string]uint64{"tea": 5, "lobby": 2, "den": 0})
		equal(l, "bob's markers", read(l, "bob"), map[string]uint64{"tea": 0, "lobby": 0})
	})
	l.sub("never moves back", func(l *logTest) {
		for _, seq := range []uint64{4, 5, 0} {
			mark(l, "ann", "tea", seq)
			equal(l, "marker", read(l, "ann")["tea"], 5)
		}
		mark(l, "ann", "tea", 6)
		equal(l, "marker", read(l, "ann")["tea"], 6)
	})
	l.sub("never moves back by joining or leaving", func(l *logTest) {
		l.join("tea", "ann")
		equal(l, "marker after joining again", read(l, "ann")["tea"], 6)
		l.leave("tea", "ann")
		l.join("tea", "ann")
		equal(l, "marker after leaving and joining", read(l, "ann")["tea"], 6)
	})
	l.sub("never moves back in a race", func(l *logTest) {
		var all sync.WaitGroup
		for seq := uint64(1); seq <= 20; seq++ {
			for _, log := range []chat.Log{l.A, l.B} {
				all.Go(func() {
					if err := log.MarkRead(l.ctx, "bob", "tea", seq); err != nil {
						l.Errorf("MarkRead: %v", err)
					}
				})
			}
		}
		all.Wait()
		equal(l, "marker", read(l, "bob")["tea"], 20)
	})
	l.sub("is not in Member and Members", func(l *logTest) {
		l.wantMember("tea", "bob", chat.Member{Room: "tea", User: "bob", State: chat.Joined})
		members, _, err := l.B.Members(l.ctx, "tea", "ann", 1)
		ok(l, "Members", err)
		equal(l, "members", members, []chat.Member{{Room: "tea", User: "bob", State: chat.Joined}})
	})
}

func testUsers(l *logTest) {
	put := func(log chat.Log, name string) error {
		return log.PutUser(l.ctx, chat.User{Name: name, Since: Start})
	}
	for _, name := range []string{"Ann", "bob", "Zoë", "éva"} {
		ok(l, "PutUser "+name, put(l.A, name))
		ok(l, "PutUser again "+name, put(l.B, name))
	}
	l.sub("are found in any case", func(l *logTest) {
		for name, want := range map[string]string{
			"Ann": "Ann", "ann": "Ann", "ANN": "Ann", "bob": "bob", "BOB": "bob",
			"ZOË": "Zoë", "zoe\u0308": "Zoë", "ÉVA": "éva",
		} {
			u, err := l.B.User(l.ctx, name)
			ok(l, "User "+name, err)
			equal(l, "user", u, chat.User{Name: want, Since: Start})
		}
	})
	l.sub("that are unknown are NotFound", func(l *logTest) {
		for _, name := range []string{"an", "anna", "zoe", "%", "*"} {
			_, err := l.B.User(l.ctx, name)
			wantKind(l, "User "+name, err, chat.NotFound)
		}
	})
	l.sub("in another spelling are Taken", func(l *logTest) {
		for _, name := range []string{"ann", "ANN", "Bob", "zoË", "ÉVA"} {
			wantKind(l, "PutUser "+name, put(l.A, name), chat.Taken)
		}
	})
	l.sub("of one name in a race are one", func(l *logTest) { testRacingSpellings(l, put) })
	l.sub("are listed ascending by name", func(l *logTest) {
		want := []string{"Ann", "Zoë", "bob", "éva"}
		for _, limit := range []int{1, 2, 3, 4, 200} {
			got := paged(l, limit, func(u chat.User) string { return u.Name },
				func(after string) ([]chat.User, bool, error) { return l.B.Users(l.ctx, after, limit) })
			names := make([]string, 0, len(got))
			for _, u := range got {
				equal(l, "since", u.Since, Start)
				names = append(names, u.Name)
			}
			names = slices.DeleteFunc(names, func(name string) bool { return chat.Fold(name) == "race" })
			equal(l, "names", names, want)
		}
	})
}

// testDisplays sets what users are shown as, takes it away, and keeps it over a crash.
func testDisplays(l *logTest) {
	for _, name := range []string{"Ann", "bob", "éva"} {
		ok(l, "PutUser", l.A.PutUser(l.ctx, chat.User{Name: name, Since: Start}))
	}
	want := func(want map[string]string) {
		l.Helper()
		for _, log := range []chat.Log{l.A, l.B} {
			got, err := log.Displays(l.ctx, []string{"Ann", "bob", "éva", "nobody", "ANN"})
			ok(l, "Displays", err)
			equal(l, "display names", got, want)
		}
	}
	want(map[string]string{})
	for range 2 {
		ok(l, "SetDisplay", l.A.SetDisplay(l.ctx, "Ann", "Ann O'Hara"))
		ok(l, "SetDisplay", l.B.SetDisplay(l.ctx, "éva", "Éva"))
	}
	want(map[string]string{"Ann": "Ann O'Hara", "éva": "Éva"})
	for _, user := range []string{"nobody", "ann", "ANN"} {
		wantKind(l, "SetDisplay of "+user, l.A.SetDisplay(l.ctx, user, "Ann"), chat.NotFound)
	}
	ok(l, "PutUser again", l.B.PutUser(l.ctx, chat.User{Name: "Ann", Since: Start}))
	ok(l, "SetDisplay", l.B.SetDisplay(l.ctx, "Ann", "Anna"))
	for range 2 {
		ok(l, "SetDisplay", l.A.SetDisplay(l.ctx, "éva", ""))
	}
	want(map[string]string{"Ann": "Anna"})
	u, err := l.A.User(l.ctx, "ann")
	ok(l, "User", err)
	equal(l, "user", u, chat.User{Name: "Ann", Since: Start})
	if l.Reopen != nil {
		l.A, l.B = l.Reopen()
		want(map[string]string{"Ann": "Anna"})
	}
	all := make([]string, chat.MaxPage)
	for i := range all {
		all[i] = fmt.Sprint("user", i)
	}
	got, err := l.A.Displays(l.ctx, append(all[1:], "Ann"))
	ok(l, "Displays of a page", err)
	equal(l, "display names", got, map[string]string{"Ann": "Anna"})
}

func testRacingSpellings(l *logTest, put func(chat.Log, string) error) {
	var mu sync.Mutex
	var recorded []string
	var all sync.WaitGroup
	for i, name := range []string{"race", "Race", "rAce", "raCe", "racE", "RACE"} {
		log := []chat.Log{l.A, l.B}[i%2]
		all.Go(func() {
			err := put(log, name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				recorded = append(recorded, name)
			case !chat.Is(err, chat.Taken):
				l.Errorf("PutUser %s: %v, want Taken", name, err)
			}
		})
	}
	all.Wait()
	if len(recorded) != 1 {
		l.Fatalf("recorded: %v, want one of them", recorded)
	}
	u, err := l.A.User(l.ctx, "race")
	ok(l, "User", err)
	equal(l, "user", u, chat.User{Name: recorded[0], Since: Start})
}
