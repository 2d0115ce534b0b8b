package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
)

// retryAfter is how long an error asks to wait.
func retryAfter(err error) time.Duration {
	var e *chat.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

func testRename(c *connTest) {
	row := c.open("c1", "guest-1", "tea", "milk")
	c.open("c2", "bob", "milk")
	c.sub("moves the connection and its subscriptions", func(c *connTest) {
		members := in("ann", "milk", "den")
		members[0].Gen, members[1].Gen = 3, 4
		c.Clock.Advance(time.Second)
		row.User, row.NamedAt = "ann", c.Clock.Now()
		for range 2 {
			got, err := c.A.Rename(c.ctx, "c1", "ann", members)
			ok(c, "Rename", err)
			equal(c, "row", got, row)
			c.Clock.Advance(time.Second) // a name keeps the time at which it was first taken
		}
		got, err := c.B.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "row as read", got, row)
		equal(c, "receivers of tea", c.ids("tea"), nil)
		equal(c, "receivers of milk", c.ids("milk"), []string{"c1", "c2"})
		want := chat.Receiver{
			ID: "c1", User: "ann", Dialect: "native", Endpoint: "https://example.com/c1", Gen: 3, ConnectedAt: Start,
			NamedAt: row.NamedAt,
		}
		equal(c, "receiver of milk", c.receivers("milk")[0], want)
		want.Gen = 4
		equal(c, "receivers of den", c.receivers("den"), []chat.Receiver{want})
		want.Gen = 0
		equal(c, "receiver of the lobby", c.receivers("lobby")[0], want)
		equal(c, "receivers of the new user", c.receivers("@ann,zoe"), []chat.Receiver{want})
		equal(c, "receivers of the old user", c.ids("@guest-1,zoe"), nil)
	})
	c.sub("to a user who is here is Taken", func(c *connTest) {
		_, err := c.B.Rename(c.ctx, "c1", "bob", in("bob", "milk"))
		wantKind(c, "Rename", err, chat.Taken)
		got, err := c.A.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "row", got, row)
		equal(c, "receivers of milk", c.ids("milk"), []string{"c1", "c2"})
		equal(c, "receivers of den", c.ids("den"), []string{"c1"})
	})
	c.sub("to a user who has gone", func(c *connTest) {
		c.close("c2")
		got, err := c.B.Rename(c.ctx, "c1", "bob", nil)
		ok(c, "Rename", err)
		equal(c, "user", got.User, "bob")
		rows, err := c.A.OfUser(c.ctx, "ann")
		ok(c, "OfUser", err)
		equal(c, "connections of the old user", rows, nil)
		equal(c, "receivers of den", c.ids("den"), nil)
	})
	c.sub("to its own user gives it a name", func(c *connTest) {
		row := c.open("c3", "guest-3", "tea")
		c.open("c4", "guest-3")
		c.Clock.Advance(time.Second)
		row.NamedAt = c.Clock.Now()
		got, err := c.B.Rename(c.ctx, "c3", "guest-3", in("guest-3", "tea"))
		ok(c, "Rename", err)
		equal(c, "row", got, row)
		got, err = c.A.Get(c.ctx, "c3")
		ok(c, "Get", err)
		equal(c, "row as read", got, row)
		equal(c, "receivers of tea", c.ids("tea"), []string{"c3"})
		c.close("c3")
		c.close("c4")
	})
	c.sub("of an unknown connection is NotFound", func(c *connTest) {
		_, err := c.A.Rename(c.ctx, "c9", "cyd", nil)
		wantKind(c, "Rename", err, chat.NotFound)
	})
	c.sub("is kept by Close", func(c *connTest) {
		got, err := c.A.Close(c.ctx, "c1")
		ok(c, "Close", err)
		equal(c, "user", got.User, "bob")
		c.gone("c1", "bob", "den")
	})
}

