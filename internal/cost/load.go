package cost

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Load is what people do in a month.
type Load struct {
	People    float64 // who use the chat, with one connection each
	Hours     float64 // that each is connected
	Sessions  float64 // connections that each opens in that time
	Messages  float64 // that each sends to a room
	Direct    float64 // that each sends to one other
	Room      float64 // connections that a message to a room reaches, the sender's among them
	Kept      float64 // months of messages that are in the table, this one among them
	Heartbeat float64 // seconds from one heartbeat to the next: the template's HeartbeatSeconds
	Issuer    bool    // tokens are verified: the template's Issuer is given
	NoSweep   bool    // the template's Sweep is off
}

// MaxHours is after how many hours API Gateway ends a connection.
const MaxHours = 2

// A month of 30 days.
const (
	monthDays    = 30
	monthHours   = monthDays * 24
	monthMinutes = monthHours * 60
)

// expiredDays is how long what has expired is taken to stay: DynamoDB deletes it within a few days
// (Developer Guide, "Using time to live"). The row of a closed connection expires after 3 hours.
const expiredDays = 2

// Check names the flag of `confab cost` that is out of its limits.
func (l Load) Check() error {
	for _, field := range []struct {
		name          string
		value, lo, hi float64
		why           string
	}{
		{"people", l.People, 0, 1e6, ""},
		{"hours", l.Hours, 0, monthHours, ", those of a month of 30 days"},
		{"sessions", l.Sessions, 0, 1e5, ""},
		{"messages", l.Messages, 0, 1e6, ""},
		{"direct", l.Direct, 0, 1e6, ""},
		{"room", l.Room, 0, MaxReceivers, ", to which the deployment posts a message at most (MaxReceivers)"},
		{"kept", l.Kept, 0, 1200, " months"},
		{"heartbeat", l.Heartbeat, 10, 540, " seconds, as HeartbeatSeconds of the template"},
	} {
		if !(field.value >= field.lo && field.value <= field.hi) { // NaN is neither
			return fmt.Errorf("--%s %g: want %g to %s%s",
				field.name, field.value, field.lo, number(field.hi), field.why)
		}
	}
	switch {
	case l.Hours > MaxHours*l.Sessions:
		return fmt.Errorf("--sessions %g: want at least %g for --hours %g, as API Gateway ends a "+
			"connection after 2 hours", l.Sessions, math.Ceil(l.Hours/MaxHours), l.Hours)
	case l.Room > l.People:
		return fmt.Errorf("--room %g: want at most %g, which is --people", l.Room, l.People)
	case l.People*l.Messages > 0 && l.Room < 1:
		return errors.New("--room 0: want at least 1, as a message reaches its sender")
	}
	return nil
}

// String says a load in a sentence's words.
func (l Load) String() string {
	text := fmt.Sprintf("%s people, each connected for %g hours", number(l.People), l.Hours)
	if l.Messages > 0 {
		text += fmt.Sprintf(", each sending %s messages to a room of %s", number(l.Messages), number(l.Room))
	}
	if l.Direct > 0 {
		text += fmt.Sprintf(" and %s to one other", number(l.Direct))
	}
	return text
}

// Flags are those of `confab cost` for a load, without those that have their defaults.
func (l Load) Flags() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--people %g --hours %g", l.People, l.Hours)
	if l.Sessions != l.Hours/MaxHours {
		fmt.Fprintf(&b, " --sessions %g", l.Sessions)
	}
	fmt.Fprintf(&b, " --messages %g", l.Messages)
	if l.Direct != 0 {
		fmt.Fprintf(&b, " --direct %g", l.Direct)
	}
	if l.Room != min(l.People, MaxReceivers) {
		fmt.Fprintf(&b, " --room %g", l.Room)
	}
	return b.String()
}

// Item is one line of a bill.
type Item struct {
	What    string
	Times   float64 // a month
	Usage   Usage   // of all times
	Dollars float64
}

// item is something that is done so often.
func (p Prices) item(what string, times float64, each Usage) Item {
	u := Usage{}.Plus(times, each)
	return Item{what, times, u, p.Of(u)}
}

// Bill gives what a load costs in a month, item by item.
func (f Figures) Bill(p Prices, l Load) []Item {
	hours, opened := l.People*l.Hours, l.People*l.Sessions
	rooms, direct := l.People*l.Messages, l.People*l.Direct
	items := []Item{p.item("connections opened", opened, f.Open)}
	if l.Issuer {
		items = append(items, p.item("tokens verified", opened, f.Authorizer))
	}
	items = append(items,
		p.item("hours connected", hours, Usage{ConnectionMinutes: 60}),
		p.item("heartbeats", hours*3600/l.Heartbeat, f.Heartbeat),
		p.item("messages to rooms", rooms, f.To(max(1, l.Room))),
		p.item("direct messages", direct, f.Direct),
	)
	kept := p.item("messages kept", 1, f.Kept(l.Kept*(rooms+direct), rooms+direct))
	kept.Times = l.Kept * (rooms + direct)
	items = append(items, kept)
	if !l.NoSweep {
		open := hours / monthHours // on average
		closed := opened / monthDays * expiredDays
		items = append(items, p.item("sweeps", monthMinutes, f.SweepOf(open+closed)))
	}
	return items
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
