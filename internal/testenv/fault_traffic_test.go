//go:build !race

package testenv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/internal/testenv"
)

// deep tells whether the long column of the fault tests is to run.
func deep() bool { return os.Getenv("CONFAB_DEEP") != "" }

// column chooses between the short and the long column.
func column(short, long int) int {
	if deep() {
		return long
	}
	return short
}

// newSeed is the seed of a run: CONFAB_SEED repeats one.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64N(1 << 32)
	if text := os.Getenv("CONFAB_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	return seed
}

// dice are a source of randomness for several goroutines, and count what has come of it.
type dice struct {
	mu     sync.Mutex
	rng    *rand.Rand
	healed bool
	counts map[string]int
}

func newDice(seed uint64) *dice {
	return &dice{rng: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
}

// draw chooses one of the kinds with the probability p, else none.
func (d *dice) draw(p float64, kinds ...string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.healed || d.rng.Float64() >= p {
		return ""
	}
	kind := kinds[d.rng.IntN(len(kinds))]
	d.counts[kind]++
	return kind
}

// below gives a time below the limit.
func (d *dice) below(limit time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.rng.Int64N(int64(limit)))
}

// count counts a fault of a kind, unless all is healed.
func (d *dice) count(kind string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.healed {
		d.counts[kind]++
	}
	return !d.healed
}

// heal ends the faults.
func (d *dice) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.healed = true
}

// total is the number of faults, each kind of which must have happened.
func (d *dice) total(t *testing.T, kinds ...string) (n int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, kind := range kinds {
		if d.counts[kind] == 0 {
			t.Errorf("no fault of the kind %q: %v", kind, d.counts)
		}
	}
	for _, count := range d.counts {
		n += count
	}
	return n
}

// Limits of the fault tests on a rehearsal, whose events take some 10 ms each on a machine at rest.
const (
	answerLimit   = 20 * time.Second // of a client's patience with a connection
	pingEvery     = 4 * time.Second  // by a client: each costs an event
	trafficLimit  = 5 * time.Minute  // for all messages of the short column
	convergeLimit = 3 * time.Minute  // from the last fault until all have seen everything
)

// talk is clients that talk on a rehearsal.
type talk struct {
	t       *testing.T
	e       *testenv.Env
	history *checker.History
	clients []*sim.Client
	ctx     context.Context
	stop    context.CancelFunc
	done    []<-chan struct{}
}

var talkRooms = []string{"tea", "den"}

// talkers starts n users who talk in all rooms, and returns when they are in.
func talkers(t *testing.T, e *testenv.Env, n int, seed uint64) *talk {
	t.Helper()
	ta := &talk{t: t, e: e, history: checker.New()}
	ta.ctx, ta.stop = context.WithCancel(context.Background())
	t.Cleanup(ta.end)
	for i := range n {
		ta.join(ta.ctx, fmt.Sprintf("user%d", i), seed+uint64(i), 2)
	}
	ta.await(trafficLimit, "all have joined", (*sim.Client).Joined)
	return ta
}

// join starts one client, until ctx ends, with so many messages under way at a time.
func (ta *talk) join(ctx context.Context, user string, seed uint64, window int) *sim.Client {
	url := ta.e.URLs[0]
	c, done := sim.Start(ctx, ta.history, sim.Options{
		URL: func() string { return url }, User: user, Rooms: talkRooms, Seed: seed,
		Window: window, Resend: 2, ReadEvery: 10, Answer: answerLimit, Heartbeat: pingEvery,
	})
	ta.clients, ta.done = append(ta.clients, c), append(ta.done, done)
	return c
}

// await returns when all clients are so.
func (ta *talk) await(limit time.Duration, what string, is func(*sim.Client) bool) {
	ta.t.Helper()
	begin := time.Now()
	for _, c := range ta.clients {
		for !is(c) {
			if time.Since(begin) > limit {
				ta.t.Fatalf("not within %v: %s (%d are acknowledged)", limit, what, ta.acked())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// acked is how many messages are acknowledged.
func (ta *talk) acked() (n int) {
	for _, c := range ta.clients {
		n += c.Acked()
	}
	return n
}

// until returns when so many more messages are acknowledged.
func (ta *talk) until(messages int) {
	ta.t.Helper()
	from, limit := ta.acked(), trafficLimit
	if deep() {
		limit *= 20
	}
	for begin := time.Now(); ta.acked() < from+messages; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > limit {
			ta.t.Fatalf("%d of %d messages are acknowledged after %v", ta.acked()-from, messages, limit)
		}
	}
}

// settle ends the talking once nothing goes wrong any more, and gives what the checker says.
func (ta *talk) settle() *checker.Report {
	ta.t.Helper()
	for _, c := range ta.clients {
		c.Stop()
	}
	ta.settled(nil)
	heads := map[string]uint64{}
	for _, room := range talkRooms {
		for _, reader := range []string{"reader1", "reader2"} {
			log := ta.log(reader, room)
			ta.history.Log(room, log)
			heads[room] = uint64(len(log))
		}
	}
	ta.settled(heads)
	return ta.history.Check()
}

// log reads a room; where the machine is busy the function may have no time for it at first.
func (ta *talk) log(reader, room string) []checker.Entry {
	ta.t.Helper()
	ctx, cancel := context.WithTimeout(ta.ctx, convergeLimit)
	defer cancel()
	for {
		log, err := sim.ReadLog(ctx, ta.e.URLs[0], reader, room)
		if err == nil {
			return log
		}
		if ctx.Err() != nil {
			ta.t.Fatalf("read %s: %v", room, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// settled waits until all have seen everything, or the checker may tell what is missing.
func (ta *talk) settled(heads map[string]uint64) {
	deadline := time.Now().Add(convergeLimit)
	for _, c := range ta.clients {
		for !c.Settled(heads) && !c.Left() && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// end stops the clients.
func (ta *talk) end() {
	ta.stop()
	for _, done := range ta.done {
		<-done
	}
}

// verdict prints the line of a fault test, and fails it when the checker has found anything or a
// client was refused something.
func (ta *talk) verdict(r *checker.Report, d *dice, seed uint64, kinds ...string) {
	ta.t.Helper()
	welcomes := 0
	for _, c := range ta.clients {
		seen := c.Seen()
		welcomes += seen.Welcomes
		for _, err := range seen.Problems {
			ta.t.Error(err)
		}
	}
	fmt.Printf("%s %s wrong=%d welcomes=%d kinds=%v\n",
		ta.t.Name(), r.Line(d.total(ta.t, kinds...), seed), r.Wrong, welcomes, d.counts)
	if err := r.Err(); err != nil {
		ta.t.Errorf("seed %d:\n%v", seed, err)
	}
}
