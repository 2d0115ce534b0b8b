package deploy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/cost"
	"github.com/confab-chat/confab/internal/meter"
	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
)

// update is what `make cost` gives: the figures are written, and the page from them.
var update = flag.Bool("update", false, "write the measured figures and docs/cost.md")

// gauge measures what a stack uses.
type gauge struct {
	tb     testing.TB
	usage  func() rehearsal.Usage
	meter  *meter.Proxy
	before rehearsal.Usage
	ended  int64 // invocations so far
}

func invocations(u rehearsal.Usage) (n int64) {
	for _, s := range u.Functions {
		n += s.Invocations
	}
	return n
}

// begin forgets what was used before.
func (g *gauge) begin() {
	g.meter.Reset()
	g.before = g.usage()
	g.ended = invocations(g.before)
}

// end awaits so many invocations, and gives what was used since begin.
func (g *gauge) end(what string, n int64) cost.Usage {
	g.tb.Helper()
	var now rehearsal.Usage
	for late := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if now = g.usage(); invocations(now) >= g.ended+n {
			break
		}
		if time.Now().After(late) {
			g.tb.Fatalf("%s: %d invocations, want %d", what, invocations(now)-g.ended, n)
		}
	}
	sum := meter.Sum(g.meter.Usage())
	u := cost.Usage{
		Messages:    float64(now.Gateway.Messages - g.before.Gateway.Messages),
		Invocations: float64(invocations(now) - g.ended),
		ReadUnits:   sum.ReadUnits, WriteUnits: sum.WriteUnits,
	}
	for name, s := range now.Functions {
		u.GBSeconds += (s.BilledMB - g.before.Functions[name].BilledMB).Seconds() / 1024
	}
	return u
}

// of measures what something does that ends with so many invocations.
func (g *gauge) of(what string, n int64, do func()) cost.Usage {
	g.tb.Helper()
	g.begin()
	do()
	return g.end(what, n)
}

// least gives the least of some runs: a machine that does other things too is slower, and a request
// that it leaves without an answer for long is made again.
func least(run func() cost.Usage) (u cost.Usage) {
	const runs = 3
	u = run()
	for range runs - 1 {
		now := run()
		u.GBSeconds = min(u.GBSeconds, now.GBSeconds)
		u.Messages, u.Invocations = min(u.Messages, now.Messages), min(u.Invocations, now.Invocations)
		u.ReadUnits, u.WriteUnits = min(u.ReadUnits, now.ReadUnits), min(u.WriteUnits, now.WriteUnits)
	}
	return u
}

// measure has people do each operation, as the first of a connection: it begins a window of the
// connection's rate, as operations do that are seconds apart.
func measure(t *testing.T) (f cost.Figures) {
	t.Helper()
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Metered: true})
	g := &gauge{tb: t, usage: e.Usage, meter: e.Meter}
	opened, said, queried := 0.0, 0, 0
	dial := func(user string) *testenv.Client {
		opened++
		return e.Dial(t, user)
	}
	// as measures an operation of a fresh connection of a user.
	as := func(user, what string, do func(c *testenv.Client, id string)) cost.Usage {
		return least(func() (u cost.Usage) {
			var c *testenv.Client
			g.of("connecting", 1, func() { c = dial(user) })
			said++
			u = g.of(what, 1, func() { do(c, fmt.Sprintf("%s-%d", what, said)) })
			queried = e.Meter.Usage()["Query"].ReadBytes
			g.of("leaving", 1, c.Close)
			return u
		})
	}
	f.Join = as("alice", "join", func(c *testenv.Client, id string) { c.Join(id) })
	as("bob", "joining", func(c *testenv.Client, _ string) { c.Join("tea") })
	f.Heartbeat = as("bob", "heartbeat", func(c *testenv.Client, id string) {
		c.Do(id, `{"action":"ping","id":%q}`, id)
	})
	f.Message = as("bob", "message", func(c *testenv.Client, id string) {
		c.Say("tea", id, "as long as what people usually say to one another")
	})
	f.SubscriptionBytes = float64(queried)
	f.Open = least(func() cost.Usage {
		var c *testenv.Client
		u := g.of("connect", 1, func() { c = dial("bob") })
		u = u.Plus(1, g.of("hello", 1, func() { c.Do("h", `{"action":"hello","id":"h"}`) }))
		return u.Plus(1, g.of("disconnect", 1, c.Close))
	})
	var carol *testenv.Client
	g.of("connecting", 1, func() { carol = dial("carol") })
	f.Direct = as("bob", "direct", func(c *testenv.Client, id string) {
		c.Do(id, `{"action":"sendMessage","id":%q,"to":"carol","message":"psst, this is for you alone"}`, id)
		carol.Await("it", func(f testenv.Frame) bool { return f.ID == id })
	})
	g.of("leaving", 1, carol.Close)
	f.Sweep = least(func() cost.Usage {
		return g.of("sweep", 1, func() {
			if _, err := e.Invoke([]byte(`{"kind":"sweep"}`)); err != nil {
				t.Error(err)
			}
		})
	})
	f.ConnectionBytes = math.Round(float64(g.meter.Usage()["Query"].ReadBytes) / opened)
	return f
}

