package cost

import (
	"math"
	"strings"
	"testing"
)

// round has figures that are easy to reckon with.
var round = Figures{
	Open: Usage{Messages: 2, Invocations: 3}, Heartbeat: Usage{Messages: 2, Invocations: 1},
	Message: Usage{Messages: 2, Invocations: 1, ReadUnits: 2.5, WriteUnits: 5},
	Direct:  Usage{Messages: 3}, Sweep: Usage{Invocations: 1, ReadUnits: 5},
	SubscriptionBytes: 100, ConnectionBytes: 1024, MessageBytes: 300, ReceiptBytes: 50,
	Authorizer: Usage{Invocations: 1},
}

func TestFigures_To(t *testing.T) {
	for _, test := range []struct{ receivers, messages, invocations, reads float64 }{
		{1, 2, 1, 2.5},
		{40, 41, 1, 2.5}, // 4,000 bytes
		{41, 42, 1, 3},   // 4,100 bytes
		{200, 201, 1, 4.5},
		{201, 202, 2, 4.5}, // one goes to a task
		{700, 701, 2, 11},
		{701, 702, 3, 11},
	} {
		u := round.To(test.receivers)
		got := []float64{u.Messages, u.Invocations, u.ReadUnits, u.WriteUnits}
		want := []float64{test.messages, test.invocations, test.reads, 5}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("to %v: messages, invocations, reads and writes %v, want %v", test.receivers, got, want)
				break
			}
		}
	}
}

// The specification's example: a Scan of 10,000 connections of 100 bytes reads 122.5 units.
func TestSeed_To(t *testing.T) {
	s := Seed{
		Message: Usage{Messages: 2, ReadUnits: 0.5}, EachMessage: Usage{Messages: 1}, MessageScans: 1, Bytes: 100,
	}
	if u := s.To(10_000); u.ReadUnits != 122.5 || u.Messages != 10_000 {
		t.Errorf("%+v, want 122.5 read units and 10,000 messages", u)
	}
	for bytes, units := range map[float64]float64{
		0: 0.5, 1: 0.5, 4096: 0.5, 4097: 1, 1 << 20: 128, 2.5 * (1 << 20): 2*128 + 64, 1e12: 122070312.5,
	} {
		if got := reading(bytes); got != units {
			t.Errorf("%v bytes in pages of 1 MB: %v units, want %v", bytes, got, units)
		}
	}
}

// What further connections add: posts, lines of log, and pages of the table, of 50 rows here.
func TestSeed_further(t *testing.T) {
	s := Seed{
		Open: Usage{Invocations: 2, ReadUnits: 0.5}, OpenScans: 1, EachOpen: Usage{Messages: 4, LogBytes: 30},
		Message: Usage{Messages: 2}, EachMessage: Usage{Messages: 1},
		Bytes: 100, PageRows: 50, Memory: 0.5, AtOnce: 10,
	}
	// 102 rows are two full pages of 5,000 bytes and one of 200.
	want := Usage{Messages: 400, Invocations: 2, LogBytes: 3000, ReadUnits: 2*1 + 0.5, GBSeconds: 0.5 * 0.01 * 4 * 10}
	if got := s.Connecting(102); got != want {
		t.Errorf("connecting: %+v, want %+v", got, want)
	}
	want = Usage{Messages: 102, GBSeconds: 0.5 * 0.01 * 10}
	if got := s.To(102); got != want {
		t.Errorf("a message: %+v, want %+v", got, want)
	}
	if got := s.To(1); got != s.Message {
		t.Errorf("to less than were measured: %+v, want %+v", got, s.Message)
	}
	l := Load{People: 200, Hours: 360, Sessions: 180, Messages: 10, Direct: 1, Room: 5} // 100 are connected
	bill := s.Bill(Prices{}, l)
	if got := bill[2].Usage.Messages; got != 2000*100 {
		t.Errorf("messages to all are %v, want %v", got, 2000*100)
	}
	if got := bill[3].Usage.Messages; got != 200*100 {
		t.Errorf("messages to one go to all, too: %v, want %v", got, 200*100)
	}
	s.Direct = Usage{Messages: 2}
	if got := s.Bill(Prices{}, l)[3].Usage.Messages; got != 200*2 {
		t.Errorf("messages to one are %v, want %v", got, 200*2)
	}
}

