package storetest

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

// scope is a TB whose cleanups run at the end of a random run.
type scope struct {
	testing.TB
	cleanups []func()
}

// Cleanup keeps f for end.
func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// randomRuns checks a property on random runs, others each time and fewer for slow stores. None of
// rapid's files is left behind.
func randomRuns(t *testing.T, slow bool, property func(*rapid.T, testing.TB)) {
	checks := "40"
	if slow {
		checks = "8"
	}
	setFlag(t, "rapid.checks", checks)
	setFlag(t, "rapid.nofailfile", "true")
	rapid.Check(t, func(rt *rapid.T) {
		s := &scope{TB: t}
		defer s.end()
		property(rt, s)
	})
}

// setFlag sets a flag for the test unless the command line did.
func setFlag(t *testing.T, name, value string) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	f := flag.Lookup(name)
	before := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(before) })
}

// opsPerRun is the most operations of a random run.
const opsPerRun = 100

// op is a random operation; what its fields mean is the operation's.
type op struct {
	Name       string
	On         int // instance
	User, Room string
	Other      string // another user
	N          int    // 0 to 5
	Kind       chat.RoomKind
}

func (o op) String() string {
	return fmt.Sprintf("%s(on %d, %s, %s, %s, %d, kind %d)", o.Name, o.On, o.User, o.Room, o.Other, o.N, o.Kind)
}

// drawOps draws the operations of a run.
func drawOps(names, users, rooms []string) *rapid.Generator[[]op] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
		return op{
			Name:  rapid.SampledFrom(names).Draw(t, "op"),
			On:    rapid.IntRange(0, 1).Draw(t, "instance"),
			User:  rapid.SampledFrom(users).Draw(t, "user"),
			Room:  rapid.SampledFrom(rooms).Draw(t, "room"),
			Other: rapid.SampledFrom(users).Draw(t, "other"),
			N:     rapid.IntRange(0, 5).Draw(t, "n"),
			Kind:  rapid.SampledFrom([]chat.RoomKind{chat.PublicRoom, chat.PrivateRoom, 0}).Draw(t, "kind"),
		}
	}), opsPerRun/2, opsPerRun)
}

// outcome is all that an operation gave, with what may differ between stores made equal.
type outcome struct {
	Kind   string // of the error
	Values []any
}

func outcomeOf(err error, values ...any) outcome {
	if err != nil {
		return outcome{Kind: chat.KindOf(err).String()}
	}
	return outcome{Kind: "ok", Values: values}
}

var (
	modelUsers = []string{"ann", "bob", "cyd", "Zoë"}
	modelRooms = []string{"tea", "milk", "den", chat.Lobby, "@ann,bob"}
	logOps     = []string{
		"append", "append", "append", "append", "join", "join", "join", "leave", "invite", "direct", "delete",
		"after", "before", "heads", "member", "members", "public", "roomsOf", "read", "put", "user", "users", "wait",
	}
)

func testLogModel(t *testing.T, open func(testing.TB) LogHarness) {
	probe := &scope{TB: t}
	slow := open(probe).Slow
	probe.end()
	ops := drawOps(logOps, modelUsers, modelRooms)
	randomRuns(t, slow, func(rt *rapid.T, tb testing.TB) {
		h := open(tb)
		model := memstore.NewLog(memstore.Options{Now: h.Clock.Now})
		run := logRun{ctx: t.Context(), clock: h.Clock, model: model, left: map[string]time.Time{}}
		for i, o := range ops.Draw(rt, "ops") {
			if !run.allowed(o) {
				continue
			}
			before := run.gen(o.Room)
			want := run.apply(model, o)
			got := run.apply([]chat.Log{h.A, h.B}[o.On], o)
			if run.gen(o.Room) != before {
				run.left[o.Room+" "+o.User] = h.Clock.Now()
			}
			run.forget(got)
			run.forget(want)
			equal(rt, fmt.Sprintf("operation %d: %v", i, o), got, want)
			if o.Name == "wait" {
				h.Clock.Advance([]time.Duration{
					time.Second, time.Minute, time.Hour, 3 * time.Hour, 25 * time.Hour, 0,
				}[o.N])
			}
		}
	})
}

// logRun is one random run against the model.
type logRun struct {
	ctx   context.Context
	clock *Clock
	model *memstore.Log
	left  map[string]time.Time // when a user left a room for the last time
}