// seeds are the write-ups' chats that tell everybody, in the languages that they are in.
var seeds = []string{"broadcast-python", "broadcast-node"}

// measureSeed has two people connected to a write-up's chat, one of whom speaks.
func measureSeed(t *testing.T, name string) cost.Seed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(tools.Root(), "examples", "seeds", name))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "template.yaml")
	text, err := os.ReadFile(file)
	if err == nil { // tests share a machine
		err = os.WriteFile(file, bytes.ReplaceAll(text, []byte("Timeout: 10 "), []byte("Timeout: 25 ")), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := testenv.StartTemplate(t, dir, "")
	g := &gauge{tb: t, usage: e.Usage, meter: e.Meter}
	s := cost.Seed{Name: name}
	s.Open = least(func() cost.Usage {
		return g.of("open", 2, func() { testenv.DialDialect(t, e.URLs[0], "one").Close() })
	})
	var one, two *testenv.Client
	g.of("connecting", 2, func() {
		one, two = testenv.DialDialect(t, e.URLs[0], "one"), testenv.DialDialect(t, e.URLs[0], "two")
	})
	s.Message = least(func() cost.Usage {
		return g.of("message", 1, func() {
			one.Send(`{"action":"sendMessage","message":"Hello AWS"}`)
			two.Await("it", func(f testenv.Frame) bool { return f.Raw == "Hello AWS" })
		})
	})
	s.Bytes = float64(g.meter.Usage()["Scan"].ReadBytes) / cost.SeedConnections
	var billed, memory time.Duration
	for _, used := range e.Usage().Functions {
		billed, memory = billed+used.Billed, memory+used.BilledMB
	}
	s.Memory = math.Round(100*float64(memory)/float64(billed)/1024) / 100
	g.of("leaving", 2, func() { one.Close(); two.Close() })
	return s
}

// The figures that the program and docs/cost.md have are those of the code as it is: all that AWS
// counts, but for the time that functions take, which is that of the machine.
func TestCost(t *testing.T) {
	got := measure(t)
	for _, name := range seeds {
		got.Seeds = append(got.Seeds, measureSeed(t, name))
	}
	if *update {
		write(t, got)
	}
	prices, want, err := cost.Known()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		want = got
	}
	near := func(what string, got, want float64) { // times with zeros behind are shorter
		if math.Abs(got-want) > want/20 {
			t.Errorf("a row of %s has %v bytes, want about %v: run `make cost`", what, got, want)
		}
	}
	near("a subscription", got.SubscriptionBytes, want.SubscriptionBytes)
	near("a connection", got.ConnectionBytes, want.ConnectionBytes)
	if diff := cmp.Diff(counted(want), counted(got)); diff != "" {
		t.Errorf("internal/cost/measured.json is not what is measured now, run `make cost` (-file +now):\n%s", diff)
	}
	page, err := os.ReadFile(filepath.Join(tools.Root(), "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cost.Page(prices, want), string(page)); diff != "" {
		t.Errorf("docs/cost.md is not what `make cost` writes:\n%s", diff)
	}
}

// write puts the figures and the page into the repository.
func write(t *testing.T, f cost.Figures) {
	t.Helper()
	prices, _, err := cost.Known()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(tools.Root(), "internal", "cost", "measured.json"), append(text, '\n'), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(tools.Root(), "docs", "cost.md"), []byte(cost.Page(prices, f)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// counted is the figures without what depends on the machine and the hour.
func counted(f cost.Figures) cost.Figures {
	f.SubscriptionBytes, f.ConnectionBytes = 0, 0
	for _, u := range []*cost.Usage{&f.Open, &f.Join, &f.Heartbeat, &f.Message, &f.Direct, &f.Sweep} {
		u.GBSeconds = 0
	}
	f.Seeds = slices.Clone(f.Seeds)
	for i := range f.Seeds {
		f.Seeds[i].Open.GBSeconds, f.Seeds[i].Message.GBSeconds, f.Seeds[i].Bytes = 0, 0, 0
	}
	return f
}