func TestFigures_Bill(t *testing.T) {
	p := Prices{}
	p.Dollars.GatewayMessages, p.Dollars.ConnectionMinutes = 1, 0.25
	p.Dollars.Invocations, p.Dollars.ReadUnits, p.Dollars.WriteUnits = 0.2, 0.125, 0.625
	p.DollarsOfGB.Stored = 0.25
	l := Load{
		People: 10, Hours: 72, Sessions: 36, Messages: 100, Direct: 10, Room: 5, Kept: 12, Heartbeat: 120,
	}
	items := round.Bill(p, l)
	for i, want := range []struct {
		what            string
		times, messages float64
	}{
		{"connections opened", 360, 720},
		{"hours connected", 720, 0},
		{"heartbeats", 21_600, 43_200}, // one in 120 s
		{"messages to rooms", 1000, 6000},
		{"direct messages", 100, 300},
		{"messages kept", 12 * 1100, 0},
		{"sweeps", 43_200, 0}, // one a minute
	} {
		got := items[i]
		if got.What != want.what || got.Times != want.times || got.Usage.Messages != want.messages {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got := items[1].Usage.ConnectionMinutes; got != 43_200 {
		t.Errorf("%v connection minutes, want 43,200", got)
	}
	if got := items[1].Dollars; got != 0.0108 {
		t.Errorf("they cost %v, want 0.0108", got)
	}
	// One connection is open on average, and 24 have been closed in two days: 25 KB over 4 partitions,
	// of each of which 2 units are read.
	if got := items[6].Usage.ReadUnits; got != 43_200*(5+4*1) {
		t.Errorf("the sweeps read %v units, want %v", got, 43_200*9)
	}
	// 13,200 messages of 300 bytes, and the receipts of 3 days of 30, of 50, each with DynamoDB's 100.
	stored := 13_200*400.0 + 110*150
	if got := items[5]; got.Usage.StoredBytes != stored || got.Dollars != stored*0.25/(1<<30) {
		t.Errorf("kept messages: %+v, want %v bytes", got, stored)
	}
	l.NoSweep, l.Issuer, l.Heartbeat = true, true, 540
	other := round.Bill(p, l)
	if len(other) != 7 || other[1].What != "tokens verified" || other[1].Usage.Invocations != 360 {
		t.Errorf("without sweeps and with an issuer: %+v", other)
	}
	if got := other[3].Times; got != 4_800 {
		t.Errorf("%v heartbeats, one in 540 s, want 4,800", got)
	}
	total := Total(items)
	if total.Usage.Messages != 720+43_200+6000+300 || total.Dollars <= items[3].Dollars {
		t.Errorf("the total is %+v", total)
	}
}

// What is billed together is what is billed for each kind.
func TestPrices_Charges(t *testing.T) {
	prices, _, err := Known()
	if err != nil {
		t.Fatal(err)
	}
	u := Usage{
		Messages: 1e6, ConnectionMinutes: 1e6, Invocations: 1e6, GBSeconds: 1e6, ReadUnits: 1e6, WriteUnits: 1e6,
		LogBytes: 1 << 30, StoredBytes: 2 << 30,
	}
	d, g := prices.Dollars, prices.DollarsOfGB
	want := []float64{
		d.GatewayMessages, d.ConnectionMinutes, d.Invocations, d.GBSeconds, d.ReadUnits, d.WriteUnits,
		g.Logs + g.LogMonth, 2 * g.Stored,
	}
	sum := 0.0
	for i, c := range prices.Charges(u) {
		if sum += c.Dollars; c.Dollars != want[i] || c.Dollars == 0 {
			t.Errorf("%s: %v dollars, want %v", c.What, c.Dollars, want[i])
		}
	}
	if got := prices.Of(u); got != sum {
		t.Errorf("together %v, want %v", got, sum)
	}
}

func TestLoad_Check(t *testing.T) {
	good := Load{People: 10, Hours: 10, Sessions: 5, Messages: 1, Room: 10, Heartbeat: 120}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for text, spoil := range map[string]func(*Load){
		"--people -1: want 0 to 1,000,000":             func(l *Load) { l.People = -1 },
		"--people NaN: want 0 to 1,000,000":            func(l *Load) { l.People = math.NaN() },
		"--people +Inf: want 0 to 1,000,000":           func(l *Load) { l.People = math.Inf(1) },
		"--hours 721: want 0 to 720, those of":         func(l *Load) { l.Hours = 721 },
		"--sessions 4: want at least 5 for --hours 10": func(l *Load) { l.Sessions = 4 },
		"--room 11: want at most 10":                   func(l *Load) { l.Room = 11 },
		"--room 0: want at least 1":                    func(l *Load) { l.Room = 0 },
		"--room 5001: want 0 to 5,000":                 func(l *Load) { l.People, l.Room = 6000, 5001 },
		"--heartbeat 9: want 10 to 540":                func(l *Load) { l.Heartbeat = 9 },
		"--kept -1: want 0 to 1,200":                   func(l *Load) { l.Kept = -1 },
	} {
		l := good
		spoil(&l)
		if err := l.Check(); err == nil || !strings.HasPrefix(err.Error(), text) {
			t.Errorf("got %v, want %s", err, text)
		}
	}
}
