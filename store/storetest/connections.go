package storetest

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
)

// RunConnections runs the suite of chat.Connections. open is called for each group of tests, and
// for each random run.
func RunConnections(t *testing.T, open func(testing.TB) ConnectionsHarness) {
	for _, group := range []struct {
		name string
		run  func(*connTest)
	}{
		{"Open", testOpen},
		{"MaxConnections", testMaxConnections},
		{"Close", testClose},
		{"RacingClose", testRacingClose},
		{"Until", testUntil},
		{"Lease", testLease},
		{"Rate", testRate},
		{"Rename", testRename},
		{"Receivers", testReceivers},
		{"Subscribe", testSubscribe},
		{"Churn", testChurn},
		{"Online", testOnline},
		{"Typed", testTyped},
		{"Turn", testTurn},
		{"RacingTurns", testRacingTurns},
		{"Announce", testAnnounce},
		{"RacingAnnounce", testRacingAnnounce},
		{"Noted", testNoted},
	} {
		t.Run(group.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			group.run(&connTest{T: t, ConnectionsHarness: open(t), ctx: ctx})
		})
	}
	t.Run("Model", func(t *testing.T) { testConnectionsModel(t, open) })
}

// connTest is one group's view of the harness.
type connTest struct {
	*testing.T
	ConnectionsHarness
	ctx context.Context
}

// sub runs a subtest on the same store.
func (c *connTest) sub(name string, run func(*connTest)) {
	c.Helper()
	c.Run(name, func(t *testing.T) {
		run(&connTest{T: t, ConnectionsHarness: c.ConnectionsHarness, ctx: c.ctx})
	})
}

// row is a connection as it is opened now.
func (c *connTest) row(id, user string) chat.Connection {
	return chat.Connection{
		ID: id, User: user, Dialect: "native", Endpoint: "https://example.com/" + id, ConnectedAt: c.Clock.Now(),
		Session: "session of " + id,
	}
}

// in are memberships of generation 0.
func in(user string, rooms ...string) []chat.Member {
	members := make([]chat.Member, len(rooms))
	for i, room := range rooms {
		members[i] = chat.Member{Room: room, User: user, State: chat.Joined}
	}
	return members
}

// open opens a connection on A and gives its row.
func (c *connTest) open(id, user string, rooms ...string) chat.Connection {
	c.Helper()
	row := c.row(id, user)
	ok(c, "Open of "+id, c.A.Open(c.ctx, row, in(user, rooms...)))
	return row
}

// close closes a connection on A.
func (c *connTest) close(id string) {
	c.Helper()
	_, err := c.A.Close(c.ctx, id)
	ok(c, "Close of "+id, err)
}

// gone checks that a connection is nowhere on B.
func (c *connTest) gone(id, user, room string) {
	c.Helper()
	_, err := c.B.Get(c.ctx, id)
	wantKind(c, "Get of "+id, err, chat.NotFound)
	_, err = c.B.Touch(c.ctx, id, c.Clock.Now(), chat.Greets)
	wantKind(c, "Touch of "+id, err, chat.NotFound)
	_, err = c.B.Rename(c.ctx, id, "somebody", nil)
	wantKind(c, "Rename of "+id, err, chat.NotFound)
	rows, err := c.B.OfUser(c.ctx, user)
	ok(c, "OfUser", err)
	for _, row := range rows {
		equal(c, "OfUser lists "+id, row.ID == id, false)
	}
	for _, room := range []string{room, "lobby", chat.DirectID(user, "somebody")} {
		equal(c, "receivers of "+room+" have "+id, slices.Contains(c.ids(room), id), false)
	}
}

// lapsed checks that a connection whose lease is over is nowhere on B.
func (c *connTest) lapsed(id, user, room string) {
	c.Helper()
	if c.Unleased {
		room = "lobby"
	}
	c.gone(id, user, room)
}

// headOf is a head as Receivers wants it.
func headOf(room string) chat.Head {
	h := chat.Head{Room: room, Name: room, Kind: chat.PublicRoom}
	if room == chat.Lobby {
		h.Kind = chat.LobbyRoom
	}
	if strings.HasPrefix(room, "@") {
		h.Kind = chat.DirectRoom
	}
	return h
}