func testReceivers(c *connTest) {
	c.open("a1", "ann", "tea")
	c.Clock.Advance(time.Second)
	c.open("a2", "ann", "tea")
	c.open("b1", "bob", "tea", "milk")
	c.open("d1", "dan")
	for _, t := range []struct {
		name, room string
		want       []string
	}{
		{"of a room are the subscribed connections", "tea", []string{"a1", "a2", "b1"}},
		{"of another room are its own", "milk", []string{"b1"}},
		{"of the lobby are all connections", "lobby", []string{"a1", "a2", "b1", "d1"}},
		{"of a direct room are its two users' connections", "@ann,bob", []string{"a1", "a2", "b1"}},
		{"of a direct room with somebody who is not here", "@dan,zoe", []string{"d1"}},
		{"of a direct room with oneself come once", "@ann,ann", []string{"a1", "a2"}},
		{"of a room that nobody is in are none", "nowhere", nil},
	} {
		c.sub(t.name, func(c *connTest) { equal(c, "receivers", c.ids(t.room), t.want) })
	}
	c.sub("are not filtered by the head", func(c *connTest) {
		h := headOf("tea")
		h.Gen, h.Removed = 1, map[string]uint64{"ann": 1}
		equal(c, "receivers", len(collect(c, c.B.Receivers(c.ctx, h))), 3)
	})
	c.sub("can be left early and read twice", func(c *connTest) {
		all := c.B.Receivers(c.ctx, headOf("tea"))
		for range 2 {
			for _, err := range all {
				ok(c, "receivers", err)
				break
			}
		}
		equal(c, "receivers", len(collect(c, all)), 3)
	})
	c.sub("may come and go meanwhile", func(c *connTest) {
		c.open("x1", "xen", "busy")
		c.open("x2", "xen", "busy")
		for _, err := range c.B.Receivers(c.ctx, headOf("busy")) {
			ok(c, "Receivers", err)
			c.open("x3", "xen", "busy")
			c.close("x1")
			break
		}
		equal(c, "receivers", c.ids("busy"), []string{"x2", "x3"})
	})
	c.sub("of a user come oldest first", func(c *connTest) {
		c.Clock.Advance(time.Second)
		c.open("a0", "ann")
		rows, err := c.B.OfUser(c.ctx, "ann")
		ok(c, "OfUser", err)
		ids := []string{}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		equal(c, "connections", ids, []string{"a1", "a2", "a0"})
		equal(c, "oldest", rows[0].ConnectedAt, Start)
	})
}

