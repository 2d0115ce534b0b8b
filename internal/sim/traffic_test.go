//go:build !race

package sim_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
)

func TestMain(m *testing.M) { os.Exit(sim.RunTests(m)) }

// deep tells whether the long column of the fault tests is to run.
func deep() bool { return os.Getenv("CONFAB_DEEP") != "" }

// column chooses between the short and the long column.
func column[T any](short, long T) T {
	if deep() {
		return long
	}
	return short
}

// host is a system that can break down and come back on the same address with the same data.
type host interface {
	url() string
	crash(testing.TB)
	restart(testing.TB)
}

// patience is how long anything may take that has no limit of its own.
const patience = time.Minute

// await returns when the condition holds; the test fails when that takes longer than the limit.
func await(tb testing.TB, limit time.Duration, what string, holds func() bool) time.Duration {
	tb.Helper()
	begin := time.Now()
	for !holds() {
		if time.Since(begin) > limit {
			tb.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(begin)
}

// traffic is clients that talk on a host, and what they have seen.
type traffic struct {
	tb      testing.TB
	host    host
	limit   time.Duration // for clients to see everything; then the checker tells what is missing
	history *checker.History
	clients []*sim.Client
	rooms   map[string]bool
	ctx     context.Context
	stop    context.CancelFunc
	done    []<-chan struct{}
}

func newTraffic(tb testing.TB, h host) *traffic {
	tr := &traffic{tb: tb, host: h, limit: patience, history: checker.New(), rooms: map[string]bool{}}
	if v, ok := tb.(*verdict); ok {
		tr.limit = v.limit
	}
	tr.ctx, tr.stop = context.WithCancel(context.Background())
	tb.Cleanup(tr.end)
	return tr
}

// start starts the clients.
func (tr *traffic) start(all ...sim.Options) {
	for _, o := range all {
		o.URL = tr.host.url
		c, done := sim.Start(tr.ctx, tr.history, o)
		tr.clients, tr.done = append(tr.clients, c), append(tr.done, done)
		for _, room := range o.Rooms {
			tr.rooms[room] = true
		}
	}
}

// end stops the clients.
func (tr *traffic) end() {
	tr.stop()
	for _, done := range tr.done {
		<-done
	}
}

// acked is the number of acknowledged messages.
func (tr *traffic) acked() int {
	n := 0
	for _, c := range tr.clients {
		n += c.Acked()
	}
	return n
}

// settle ends the talking, waits until everybody has seen everything, reads the logs twice and
// gives what the checker says.
func (tr *traffic) settle() *checker.Report {
	tr.tb.Helper()
	for _, c := range tr.clients {
		c.Stop()
	}
	deadline := time.Now().Add(tr.limit)
	tr.awaitSettled(nil, deadline)
	heads := map[string]uint64{}
	for _, room := range slices.Sorted(maps.Keys(tr.rooms)) {
		for _, reader := range []string{"reader1", "reader2"} {
			log := tr.log(reader, room)
			tr.history.Log(room, log)
			heads[room] = uint64(len(log))
		}
	}
	tr.awaitSettled(heads, deadline)
	tr.end()
	return tr.history.Check()
}

func (tr *traffic) awaitSettled(heads map[string]uint64, deadline time.Time) {
	for time.Now().Before(deadline) {
		if !slices.ContainsFunc(tr.clients, func(c *sim.Client) bool { return !c.Settled(heads) }) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (tr *traffic) log(user, room string) []checker.Entry {
	tr.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	log, err := sim.ReadLog(ctx, tr.host.url(), user, room)
	if err != nil {
		tr.tb.Fatalf("read %s: %v", room, err)
	}
	return log
}

// seen sums up what the clients have met, and fails the test where one was refused something.
func (tr *traffic) seen() sim.Seen {
	tr.tb.Helper()
	var all sim.Seen
	for _, c := range tr.clients {
		s := c.Seen()
		all.Welcomes += s.Welcomes
		all.Duplicates += s.Duplicates
		all.Reconnects = append(all.Reconnects, s.Reconnects...)
		all.Gaps = append(all.Gaps, s.Gaps...)
		all.Resets += s.Resets
		all.Resyncs += s.Resyncs
		for _, err := range s.Problems {
			tr.tb.Error(err)
		}
	}
	return all
}

// pass prints the line of a fault test and fails it when the checker has found anything.
func pass(tb testing.TB, r *checker.Report, faults int, seed uint64) {
	tb.Helper()
	fmt.Printf("%s %s\n", tb.Name(), r.Line(faults, seed))
	if err := r.Err(); err != nil {
		tb.Errorf("seed %d:\n%v", seed, err)
	}
}

// share is of how many what is promised of 99 % must be true: where there are twenty, one would be too
// many, and a machine that does other things holds some up.
var share = column(0.5, 0.99)

// percentile gives the value below which a part of the durations lies.
func percentile(all []time.Duration, below float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(below*float64(len(sorted))))]
}

// rooms names n rooms that begin with a word.
func rooms(word string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", word, i)
	}
	return names
}

// newSeed is the seed of a run: CONFAB_SEED repeats one.
func newSeed(tb testing.TB) uint64 {
	tb.Helper()
	text := os.Getenv("CONFAB_SEED")
	if text == "" {
		return rand.Uint64N(1 << 32)
	}
	var seed uint64
	if _, err := fmt.Sscan(text, &seed); err != nil {
		tb.Fatal(err)
	}
	return seed
}
