//go:build !race

package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
)

// killed is the real server, which crashes by kill -9.
type killed struct {
	data     string
	process  *sim.Process
	recovery []time.Duration // from the start of a new process until it welcomes a client
}

func newKilled(tb testing.TB) *killed {
	k := &killed{data: tb.TempDir()}
	k.launch(tb, sim.FreeAddr(tb))
	return k
}

// launch starts a server whose limits of rate do not get in the way.
func (k *killed) launch(tb testing.TB, addr string) {
	tb.Helper()
	k.process = sim.Serve(tb, "--addr", addr, "--data", k.data, "--rate", "100000", "--burst", "200000")
}

func (k *killed) url() string { return k.process.URL() }

func (k *killed) crash(testing.TB) { k.process.Kill() }

func (k *killed) restart(tb testing.TB) {
	tb.Helper()
	begin := time.Now()
	k.launch(tb, k.process.Addr)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := sim.Probe(ctx, k.url()); err != nil {
		tb.Fatalf("after the restart: %v", err)
	}
	k.recovery = append(k.recovery, time.Since(begin))
}

// enough is how many messages are acknowledged between two crashes: in the deep column they are to
// be 300,000 in all.
var enough = column(1, 1500)

// crashes lets the host break down at random points between 50 and 500 ms after all clients are
// at work again. Some clients lose their connection before that.
func crashes(tr *traffic, n int, rng *rand.Rand) {
	tr.tb.Helper()
	for range n {
		welcomes, acked := tr.welcomes(), tr.acked()
		time.Sleep(time.Duration(50+rng.IntN(450)) * time.Millisecond)
		tr.clients[rng.IntN(len(tr.clients))].Cut()
		await(tr.tb, patience, "messages are acknowledged", func() bool { return tr.acked() >= acked+enough })
		tr.host.crash(tr.tb)
		tr.host.restart(tr.tb)
		await(tr.tb, patience, "all clients are back", func() bool {
			return tr.welcomes() >= welcomes+len(tr.clients)
		})
	}
}

func (tr *traffic) welcomes() int {
	n := 0
	for _, c := range tr.clients {
		n += c.Seen().Welcomes
	}
	return n
}

// crowd is 8 writers in all rooms and a listener in each of them alone.
func crowd(names []string, window int, seed uint64) []sim.Options {
	var all []sim.Options
	for i, user := range rooms("writer", 8) {
		all = append(all, sim.Options{User: user, Rooms: names, Window: window, Resend: 3, Seed: seed + uint64(i)})
	}
	for i, user := range rooms("listener", len(names)) {
		all = append(all, sim.Options{User: user, Rooms: names[i : i+1]})
	}
	return all
}

// checkCrashes is F1 on any host: what was acknowledged survives, once and in its place. word is of
// the names of the rooms, which must be new.
func checkCrashes(tb testing.TB, h host, word string, n int, seed uint64) (*traffic, *checker.Report) {
	tb.Helper()
	tr := newTraffic(tb, h)
	tr.start(crowd(rooms(word, 4), 8, seed)...)
	await(tb, patience, "the first messages", func() bool { return tr.acked() > 100 })
	crashes(tr, n, rand.New(rand.NewPCG(seed, 1)))
	report := tr.settle()
	return tr, report
}

// series is how many kills the clients of one history live through.
const series = 20

func TestF1_KillUnderLoad(t *testing.T) {
	seed, kills := newSeed(t), column(20, 200)
	k := newKilled(t)
	var sum checker.Report
	for done := 0; done < kills; done += series {
		tr, report := checkCrashes(t, k, fmt.Sprintf("series%d-", done/series), series, seed+uint64(done))
		sum.Acked += report.Acked
		sum.Lost += report.Lost
		sum.Dup += report.Dup
		sum.Reorder += report.Reorder
		sum.Wrong += report.Wrong
		sum.Problems = append(sum.Problems, report.Problems...)
		seen := tr.seen()
		if seen.Duplicates < series {
			t.Errorf("%d repeated messages were answered as duplicates after %d kills", seen.Duplicates, series)
		}
		if seen.Resets > 0 {
			t.Errorf("%d resets", seen.Resets)
		}
	}
	pass(t, &sum, kills, seed)
	if most := percentile(k.recovery, share); most >= time.Second {
		t.Errorf("recovery of %v of all in %v, want below 1 s: %v", share, most, k.recovery)
	}
	if sum.Acked < kills*enough {
		t.Errorf("%d acknowledged, want at least %d", sum.Acked, kills*enough)
	}
}

// some gives n of the names from one on, in a circle.
func some(names []string, from, n int) []string {
	var part []string
	for i := range n {
		part = append(part, names[(from+i)%len(names)])
	}
	return part
}

// checkLinear is F16 on any host: one order explains every answer to the appends and readings of
// short histories, in each of which the host breaks down.
func checkLinear(tb testing.TB, h host, rounds, perRoom int, rng *rand.Rand) (histories, acked int, err error) {
	tb.Helper()
	for round := range rounds {
		tr := newTraffic(tb, h)
		names := rooms(fmt.Sprintf("round%d-", round), 5)
		var clients []sim.Options
		most := perRoom * len(names) / 10 // of the operations of 8 writers a fifth is readings
		for i, user := range rooms("writer", 8) {
			clients = append(clients, sim.Options{
				User: user, Rooms: some(names, i, 3), Window: 16, Most: most, ReadEvery: 4, Seed: rng.Uint64(),
			})
		}
		tr.start(clients...)
		when := rng.IntN(perRoom * len(names) / 2)
		await(tb, patience, "messages are acknowledged", func() bool { return tr.acked() > when })
		h.crash(tb)
		h.restart(tb)
		await(tb, patience, "all is said", func() bool { return tr.acked() >= 8*most })
		report := tr.settle()
		tr.seen()
		if err := errors.Join(report.Err(), tr.history.Linear(time.Minute)); err != nil {
			return histories, acked, err
		}
		histories += len(names)
		acked += report.Acked
	}
	return histories, acked, nil
}

func TestF16_LinearUnderKills(t *testing.T) {
	seed, kills := newSeed(t), column(20, 100)
	histories, acked, err := checkLinear(t, newKilled(t), kills, 1000, rand.New(rand.NewPCG(seed, 2)))
	fmt.Printf("%s faults=%d acked=%d lost=0 dup=0 reorder=0 seed=%d histories=%d\n",
		t.Name(), kills, acked, seed, histories)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	if want := 5 * kills; histories != want {
		t.Errorf("%d histories, want %d", histories, want)
	}
}