func testSubscribe(c *connTest) {
	c.open("a1", "ann")
	c.open("a2", "ann")
	c.open("b1", "bob")
	member := chat.Member{Room: "tea", User: "ann", State: chat.Joined, Gen: 2}
	c.sub("subscribes all connections of the user", func(c *connTest) {
		for range 2 {
			ok(c, "Subscribe", c.A.Subscribe(c.ctx, member))
			equal(c, "receivers", c.ids("tea"), []string{"a1", "a2"})
			equal(c, "generation", c.receivers("tea")[1].Gen, 2)
		}
	})
	c.sub("changes the generation", func(c *connTest) {
		member.Gen = 5
		ok(c, "Subscribe", c.B.Subscribe(c.ctx, member))
		for _, r := range c.receivers("tea") {
			equal(c, "generation", r.Gen, 5)
		}
	})
	c.sub("is ended for one user in one room", func(c *connTest) {
		ok(c, "Subscribe", c.A.Subscribe(c.ctx, chat.Member{Room: "tea", User: "bob", State: chat.Joined}))
		ok(c, "Subscribe", c.A.Subscribe(c.ctx, chat.Member{Room: "milk", User: "ann", State: chat.Joined}))
		for range 2 {
			ok(c, "Unsubscribe", c.B.Unsubscribe(c.ctx, "tea", "ann"))
			equal(c, "receivers of tea", c.ids("tea"), []string{"b1"})
			equal(c, "receivers of milk", c.ids("milk"), []string{"a1", "a2"})
		}
		equal(c, "receivers of the lobby", c.ids("lobby"), []string{"a1", "a2", "b1"})
	})
	c.sub("again after it was ended", func(c *connTest) {
		member.Gen = 6
		ok(c, "Subscribe", c.A.Subscribe(c.ctx, member))
		equal(c, "receivers", c.ids("tea"), []string{"a1", "a2", "b1"})
	})
	c.sub("of a user who is not here changes nothing", func(c *connTest) {
		ok(c, "Subscribe", c.A.Subscribe(c.ctx, chat.Member{Room: "tea", User: "zoe", State: chat.Joined}))
		ok(c, "Unsubscribe", c.A.Unsubscribe(c.ctx, "nowhere", "zoe"))
		equal(c, "receivers", c.ids("tea"), []string{"a1", "a2", "b1"})
	})
	c.sub("that was ended takes nobody else's along", func(c *connTest) {
		c.open("x1", "xen", "den")
		ok(c, "Unsubscribe", c.A.Unsubscribe(c.ctx, "den", "xen"))
		c.open("y1", "yan", "den")
		c.close("x1")
		equal(c, "receivers", c.ids("den"), []string{"y1"})
		c.close("y1")
	})
	c.sub("ends with the connection", func(c *connTest) {
		c.close("a1")
		equal(c, "receivers of tea", c.ids("tea"), []string{"a2", "b1"})
		equal(c, "receivers of milk", c.ids("milk"), []string{"a2"})
	})
}

// testRacingClose closes and opens the same ids at once over both instances.
func testRacingClose(c *connTest) {
	ids, racers := 40, 8
	if c.Slow {
		ids = 8
	}
	for i := range ids {
		id := fmt.Sprintf("c%d", i)
		row := c.open(id, "ann", "tea")
		errs := make([]error, racers)
		var racing sync.WaitGroup
		for r := range racers {
			on := []chat.Connections{c.A, c.B}[r%2]
			racing.Go(func() { _, errs[r] = on.Close(c.ctx, id) })
			racing.Go(func() { _ = on.Open(c.ctx, row, in("ann", "tea")) })
		}
		racing.Wait()
		first := 0
		for _, err := range errs {
			if err == nil {
				first++
				continue
			}
			wantKind(c, "Close", err, chat.NotFound)
		}
		equal(c, "closes that gave the row", first, 1)
		c.gone(id, "ann", "tea")
	}
}

// testChurn opens, subscribes, reads and closes at once; afterwards what should be left is left.
func testChurn(c *connTest) {
	users, rounds := 16, 20
	if c.Slow {
		users, rounds = 6, 3
	}
	var churning sync.WaitGroup
	want := make([]string, users)
	for u := range users {
		user := fmt.Sprintf("u%02d", u)
		want[u] = fmt.Sprintf("%s-%02d", user, rounds-1)
		on := []chat.Connections{c.A, c.B}[u%2]
		churning.Go(func() {
			for round := range rounds {
				id := fmt.Sprintf("%s-%02d", user, round)
				err := errors.Join(
					on.Open(c.ctx, c.row(id, user), in(user, "tea")),
					on.Subscribe(c.ctx, in(user, "milk")[0]),
					on.Unsubscribe(c.ctx, "tea", user),
				)
				for _, seen := range on.Receivers(c.ctx, headOf("milk")) {
					err = errors.Join(err, seen)
				}
				if round < rounds-1 {
					_, closed := on.Close(c.ctx, id)
					err = errors.Join(err, closed)
				}
				if err != nil {
					c.Errorf("churn of %s: %v", id, err)
				}
			}
		})
	}
	churning.Wait()
	equal(c, "receivers of milk", c.ids("milk"), want)
	equal(c, "receivers of tea", c.ids("tea"), nil)
	equal(c, "receivers of the lobby", c.ids("lobby"), want)
}

