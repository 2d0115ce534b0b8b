//go:build !race

package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/internal/testenv"
)

// party is players that talk with one another, each behind a network of its own.
type party struct {
	tb      testing.TB
	server  string // its address past the networks
	history *checker.History
	players []*player
	nets    []*flaky
	again   []chan struct{}
	rooms   []string
	kinds   map[string]int
	rng     *rand.Rand
	pace    pace

	converged time.Duration // from the last fault until everybody had seen everything
}

func newParty(tb testing.TB, server string, seed uint64, how pace) *party {
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	pa := &party{
		tb: tb, server: server, pace: how, history: checker.New(), kinds: map[string]int{},
		rooms: []string{"tea", "den"}, rng: rand.New(rand.NewPCG(seed, 0)),
	}
	for i, user := range []string{"alice", "bob", "carol"} {
		f := newFlaky(tb, u.Host)
		where := "ws://" + f.listener.Addr().String() + u.Path
		pa.nets = append(pa.nets, f)
		pa.players = append(pa.players, newPlayer(tb, pa.history, user, where, seed+uint64(i), how))
		pa.again = append(pa.again, make(chan struct{}))
	}
	return pa
}

// begin has everybody come in while nothing goes wrong; two of them talk in private as well.
func (pa *party) begin(ctx context.Context) {
	for _, p := range pa.players {
		if err := p.connect(ctx); err != nil {
			pa.tb.Fatal(err)
		}
		if err := p.enter(ctx, pa.rooms); err != nil {
			pa.tb.Fatal(err)
		}
	}
	first, err := pa.players[0].c.SendTo(ctx, "bob", "psst")
	if err != nil {
		pa.tb.Fatal(err)
	}
	alone := first.Room
	for i, p := range pa.players[:2] {
		p.to[alone] = pa.players[1-i].user
		p.rooms = append(p.rooms[:len(p.rooms):len(p.rooms)], alone)
		p.book.Follow(alone, 0)
	}
	pa.players[0].book.Send(alone, first.ID, "psst").Ack(first.Seq)
	pa.rooms = append(pa.rooms, alone)
}

// strike lets n things go wrong, for one player each. After every ten the talk has to have gone on.
func (pa *party) strike(n int, every time.Duration) {
	acked := pa.acked()
	for done := range n {
		if done%10 == 9 {
			for begin := time.Now(); pa.acked() < acked+20; time.Sleep(time.Millisecond) {
				if time.Since(begin) > patience {
					pa.tb.Fatalf("%d messages were acknowledged for %v", pa.acked()-acked, patience)
				}
			}
			acked = pa.acked()
		}
		time.Sleep(every/2 + time.Duration(pa.rng.Int64N(int64(every))))
		i := pa.rng.IntN(len(pa.players))
		switch kind := pa.rng.IntN(len(faults) + 2); kind {
		case len(faults):
			pa.kinds["program starts again"]++
			select {
			case pa.again[i] <- struct{}{}:
			case <-time.After(patience):
				pa.tb.Fatalf("%s does not start again", pa.players[i].user)
			}
		case len(faults) + 1:
			pa.kinds["slow program"]++
			pa.players[i].mu.Lock()
			pa.players[i].slow = true
			pa.players[i].mu.Unlock()
		default:
			pa.kinds[faults[kind].name]++
			faults[kind].strike(pa.nets[i], pa.rng)
		}
	}
}

// acked is how many messages are acknowledged.
func (pa *party) acked() (n int) {
	for _, p := range pa.players {
		p.mu.Lock()
		n += len(p.acked)
		p.mu.Unlock()
	}
	return n
}

// play is the whole: everybody talks while trouble does its work, then all has to come right.
func (pa *party) play(trouble func()) *checker.Report {
	ctx, stop := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	defer playing.Wait()
	defer stop()
	pa.begin(ctx)
	for i, p := range pa.players {
		playing.Go(func() { p.play(ctx, pa.again[i]) })
	}
	trouble()
	for _, p := range pa.players {
		close(p.talk)
	}
	healed := time.Now()
	pa.await(nil, healed)
	logs := map[string][]checker.Entry{}
	for _, room := range pa.rooms {
		for _, reader := range []string{"bob", "alice"} { // the room of two is theirs
			log := pa.log(ctx, reader, room)
			pa.history.Log(room, log)
			logs[room] = log
		}
	}
	pa.await(logs, healed)
	pa.converged = time.Since(healed)
	stop()
	playing.Wait()
	for _, p := range pa.players {
		for room, log := range logs {
			p.report(room, log)
		}
	}
	if pa.converged > pa.pace.converge {
		pa.tb.Errorf("converged after %v", pa.converged)
	}
	return pa.history.Check()
}