// receivers reads a room's receivers on B, by id.
func (c *connTest) receivers(room string) []chat.Receiver {
	c.Helper()
	all := collect(c, c.B.Receivers(c.ctx, headOf(room)))
	slices.SortFunc(all, func(a, b chat.Receiver) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// ids are the ids of a room's receivers, ascending.
func (c *connTest) ids(room string) []string {
	c.Helper()
	all := c.receivers(room)
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	return ids
}

// gather reads a sequence to its end or first error.
func gather[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// collect reads a sequence, which must have no error.
func collect[T any](t failer, rows iter.Seq2[T, error]) []T {
	t.Helper()
	all, err := gather(rows)
	ok(t, "reading the sequence", err)
	return all
}

func testOpen(c *connTest) {
	want := c.open("c1", "ann", "tea", "milk")
	c.sub("records a live connection", func(c *connTest) {
		for _, on := range []chat.Connections{c.A, c.B} {
			got, err := on.Get(c.ctx, "c1")
			ok(c, "Get", err)
			equal(c, "row", got, want)
			got, err = on.Touch(c.ctx, "c1", c.Clock.Now(), chat.Acts)
			ok(c, "Touch", err)
			equal(c, "row of Touch", got, want)
		}
	})
	c.sub("again changes nothing", func(c *connTest) {
		c.Clock.Advance(time.Second)
		other := c.row("c1", "bob")
		ok(c, "Open", c.B.Open(c.ctx, want, in("ann", "tea", "milk")))
		got, err := c.A.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "row", got, want)
		equal(c, "receivers", c.ids("tea"), []string{"c1"})
		rows, err := c.B.OfUser(c.ctx, other.User)
		ok(c, "OfUser", err)
		equal(c, "connections of another", rows, nil)
	})
	c.sub("subscribes to the rooms of the members, each with its generation", func(c *connTest) {
		row := c.row("c2", "bob")
		row.NamedAt = c.Clock.Now().Add(-time.Minute)
		members := in("bob", "tea", "milk")
		members[1].Gen = 7
		ok(c, "Open", c.A.Open(c.ctx, row, members))
		want := chat.Receiver{
			ID: "c2", User: "bob", Dialect: "native", Endpoint: "https://example.com/c2", ConnectedAt: row.ConnectedAt,
			NamedAt: row.NamedAt,
		}
		equal(c, "receiver of tea", c.receivers("tea")[1], want)
		want.Gen = 7
		equal(c, "receiver of milk", c.receivers("milk")[1], want)
		equal(c, "receivers of a room of nobody", c.receivers("den"), nil)
	})
	c.sub("does not believe what Touch fills", func(c *connTest) {
		row := c.row("c3", "cyd")
		row.Excess = 9
		ok(c, "Open", c.A.Open(c.ctx, row, nil))
		got, err := c.B.Get(c.ctx, "c3")
		ok(c, "Get", err)
		equal(c, "excess", got.Excess, 0)
	})
	c.sub("marks hello by Touch for good", func(c *connTest) {
		got, err := c.B.Touch(c.ctx, "c1", c.Clock.Now(), chat.Beats)
		ok(c, "Touch", err)
		equal(c, "hello before it", got.Hello, false)
		for _, pulse := range []chat.Pulse{chat.Greets, chat.Acts, chat.Beats, chat.Greets} {
			got, err := c.A.Touch(c.ctx, "c1", c.Clock.Now(), pulse)
			ok(c, "Touch", err)
			equal(c, "hello", got.Hello, true)
		}
		got, err = c.B.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "hello as read", got.Hello, true)
	})
}

func testMaxConnections(c *connTest) {
	ids := []string{}
	for i := range 20 {
		ids = append(ids, "c"+string(rune('a'+i)))
		c.open(ids[i], "ann")
	}
	c.sub("over it is Limited", func(c *connTest) {
		wantKind(c, "Open", c.B.Open(c.ctx, c.row("more", "ann"), in("ann", "tea")), chat.Limited)
		c.gone("more", "ann", "tea")
	})
	c.sub("is of one user", func(c *connTest) { c.open("other", "bob") })
	c.sub("lets a live id be opened again", func(c *connTest) { c.open("ca", "ann") })
	c.sub("counts anew after Close", func(c *connTest) {
		c.close("cb")
		c.open("more", "ann")
		wantKind(c, "Open", c.B.Open(c.ctx, c.row("yet", "ann"), nil), chat.Limited)
	})
}

func testClose(c *connTest) {
	row := c.open("c1", "ann", "tea")
	c.sub("gives the row, once", func(c *connTest) {
		got, err := c.B.Close(c.ctx, "c1")
		ok(c, "Close", err)
		equal(c, "row", got, row)
		for _, on := range []chat.Connections{c.A, c.B} {
			_, err := on.Close(c.ctx, "c1")
			wantKind(c, "Close again", err, chat.NotFound)
		}
		c.gone("c1", "ann", "tea")
	})
	c.sub("of an id that was never opened is NotFound and refuses a late Open", func(c *connTest) {
		_, err := c.A.Close(c.ctx, "c2")
		wantKind(c, "Close", err, chat.NotFound)
		wantKind(c, "Open", c.B.Open(c.ctx, c.row("c2", "ann"), in("ann", "tea")), chat.Taken)
		c.gone("c2", "ann", "tea")
	})
	c.sub("keeps an id closed for 3 h", func(c *connTest) {
		for range 3 {
			wantKind(c, "Open", c.A.Open(c.ctx, row, in("ann", "tea")), chat.Taken)
			c.gone("c1", "ann", "tea")
			c.Clock.Advance(59 * time.Minute)
		}
		c.Clock.Advance(2 * time.Minute)
		wantKind(c, "Open after 2 h 59 min", c.B.Open(c.ctx, row, nil), chat.Taken)
		c.Clock.Advance(2 * time.Minute)
		row := c.open("c1", "ann", "tea")
		got, err := c.B.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "row", got, row)
		c.close("c1")
		wantKind(c, "Open after another Close", c.A.Open(c.ctx, row, nil), chat.Taken)
	})
	c.sub("keeps each id closed for its own time", func(c *connTest) {
		c.open("early", "ann")
		late := c.open("late", "ann")
		c.close("early")
		c.Clock.Advance(2 * time.Hour)
		c.close("late")
		c.Clock.Advance(time.Hour + time.Minute)
		c.open("next", "ann")
		c.close("next") // may tidy what is over
		wantKind(c, "Open of the later one", c.B.Open(c.ctx, late, nil), chat.Taken)
		c.open("early", "ann")
		c.close("early")
	})
	c.sub("ends one connection alone", func(c *connTest) {
		c.open("c3", "bob", "tea")
		c.open("c4", "bob", "tea")
		c.close("c3")
		equal(c, "receivers", c.ids("tea"), []string{"c4"})
		equal(c, "receivers of the lobby", c.ids("lobby"), []string{"c4"})
	})
}