func testOnline(c *connTest) {
	for i, user := range []string{"dan", "ann", "Zed", "cyd", "ann", "éva"} {
		c.open(fmt.Sprintf("c%d", i), user)
	}
	all := func(limit int) []string {
		c.Helper()
		var users []string
		for {
			after := ""
			if len(users) > 0 {
				after = users[len(users)-1]
			}
			page, more, err := c.B.Online(c.ctx, after, limit)
			ok(c, "Online", err)
			users = append(users, page...)
			if len(page) > limit || more && len(page) == 0 {
				c.Fatalf("page of %d users, more %v, limit %d", len(page), more, limit)
			}
			if !more {
				return users
			}
		}
	}
	c.sub("ascends, each user once", func(c *connTest) {
		for _, limit := range []int{1, 2, 4, 5, 200} {
			equal(c, "users", all(limit), []string{"Zed", "ann", "cyd", "dan", "éva"})
		}
		page, more, err := c.B.Online(c.ctx, "b", 2)
		ok(c, "Online", err)
		equal(c, "users after b", page, []string{"cyd", "dan"})
		equal(c, "more", more, true)
	})
	c.sub("lasts until the last connection is closed", func(c *connTest) {
		c.close("c1")
		equal(c, "ann", slices.Contains(all(10), "ann"), true)
		c.close("c4")
		equal(c, "users", all(10), []string{"Zed", "cyd", "dan", "éva"})
	})
	c.sub("follows Rename", func(c *connTest) {
		_, err := c.A.Rename(c.ctx, "c0", "bob", nil)
		ok(c, "Rename", err)
		equal(c, "users", all(3), []string{"Zed", "bob", "cyd", "éva"})
	})
	c.sub("has a user from the first connection on", func(c *connTest) {
		c.open("c6", "dora")
		equal(c, "users", all(3), []string{"Zed", "bob", "cyd", "dora", "éva"})
	})
}

func testTyped(c *connTest) {
	typed := func(c *connTest, user string) bool {
		c.Helper()
		due, err := c.A.Typed(c.ctx, user, c.Clock.Now())
		ok(c, "Typed", err)
		return due
	}
	equal(c, "the first", typed(c, "ann"), true)
	equal(c, "at once again", typed(c, "ann"), false)
	equal(c, "another user", typed(c, "bob"), true)
	c.Clock.Advance(4 * time.Second)
	equal(c, "after 4 s", typed(c, "ann"), false)
	c.Clock.Advance(time.Second)
	equal(c, "5 s after the last true answer", typed(c, "ann"), true)
	c.Clock.Advance(time.Second)
	equal(c, "bob after 6 s", typed(c, "bob"), true)
	equal(c, "ann after 1 s", typed(c, "ann"), false)
}

func testNoted(c *connTest) {
	note := func(on chat.Connections, user string, rooms ...string) {
		c.Helper()
		ok(c, "Note", on.Note(c.ctx, user, rooms))
	}
	noted := func() map[string][]string {
		c.Helper()
		all := map[string][]string{}
		for _, n := range collect(c, c.B.Noted(c.ctx)) {
			if all[n.Room] != nil {
				c.Fatalf("room %s came twice", n.Room)
			}
			slices.Sort(n.Users)
			all[n.Room] = n.Users
		}
		return all
	}
	equal(c, "noted of nothing", noted(), nil)
	note(c.A, "ann", "tea", "milk")
	note(c.B, "ann", "tea")
	note(c.A, "bob", "tea")
	note(c.A, "cyd")
	equal(c, "noted", noted(), map[string][]string{"tea": {"ann", "bob"}, "milk": {"ann"}})
	equal(c, "noted again", noted(), nil)
	note(c.A, "ann", "tea")
	equal(c, "noted anew", noted(), map[string][]string{"tea": {"ann"}})
}
