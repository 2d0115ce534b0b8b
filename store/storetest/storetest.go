// Package storetest is the contract of [chat.Log], [chat.Connections] and
// [github.com/confab-chat/confab/auth.Sessions] as tests. A store's test is a harness and one call
// of [RunLog], [RunConnections] or [RunSessions].
//
// A harness opens two instances on one store, which the tests use against each other. Beside the
// subtests, one per sentence of the contract, random operations are run on the store and on
// package memstore, the model, and every result is compared.
package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Start is what a new Clock shows.
var Start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// Clock is a clock that moves only when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that shows Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now gives the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// LogHarness is an empty log that is opened twice. Its Cleanup belongs to the TB it was opened with.
type LogHarness struct {
	A, B  chat.Log // two instances on one store; where that cannot be, the same one
	Clock *Clock   // the clock of both
	// Ordered: the store has one writer, so that over both instances then is called once for a
	// message, in the order of the numbers of its room.
	Ordered bool
	// Slow: every call costs milliseconds. There are fewer writers, messages and random runs.
	Slow bool
	// Reopen ends both instances without any closing, as a crash does, and opens the store again.
	// Nil: the store does not outlive its process.
	Reopen func() (a, b chat.Log)
	// Stall begins an Append on A and holds it after the room's number was given to it and before
	// the message is stored; finish lets it go on and gives its result. Nil: number and message
	// are stored in one step.
	Stall func(d chat.Draft, then func(chat.Head, chat.Message)) (seq uint64, finish func() (chat.Message, error))
	// Crash makes A's n-th request to the store from now fail after it was carried out, and all
	// later ones before; Crash(0) heals A. Nil: every method is one step.
	Crash func(n int)
}

// ConnectionsHarness is an empty store of connections that is opened twice.
type ConnectionsHarness struct {
	A, B  chat.Connections // two instances on one store; where that cannot be, the same one
	Clock *Clock           // the clock of both
	Slow  bool             // as in LogHarness
	// Burst is how many actions at one instant the store allows a connection. 0: no limit.
	Burst int
	// Lease is how long a connection that said hello lives after an action, SilentLease one that
	// did not. 0: leases never lapse.
	Lease, SilentLease time.Duration
	// Unleased: a room's subscriptions know nothing of leases. A connection whose lease is over is
	// among the receivers until it is closed; lobby and direct rooms leave it out.
	Unleased bool
}

// patience bounds every test: what takes longer hangs.
const patience = 90 * time.Second

// RunLog runs the suite of chat.Log. open is called for each group of tests, and for each random run.
func RunLog(t *testing.T, open func(testing.TB) LogHarness) {
	for _, group := range []struct {
		name string
		run  func(*logTest)
	}{
		{"Append", testAppend},
		{"AppendRefused", testAppendRefused},
		{"Repetition", testRepetition},
		{"Messages", testMessages},
		{"PageBytes", testPageBytes},
		{"Delete", testDelete},
		{"Heads", testHeads},
		{"Join", testJoin},
		{"JoinPrivate", testJoinPrivate},
		{"Invite", testInvite},
		{"MaxRooms", testMaxRooms},
		{"Leave", testLeave},
		{"Lobby", testLobby},
		{"Lists", testLists},
		{"MarkRead", testMarkRead},
		{"Users", testUsers},
		{"Displays", testDisplays},
		{"Writers", testWriters},
		{"RacingIDs", testRacingIDs},
		{"RacingLeave", testRacingLeave},
		{"RacingMakers", testRacingMakers},
		{"Reopen", testReopen},
		{"Stall", testStall},
		{"Crash", testCrash},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(newLogTest(t, open)) })
	}
	t.Run("Model", func(t *testing.T) { testLogModel(t, open) })
}

// logTest is one group's view of the harness.
type logTest struct {
	*testing.T
	LogHarness
	ctx context.Context
}

func newLogTest(t *testing.T, open func(testing.TB) LogHarness) *logTest {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &logTest{T: t, LogHarness: open(t), ctx: ctx}
}

// sub runs a subtest on the same store.
func (l *logTest) sub(name string, run func(*logTest)) {
	l.Helper()
	l.Run(name, func(t *testing.T) { run(&logTest{T: t, LogHarness: l.LogHarness, ctx: l.ctx}) })
}
