package deploy

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
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
	"github.com/confab-chat/confab/internal/testissuer"
	"github.com/confab-chat/confab/internal/tools"
)

// update is what `make cost` gives: the figures are written, and the page from them.
var update = flag.Bool("update", false, "write the measured figures and docs/cost.md")

// usual is a text as long as what people say.
const usual = "as long as what people usually say to one another"

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

func logged(u rehearsal.Usage) (bytes int64) {
	for _, s := range u.Functions {
		bytes += s.LogBytes
	}
	return bytes
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
	for late := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if now = g.usage(); invocations(now) >= g.ended+n {
			break
		}
		if time.Now().After(late) {
			g.tb.Fatalf("%s: %d invocations, want %d", what, invocations(now)-g.ended, n)
		}
	}
	sum := meter.Sum(g.meter.Usage())
	u := cost.Usage{
		LogBytes:    float64(logged(now) - logged(g.before)),
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
// that it leaves without an answer for long is made again. What is written has the time of more runs.
func least(run func() cost.Usage) (u cost.Usage) {
	runs := 3
	if *update {
		runs = 10
	}
	u = run()
	for range runs - 1 {
		now := run()
		u.GBSeconds = min(u.GBSeconds, now.GBSeconds)
		u.Messages, u.Invocations = min(u.Messages, now.Messages), min(u.Invocations, now.Invocations)
		u.ReadUnits, u.WriteUnits = min(u.ReadUnits, now.ReadUnits), min(u.WriteUnits, now.WriteUnits)
		u.LogBytes = min(u.LogBytes, now.LogBytes)
	}
	return u
}

// opening measures a connection with its hello and its end, which begins with so many invocations.
func (g *gauge) opening(n int64, dial func() *testenv.Client) cost.Usage {
	g.tb.Helper()
	return least(func() cost.Usage {
		var c *testenv.Client
		u := g.of("connect", n, func() { c = dial() })
		u = u.Plus(1, g.of("hello", 1, func() { c.Do("h", `{"action":"hello","id":"h"}`) }))
		return u.Plus(1, g.of("disconnect", 1, c.Close))
	})
}

// measureAuthorizer gives what a connection uses besides, where tokens are verified.
func measureAuthorizer(t *testing.T, open cost.Usage) cost.Usage {
	t.Helper()
	issuer := testissuer.New(t, time.Now)
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Metered: true, Issuer: issuer.URL})
	g := &gauge{tb: t, usage: e.Usage, meter: e.Meter}
	header := http.Header{"Authorization": {"Bearer " + issuer.Token(map[string]any{"sub": "bob"})}}
	dial := func() *testenv.Client { return testenv.DialHeader(t, e.URL(0, "bob"), "bob", header) }
	var c *testenv.Client
	g.of("connecting", 2, func() { c = dial() })
	g.of("joining", 1, func() { c.Do("j", `{"action":"joinRoom","id":"j","room":"tea"}`) })
	g.of("leaving", 1, c.Close)
	before := e.Usage().Functions["Authorizer"]
	besides := g.opening(2, dial).Plus(-1, open)
	used := e.Usage().Functions["Authorizer"]
	runs := float64(used.Invocations - before.Invocations)
	besides.GBSeconds = (used.BilledMB - before.BilledMB).Seconds() / 1024 / runs
	besides.LogBytes = math.Round(float64(used.LogBytes-before.LogBytes) / runs)
	return besides
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
		queried = math.MaxInt
		return least(func() (u cost.Usage) {
			var c *testenv.Client
			g.of("connecting", 1, func() { c = dial(user) })
			said++
			u = g.of(what, 1, func() { do(c, fmt.Sprintf("%s-%d", what, said)) })
			queried = min(queried, e.Meter.Usage()["Query"].ReadBytes)
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
		c.Say("tea", id, usual)
	})
	f.SubscriptionBytes = float64(queried)
	f.Open = g.opening(1, func() *testenv.Client { return dial("bob") })
	var carol *testenv.Client
	g.of("connecting", 1, func() { carol = dial("carol") })
	f.Direct = as("bob", "direct", func(c *testenv.Client, id string) {
		c.Do(id, `{"action":"sendMessage","id":%q,"to":"carol","message":"psst, this is for you alone"}`, id)
		carol.Await("it", func(f testenv.Frame) bool { return f.ID == id })
	})
	g.of("leaving", 1, carol.Close)
	queried = math.MaxInt
	f.Sweep = least(func() cost.Usage {
		u := g.of("sweep", 1, func() {
			if _, err := e.Invoke([]byte(`{"kind":"sweep"}`)); err != nil {
				t.Error(err)
			}
		})
		queried = min(queried, g.meter.Usage()["Query"].ReadBytes)
		return u
	})
	f.ConnectionBytes = math.Round(float64(queried) / opened)
	f.Authorizer = measureAuthorizer(t, f.Open)
	f.MessageBytes, f.ReceiptBytes = measureStorage(t)
	return f
}