// longAgo is later than Until of the connections that have one.
const longAgo = 2 * time.Hour

func testUntil(c *connTest) {
	row := c.row("c1", "ann")
	row.Until = c.Clock.Now().Add(longAgo)
	ok(c, "Open", c.A.Open(c.ctx, row, in("ann", "tea")))
	c.sub("is kept", func(c *connTest) {
		got, err := c.B.Get(c.ctx, "c1")
		ok(c, "Get", err)
		equal(c, "row", got, row)
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), nil)
	})
	c.sub("ends a connection", func(c *connTest) {
		for range 12 { // so that no lease lapses before
			c.Clock.Advance(10*time.Minute - time.Second)
			_, err := c.A.Touch(c.ctx, "c1", c.Clock.Now(), chat.Acts)
			ok(c, "Touch", err)
		}
		equal(c, "receivers", c.ids("tea"), []string{"c1"})
		c.Clock.Advance(13 * time.Second)
		c.gone("c1", "ann", "tea")
		users, _, err := c.B.Online(c.ctx, "", 10)
		ok(c, "Online", err)
		equal(c, "online", users, nil)
	})
	c.sub("lapses until it is closed", func(c *connTest) {
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), []chat.Connection{row})
		got, err := c.A.Close(c.ctx, "c1")
		ok(c, "Close", err)
		equal(c, "row", got, row)
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), nil)
	})
}

