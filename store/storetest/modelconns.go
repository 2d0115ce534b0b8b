package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

var (
	connOps = []string{
		"open", "open", "open", "open", "touch", "touch", "rename", "close", "close", "get",
		"subscribe", "subscribe", "unsubscribe", "receivers", "receivers", "receivers", "ofUser",
		"online", "online", "lapsed", "typed", "note", "noted", "wait",
	}
	connRooms = []string{"tea", "milk", "den", chat.Lobby, "@ann,bob", "@cyd,cyd"}
)

func testConnectionsModel(t *testing.T, open func(testing.TB) ConnectionsHarness) {
	probe := &scope{TB: t}
	slow := open(probe).Slow
	probe.end()
	ops := drawOps(connOps, modelUsers, connRooms)
	randomRuns(t, slow, func(rt *rapid.T, tb testing.TB) {
		h := open(tb)
		model := memstore.NewConnections(memstore.Options{
			Now: h.Clock.Now, Lease: h.Lease, SilentLease: h.SilentLease,
		})
		run := connRun{ctx: t.Context(), clock: h.Clock, recorded: map[string]bool{}, unleased: h.Unleased}
		for i, o := range ops.Draw(rt, "ops") {
			if o.Name == "wait" {
				h.Clock.Advance(connWaits[o.N])
				run.sweep(rt, model, h.A)
			}
			if !run.allowed(model, o) {
				continue
			}
			want := run.apply(model, o)
			got := run.apply([]chat.Connections{h.A, h.B}[o.On], o)
			equal(rt, fmt.Sprintf("operation %d: %v", i, o), got, want)
			run.note(o, want)
		}
	})
}

// connWaits keep off the very ends of leases, which a store may keep in seconds.
var connWaits = []time.Duration{
	2 * time.Second, 11 * time.Second, 101 * time.Second, 30 * time.Minute, 2 * time.Hour, 4 * time.Hour,
}

// connRun is one random run against the model.
type connRun struct {
	ctx      context.Context
	clock    *Clock
	recorded map[string]bool // ids that were opened and not closed
	unleased bool            // as in ConnectionsHarness
}

// allowed leaves out what the contract does not speak of: a silent connection whose lease is over
// is recorded for no promised time, and may still have subscriptions.
func (r *connRun) allowed(model chat.Connections, o op) bool {
	if o.Name == "receivers" && r.unleased && o.Room != chat.Lobby && o.Room[0] != '@' {
		for id := range r.recorded {
			if _, err := model.Get(r.ctx, id); err != nil {
				return false
			}
		}
	}
	_, err := model.Get(r.ctx, o.id())
	return err == nil || !r.recorded[o.id()] || o.Name != "open" && o.Name != "close"
}

func (r *connRun) note(o op, result outcome) {
	switch {
	case result.Kind != "ok":
	case o.Name == "open":
		r.recorded[o.id()] = true
	case o.Name == "close":
		delete(r.recorded, o.id())
	}
}

// sweep closes what has lapsed, as the service does.
func (r *connRun) sweep(t failer, model, on chat.Connections) {
	t.Helper()
	for _, row := range collect(t, model.Lapsed(r.ctx, r.clock.Now())) {
		want, err := model.Close(r.ctx, row.ID)
		ok(t, "Close in the model", err)
		got, err := on.Close(r.ctx, row.ID)
		ok(t, "Close of the lapsed "+row.ID, err)
		equal(t, "row of the lapsed "+row.ID, got, want)
		delete(r.recorded, row.ID)
	}
	equal(t, "lapsed after the sweep", collect(t, on.Lapsed(r.ctx, r.clock.Now())), nil)
}

// id is the connection an operation is about.
func (o op) id() string { return fmt.Sprintf("c%d%c", o.N, o.Other[0]) }

// pulses of the touches, by what is drawn of each operation.
var pulses = map[chat.RoomKind]chat.Pulse{
	0: chat.Acts, chat.PublicRoom: chat.Greets, chat.PrivateRoom: chat.Beats,
}

// apply runs an operation.
func (r *connRun) apply(on chat.Connections, o op) outcome {
	now, id := r.clock.Now(), o.id()
	switch o.Name {
	case "open":
		row := chat.Connection{ID: id, User: o.User, Dialect: "native", Endpoint: o.Room, ConnectedAt: now}
		if o.N == 0 {
			row.Until = now.Add(time.Hour)
		}
		if o.N%2 == 1 {
			row.NamedAt, row.Session = now.Add(-time.Minute), id
		}
		return outcomeOf(on.Open(r.ctx, row, members(o)))
	case "touch":
		row, err := on.Touch(r.ctx, id, now, pulses[o.Kind])
		if chat.Is(err, chat.Limited) { // the rate is the store's own
			err = nil
		}
		row.Excess = 0
		return outcomeOf(err, row)
	case "rename":
		row, err := on.Rename(r.ctx, id, o.User, members(o))
		return outcomeOf(err, row)
	case "close":
		row, err := on.Close(r.ctx, id)
		return outcomeOf(err, row)
	case "get":
		row, err := on.Get(r.ctx, id)
		return outcomeOf(err, row)
	case "subscribe":
		return outcomeOf(on.Subscribe(r.ctx, members(o)[0]))
	case "unsubscribe":
		return outcomeOf(on.Unsubscribe(r.ctx, members(o)[0].Room, o.User))
	}
	return r.list(on, o, now)
}

// members are one or two memberships of the operation's user.
func members(o op) []chat.Member {
	all := in(o.User, connRooms[o.N%3], connRooms[(o.N+1)%3])
	all[0].Gen = uint64(o.N)
	if o.N > 2 {
		return all[:1]
	}
	return all
}

// list runs the operations that read lists, and those of notes.
func (r *connRun) list(on chat.Connections, o op, now time.Time) outcome {
	switch o.Name {
	case "receivers":
		rows, err := gather(on.Receivers(r.ctx, headOf(o.Room)))
		slices.SortFunc(rows, func(a, b chat.Receiver) int { return strings.Compare(a.ID, b.ID) })
		return outcomeOf(err, rows)
	case "ofUser":
		rows, err := on.OfUser(r.ctx, o.User)
		byAge := slices.IsSortedFunc(rows, func(a, b chat.Connection) int {
			return a.ConnectedAt.Compare(b.ConnectedAt)
		})
		slices.SortFunc(rows, func(a, b chat.Connection) int { return strings.Compare(a.ID, b.ID) })
		return outcomeOf(err, rows, byAge)
	case "online":
		users, more, err := on.Online(r.ctx, map[bool]string{true: o.User}[o.Kind != 0], 1+o.N)
		return outcomeOf(err, users, more)
	case "lapsed":
		rows, err := gather(on.Lapsed(r.ctx, now))
		slices.SortFunc(rows, func(a, b chat.Connection) int { return strings.Compare(a.ID, b.ID) })
		return outcomeOf(err, rows)
	case "typed":
		due, err := on.Typed(r.ctx, o.User, now)
		return outcomeOf(err, due)
	case "note":
		return outcomeOf(on.Note(r.ctx, o.User, []string{"tea", o.Room}))
	case "noted":
		rows, err := gather(on.Noted(r.ctx))
		slices.SortFunc(rows, func(a, b chat.RoomUsers) int { return strings.Compare(a.Room, b.Room) })
		for _, row := range rows {
			slices.Sort(row.Users)
		}
		return outcomeOf(err, rows)
	}
	return outcome{}
}