// The figures that the program and docs/cost.md have are those of the code as it is: all that AWS
// counts, but for the time that functions take, which is that of the machine.
func TestCost(t *testing.T) {
	prices, want, err := cost.Known()
	if err != nil {
		t.Fatal(err)
	}
	got := measure(t)
	for _, s := range seeds {
		known := slices.IndexFunc(want.Seeds, func(k cost.Seed) bool { return k.What == s.What })
		measured := cost.Seed{}
		if known >= 0 { // without the write-up's text there is nothing to measure
			measured = want.Seeds[known]
		}
		t.Run(s.What, func(t *testing.T) { measured = s.measure(t) })
		got.Seeds = append(got.Seeds, measured)
	}
	if *update {
		write(t, got)
		want = got
	}
	near(t, want, got)
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

// near compares sizes: times with zeros behind are shorter, those of invocations have more digits on a
// slow machine, and some write-ups log what their libraries do.
func near(t *testing.T, want, got cost.Figures) {
	t.Helper()
	rows := func(f cost.Figures) []float64 {
		sizes := []float64{f.SubscriptionBytes, f.ConnectionBytes, f.MessageBytes, f.ReceiptBytes}
		for _, s := range f.Seeds {
			sizes = append(sizes, s.Bytes)
		}
		return sizes
	}
	logs := func(f cost.Figures) (sizes []float64) {
		for _, u := range usages(&f) {
			sizes = append(sizes, u.LogBytes)
		}
		return sizes
	}
	alike := func(share float64) func(a, b float64) bool {
		return func(a, b float64) bool { return math.Abs(a-b) <= max(8, share*b) }
	}
	for what, s := range map[string]struct {
		got, want []float64
		share     float64
	}{
		"rows":            {rows(got), rows(want), 0.05},
		"logs":            {logs(got)[:own], logs(want)[:own], 0.1},
		"write-ups' logs": {logs(got)[own:], logs(want)[own:], 0.25},
	} {
		if !slices.EqualFunc(s.got, s.want, alike(s.share)) {
			t.Errorf("%s are %v bytes, want about %v: run `make cost`", what, s.got, s.want)
		}
	}
}

// own is how many usages are the chat's own: those of write-ups follow.
const own = 7

// usages are all those of some figures.
func usages(f *cost.Figures) []*cost.Usage {
	all := []*cost.Usage{
		&f.Open, &f.Authorizer, &f.Join, &f.Heartbeat, &f.Message, &f.Direct, &f.Sweep,
	}
	f.Seeds = slices.Clone(f.Seeds)
	for i := range f.Seeds {
		s := &f.Seeds[i]
		all = append(all, &s.Open, &s.Message, &s.Direct, &s.EachOpen, &s.EachMessage)
	}
	return all
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
	f.SubscriptionBytes, f.ConnectionBytes, f.MessageBytes, f.ReceiptBytes = 0, 0, 0, 0
	for _, u := range usages(&f) {
		u.GBSeconds, u.LogBytes = 0, 0
	}
	for i := range f.Seeds {
		f.Seeds[i].Bytes = 0
	}
	return f
}