func testLease(c *connTest) {
	if c.Lease == 0 {
		c.sub("never lapses", func(c *connTest) {
			c.open("c1", "ann", "tea")
			_, err := c.A.Touch(c.ctx, "c1", c.Clock.Now(), chat.Greets)
			ok(c, "Touch", err)
			c.Clock.Advance(1000 * time.Hour)
			equal(c, "receivers", c.ids("tea"), []string{"c1"})
			equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), nil)
		})
		return
	}
	c.open("hello", "ann", "tea")
	c.open("silent", "bob", "tea")
	row, err := c.A.Touch(c.ctx, "hello", c.Clock.Now(), chat.Greets)
	ok(c, "Touch", err)
	row.Excess = 0
	c.sub("is renewed by Touch", func(c *connTest) {
		for range 3 {
			c.Clock.Advance(c.Lease - time.Second)
			_, err := c.B.Touch(c.ctx, "hello", c.Clock.Now(), chat.Beats)
			ok(c, "Touch", err)
		}
		c.Clock.Advance(c.Lease - time.Second)
		equal(c, "receivers", c.ids("tea"), []string{"hello", "silent"})
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), nil)
	})
	c.sub("ends the connection that said hello", func(c *connTest) {
		c.Clock.Advance(2 * time.Second)
		c.lapsed("hello", "ann", "tea")
		users, _, err := c.B.Online(c.ctx, "", 10)
		ok(c, "Online", err)
		equal(c, "online", users, []string{"bob"})
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), []chat.Connection{row})
	})
	c.sub("ends a silent connection without a sweep", func(c *connTest) {
		c.Clock.Advance(c.SilentLease)
		c.lapsed("silent", "bob", "tea")
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), []chat.Connection{row})
	})
	c.sub("leaves the row to Close", func(c *connTest) {
		got, err := c.A.Close(c.ctx, "hello")
		ok(c, "Close", err)
		equal(c, "row", got, row)
		equal(c, "lapsed", collect(c, c.B.Lapsed(c.ctx, c.Clock.Now())), nil)
	})
}

func testRate(c *connTest) {
	if c.Burst == 0 {
		return
	}
	want := c.open("c1", "ann")
	c.open("c2", "ann")
	touched := 0 // whatever an action is, it counts
	touch := func(id string) (chat.Connection, error) {
		touched++
		pulse := []chat.Pulse{chat.Acts, chat.Beats}[touched%2]
		return c.A.Touch(c.ctx, id, c.Clock.Now(), pulse)
	}
	for i := range c.Burst {
		_, err := touch("c1")
		if err != nil {
			c.Fatalf("Touch %d at one instant: %v, want %d allowed", i+1, err, c.Burst)
		}
	}
	row, err := touch("c1")
	wantKind(c, "Touch over the rate", err, chat.Limited)
	c.sub("over it is Limited, with the row", func(c *connTest) {
		for i := 1; i <= 3; i++ {
			equal(c, "excess", row.Excess, i)
			row.Excess = 0
			equal(c, "row", row, want)
			row, err = touch("c1")
			wantKind(c, "Touch over the rate", err, chat.Limited)
		}
	})
	c.sub("is of one connection", func(c *connTest) {
		_, err := touch("c2")
		ok(c, "Touch of another", err)
	})
	c.sub("RetryAfter is long enough", func(c *connTest) {
		retry := retryAfter(err)
		if retry <= 0 {
			c.Fatalf("RetryAfter: got %v", retry)
		}
		c.Clock.Advance(retry - time.Millisecond)
		_, err := touch("c1")
		wantKind(c, "Touch before that, which would overtake the refused one", err, chat.Limited)
		c.Clock.Advance(time.Millisecond)
		_, err = touch("c1")
		ok(c, "Touch", err)
	})
	c.sub("is forgotten after a minute", func(c *connTest) {
		c.Clock.Advance(time.Minute)
		for range c.Burst {
			row, err := touch("c1")
			ok(c, "Touch", err)
			equal(c, "excess", row.Excess, 0)
		}
		_, err := touch("c1")
		wantKind(c, "Touch over the rate", err, chat.Limited)
	})
}
