//go:build !race

package sim_test

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/sim"
)

// drillRooms are the rooms of the drill.
var drillRooms = []string{"lobby", "tea"}

// regular is a program that talks in rooms and keeps what it is shown, as one with a screen would.
type regular struct {
	*client.Client
	mu     sync.Mutex
	screen map[string]map[uint64]string // by room and number: from and text
	resets map[string]int
	acked  []client.Message
}

// newRegular connects a user and follows until the test ends.
func newRegular(tb testing.TB, url, user string) *regular {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	g := &regular{screen: map[string]map[uint64]string{}, resets: map[string]int{}}
	backoff := client.Backoff(10*time.Millisecond, 100*time.Millisecond)
	var err error
	g.Client, err = client.Dial(ctx, url, client.Name(user), backoff)
	if err != nil {
		tb.Fatal(err)
	}
	var following sync.WaitGroup
	following.Go(func() {
		for event, err := range g.Events(context.Background()) {
			if err != nil {
				return
			}
			g.show(event)
		}
	})
	tb.Cleanup(func() {
		_ = g.Close()
		following.Wait()
	})
	if err := g.Join(ctx, "tea"); err != nil {
		tb.Fatal(err)
	}
	return g
}

// show does what an event says to the screen.
func (g *regular) show(event client.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch e := event.(type) {
	case client.Message:
		if g.screen[e.Room] == nil {
			g.screen[e.Room] = map[uint64]string{}
		}
		g.screen[e.Room][e.Seq] = e.From + ": " + e.Text
	case client.Reset:
		g.screen[e.Room] = map[uint64]string{}
		g.resets[e.Room]++
	}
}

// talk says one thing after the other until ctx ends.
func (g *regular) talk(ctx context.Context, word string) {
	for i := 0; ctx.Err() == nil; i++ {
		text := fmt.Sprintf("%s %d of %s", word, i, g.User())
		m, err := g.Send(ctx, drillRooms[i%len(drillRooms)], text)
		if err != nil {
			return // what is in the outbox goes on its way all the same
		}
		g.mu.Lock()
		g.acked = append(g.acked, m)
		g.mu.Unlock()
	}
}

func (g *regular) acknowledged() []client.Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.acked)
}

// shown is what stands on the screen of a room.
func (g *regular) shown(room string) map[uint64]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.screen[room])
}

// resetIn is how often a room was reset.
func (g *regular) resetIn(room string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.resets[room]
}

// TestDrill_Restore is the operator's worst day: a backup under load, the machine is lost, the backup
// is restored elsewhere and served under the old address. Everybody comes back by themselves. What was
// acknowledged before the backup began is there under its number; whoever is ahead of it is told.
func TestDrill_Restore(t *testing.T) {
	folder := t.TempDir()
	backup, fresh := filepath.Join(folder, "monday.confab"), filepath.Join(folder, "restored")
	p := sim.ServeAt(t, sim.FreeAddr(t), "--data", filepath.Join(folder, "data"))
	var regulars []*regular
	for i := range 6 {
		regulars = append(regulars, newRegular(t, p.URL(), fmt.Sprintf("user%d", i)))
	}
	ctx, stop := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	t.Cleanup(func() { stop(); talking.Wait() })
	for _, g := range regulars {
		talking.Go(func() { g.talk(ctx, "word") })
	}
	acked := func() (all []client.Message) {
		for _, g := range regulars {
			all = append(all, g.acknowledged()...)
		}
		return all
	}
	await(t, patience, "the first messages", func() bool { return len(acked()) > 100 })
	before := acked()
	run(t, "backup", backup, "--data", filepath.Join(folder, "data"))
	during := len(acked())
	if during == len(before) {
		t.Error("nobody talked while the backup was made")
	}
	await(t, patience, "messages after the backup", func() bool { return len(acked()) > during+100 })
	p.Kill()
	ahead := acked()
	run(t, "restore", backup, "--data", fresh)
	sim.Serve(t, "--addr", p.Addr, "--data", fresh)

	await(t, patience, "all are reset", func() bool {
		return !slices.ContainsFunc(regulars, func(g *regular) bool {
			return g.resetIn("lobby") == 0 || g.resetIn("tea") == 0
		})
	})
	resumed := len(acked())
	await(t, patience, "all talk on", func() bool { return len(acked()) > resumed+100 })
	stop()
	talking.Wait()
	for _, g := range regulars {
		if err := g.Flush(deadline(t)); err != nil {
			t.Fatal(err)
		}
	}
	logs := map[string]map[uint64]string{}
	for _, room := range drillRooms {
		logs[room] = readRoom(t, regulars[0], room)
	}
	lost := 0
	for _, m := range before {
		if got := logs[m.Room][m.Seq]; got != m.From+": "+m.Text {
			t.Errorf("%s %d was acknowledged before the backup as %q, and is %q", m.Room, m.Seq, m.Text, got)
		}
	}
	for _, m := range ahead {
		if logs[m.Room][m.Seq] != m.From+": "+m.Text {
			lost++
		}
	}
	if lost == 0 {
		t.Error("nothing was said after the backup: nobody was ahead of it")
	}
	checkScreens(t, regulars, logs)
	t.Logf("%d acknowledged before the backup, %d after it, of which %d are not in it", len(before),
		len(ahead)-len(before), lost)
}

// checkScreens wants everybody to see the logs, each text once.
func checkScreens(t *testing.T, regulars []*regular, logs map[string]map[uint64]string) {
	t.Helper()
	for room, log := range logs {
		times := map[string]int{}
		for _, text := range log {
			if times[text]++; times[text] > 1 {
				t.Errorf("%s has %q twice", room, text)
			}
		}
		for _, g := range regulars {
			await(t, patience, g.User()+" sees all of "+room, func() bool {
				return maps.Equal(g.shown(room), log)
			})
			if n := g.resetIn(room); n != 1 {
				t.Errorf("%s was reset %d times in %s, want once", g.User(), n, room)
			}
		}
	}
}

// readRoom reads a room's whole log and wants its numbers to be dense.
func readRoom(t *testing.T, g *regular, room string) map[uint64]string {
	t.Helper()
	log, last := map[uint64]string{}, uint64(0)
	for m, err := range g.Log(deadline(t), room, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if last++; m.Seq != last {
			t.Fatalf("%s: %d where %d belongs", room, m.Seq, last)
		}
		log[m.Seq] = m.From + ": " + m.Text
	}
	return log
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// run runs a command of the program.
func run(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(deadline(t), sim.Binary(t), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("confab %v: %v\n%s", args, err, out)
	}
}
