package cost

import (
	"errors"
	"math"
)

// Load is what people do in a month.
type Load struct {
	People   float64 // who use the chat, with one connection each
	Hours    float64 // that each is connected
	Sessions float64 // connections that each opens in that time
	Messages float64 // that each sends to a room
	Direct   float64 // that each sends to one other
	Room     float64 // connections that a message to a room reaches, the sender's among them
	NoSweep  bool    // the template's parameter Sweep is off
}

// MaxHours is after how many hours API Gateway ends a connection.
const MaxHours = 2

// minutesOfMonth is a month of 30 days.
const minutesOfMonth = 30 * 24 * 60

// tombstoneDays is how long the row of a closed connection is taken to stay: DynamoDB deletes what
// has expired within a few days (Developer Guide, "Using time to live").
const tombstoneDays = 2

// Check names what cannot be.
func (l Load) Check() error {
	for _, field := range []struct {
		name  string
		value float64
	}{
		{"people", l.People},
		{"hours", l.Hours},
		{"sessions", l.Sessions},
		{"messages", l.Messages},
		{"direct", l.Direct},
		{"room", l.Room},
	} {
		if field.value < 0 || math.IsNaN(field.value) || math.IsInf(field.value, 0) {
			return errors.New(field.name + " must be a number from 0 on")
		}
	}
	switch {
	case l.Hours > minutesOfMonth/60:
		return errors.New("hours: a month of 30 days has 720")
	case l.Hours > MaxHours*l.Sessions:
		return errors.New("sessions: API Gateway ends a connection after 2 hours, so that " +
			"there are at least half as many as hours")
	case l.Room > l.People:
		return errors.New("room: a message reaches no more connections than there are people")
	case l.People*l.Messages > 0 && l.Room < 1:
		return errors.New("room: a message reaches at least its sender")
	}
	return nil
}

// Item is one line of a bill.
type Item struct {
	What    string
	Times   float64 // a month
	Usage   Usage   // of all times
	Dollars float64
}

// Bill gives what a load costs in a month, item by item.
func (f Figures) Bill(p Prices, l Load) []Item {
	item := func(what string, times float64, each Usage) Item {
		u := Usage{}.Plus(times, each)
		return Item{what, times, u, p.Of(u)}
	}
	hours := l.People * l.Hours
	items := []Item{
		item("connections opened", l.People*l.Sessions, f.Open),
		item("hours connected", hours, Usage{ConnectionMinutes: 60}),
		item("heartbeats", hours*3600/HeartbeatSeconds, f.Heartbeat),
		item("messages to rooms", l.People*l.Messages, f.To(max(1, l.Room))),
		item("direct messages", l.People*l.Direct, f.Direct),
	}
	if !l.NoSweep {
		open := hours / (minutesOfMonth / 60) // on average
		closed := l.People * l.Sessions / 30 * tombstoneDays
		items = append(items, item("sweeps", minutesOfMonth, f.SweepOf(open+closed)))
	}
	return items
}

// Bill gives what a seed's design costs for a load: each message goes to all who are connected, on
// average, and at least to the room.
func (s Seed) Bill(p Prices, l Load) []Item {
	item := func(what string, times float64, each Usage) Item {
		u := Usage{}.Plus(times, each)
		return Item{what, times, u, p.Of(u)}
	}
	hours := l.People * l.Hours
	open := max(1, l.Room, hours/(minutesOfMonth/60))
	return []Item{
		item("connections opened", l.People*l.Sessions, s.Open),
		item("hours connected", hours, Usage{ConnectionMinutes: 60}),
		item("messages to all", l.People*(l.Messages+l.Direct), s.To(open)),
	}
}

// Total adds items.
func Total(items []Item) (all Item) {
	all.What = "a month"
	for _, i := range items {
		all.Usage = all.Usage.Plus(1, i.Usage)
		all.Dollars += i.Dollars
	}
	return all
}