// await returns when all have seen everything, or the checker may tell what is missing.
func (pa *party) await(logs map[string][]checker.Entry, since time.Time) {
	for _, p := range pa.players {
		for !p.settled(logs) && time.Since(since) < pa.pace.converge {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// log reads a room past the networks.
func (pa *party) log(ctx context.Context, user, room string) []checker.Entry {
	pa.tb.Helper()
	limit, stop := context.WithTimeout(ctx, patience)
	defer stop()
	line, err := sim.Dial(limit, pa.server, user)
	if err != nil {
		pa.tb.Fatal(err)
	}
	defer line.Close()
	var log []checker.Entry
	for {
		id := fmt.Sprintf("after-%d-%d", len(log), time.Now().UnixNano()) // an answer may come twice
		page, err := line.Do(limit, id, `{"action":"history","id":%q,"room":%q,"after":%d,"limit":200}`, id, room, len(log))
		if err != nil {
			pa.tb.Fatal(err)
		}
		for _, m := range page.Messages {
			log = append(log, checker.Entry{
				Seq: m.Seq, From: m.From, ID: m.ID, Text: m.Text, Void: m.Void, Deleted: m.Deleted,
			})
		}
		switch {
		case !page.More:
			return log
		case len(page.Messages) == 0:
			time.Sleep(time.Second) // a number that is not stored yet
		}
	}
}

// verdict prints the line of a fault test and fails it when the checker has found anything.
func (pa *party) verdict(r *checker.Report, count int, seed uint64) {
	pa.tb.Helper()
	ends := 0
	for _, p := range pa.players {
		ends += p.ends
	}
	fmt.Printf("%s %s wrong=%d ends=%d converged=%v kinds=%v\n",
		pa.tb.Name(), r.Line(count, seed), r.Wrong, ends, pa.converged.Round(time.Millisecond), pa.kinds)
	if err := r.Err(); err != nil {
		pa.tb.Errorf("seed %d:\n%v", seed, err)
	}
	if r.Acked < count || ends < count/10 {
		pa.tb.Errorf("%d messages and %d lost connections are too few for %d faults", r.Acked, ends, count)
	}
}

// newSeed is the seed of a run: CONFAB_SEED repeats one.
func newSeed(tb testing.TB) uint64 {
	tb.Helper()
	seed := rand.Uint64N(1 << 32)
	if text := os.Getenv("CONFAB_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			tb.Fatal(err)
		}
	}
	return seed
}

// times is how many faults there are to a host, of 500 in the short column and 50,000 in the long one.
func times(short int) int {
	if os.Getenv("CONFAB_DEEP") != "" {
		return 100 * short
	}
	return short
}

// TestF8_Network lets everything go wrong that can on the way between clients and server.
func TestF8_Network(t *testing.T) {
	for _, host := range []struct{ name, store string }{{"direct", "sqlitestore"}, {"cold", "memstore"}} {
		t.Run(host.name, func(t *testing.T) {
			t.Parallel()
			seed, count := newSeed(t), times(220)
			e := testenv.Start(t, host.name, host.store, testenv.Options{QueueFrames: 16, WriteBuffer: 4096})
			pa := newParty(t, e.URLs[0], seed, hasty)
			report := pa.play(func() { pa.strike(count, 40*time.Millisecond) })
			pa.verdict(report, count, seed)
		})
	}
}

// TestF8_Kill kills the real server besides.
func TestF8_Kill(t *testing.T) {
	t.Parallel()
	const kills = 5
	seed, count := newSeed(t), times(60)
	data := t.TempDir()
	launch := func(addr string) *sim.Process {
		return sim.Serve(t, "--addr", addr, "--data", data, "--rate", "100000", "--burst", "200000")
	}
	server := launch(sim.FreeAddr(t))
	pa := newParty(t, server.URL(), seed, hasty)
	report := pa.play(func() {
		for range kills {
			pa.strike(count/kills-1, 40*time.Millisecond)
			server.Kill()
			server = launch(strings.TrimPrefix(server.Addr, "http://"))
			pa.kinds["kill -9"]++
		}
	})
	pa.verdict(report, count, seed)
}
