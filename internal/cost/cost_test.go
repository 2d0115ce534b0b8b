package cost

import (
	"strings"
	"testing"
)

// round has figures that are easy to reckon with.
var round = Figures{
	Open: Usage{Messages: 2, Invocations: 3}, Heartbeat: Usage{Messages: 2, Invocations: 1},
	Message: Usage{Messages: 2, Invocations: 1, ReadUnits: 2.5, WriteUnits: 5},
	Direct:  Usage{Messages: 3}, Sweep: Usage{Invocations: 1, ReadUnits: 5},
	SubscriptionBytes: 100, ConnectionBytes: 1024,
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
	s := Seed{Message: Usage{Messages: 2, ReadUnits: 0.5}, Bytes: 100}
	if u := s.To(10_000); u.ReadUnits != 122.5 || u.Messages != 10_000 {
		t.Errorf("%+v, want 122.5 read units and 10,000 messages", u)
	}
	if got := reading(2.5 * pageBytes); got != 2*128+64 {
		t.Errorf("pages of 1 MB, 1 MB and 0.5 MB: %v units, want 320", got)
	}
}

func TestFigures_Bill(t *testing.T) {
	p := Prices{}
	p.Dollars.GatewayMessages, p.Dollars.ConnectionMinutes = 1, 0.25
	p.Dollars.Invocations, p.Dollars.ReadUnits, p.Dollars.WriteUnits = 0.2, 0.125, 0.625
	l := Load{People: 10, Hours: 72, Sessions: 36, Messages: 100, Direct: 10, Room: 5}
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
	if got := items[5].Usage.ReadUnits; got != 43_200*(5+4*1) {
		t.Errorf("the sweeps read %v units, want %v", got, 43_200*9)
	}
	l.NoSweep = true
	if got := len(round.Bill(p, l)); got != 5 {
		t.Errorf("%d items without sweeps, want 5", got)
	}
	total := Total(items)
	if total.Usage.Messages != 720+43_200+6000+300 || total.Dollars <= items[3].Dollars {
		t.Errorf("the total is %+v", total)
	}
}

func TestLoad_Check(t *testing.T) {
	good := Load{People: 10, Hours: 10, Sessions: 5, Messages: 1, Room: 10}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for word, spoil := range map[string]func(*Load){
		"people":                           func(l *Load) { l.People = -1 },
		"hours":                            func(l *Load) { l.Hours = 721 },
		"sessions":                         func(l *Load) { l.Sessions = 4 },
		"room: a message reaches no more":  func(l *Load) { l.Room = 11 },
		"room: a message reaches at least": func(l *Load) { l.Room = 0 },
	} {
		l := good
		spoil(&l)
		if err := l.Check(); err == nil || !strings.HasPrefix(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}
