package cost

import "math"

// Seed is what a write-up's design uses. Two of the write-ups have their functions in the text; for the
// others an example of the same shape stands in.
type Seed struct {
	Name string `json:"name"` // of the folder in examples/seeds; "": the write-up's own functions
	What string `json:"what"` // what it is, for readers
	// What operations use, measured with SeedConnections open ones: a connection and its end, a message
	// to all, and one to one other. No messages: it has no such operation.
	Open    Usage `json:"open"`
	Message Usage `json:"message"`
	Direct  Usage `json:"direct"`
	// What each further open connection adds, but for reading the table.
	EachOpen    Usage `json:"eachOpen"`
	EachMessage Usage `json:"eachMessage"`
	// How often the table is read as a whole, that is Bytes for each connection, so many rows at once;
	// 0 are as many as DynamoDB gives.
	OpenScans    float64 `json:"openScans"`
	MessageScans float64 `json:"messageScans"`
	Bytes        float64 `json:"bytes"`
	PageRows     float64 `json:"pageRows"`
	Memory       float64 `json:"memory"` // of its functions, in GB
	AtOnce       float64 `json:"atOnce"` // posts that it has under way
}

// SeedConnections is how many connections are open when a seed is measured.
const SeedConnections = 2

// Connecting gives what a connection and its end use where so many others are open.
func (s Seed) Connecting(open float64) Usage {
	return s.grown(s.Open, s.EachOpen, s.OpenScans, open)
}

// To gives what a message to all uses where so many connections are open.
func (s Seed) To(open float64) Usage {
	return s.grown(s.Message, s.EachMessage, s.MessageScans, open)
}

// grown gives what an operation uses with so many connections open. For each post of every further one
// it waits, for as many at once as it has under way.
func (s Seed) grown(least, each Usage, scans, open float64) Usage {
	further := max(0, open-SeedConnections)
	u := least.Plus(further, each)
	u.ReadUnits += scans * (s.scan(SeedConnections+further) - s.scan(SeedConnections))
	u.GBSeconds += s.Memory * postSeconds * each.Messages * math.Ceil(further/max(1, s.AtOnce))
	return u
}

// scan gives the units of reading so many rows. A page as full as it may be is followed by another.
func (s Seed) scan(rows float64) float64 {
	if s.PageRows == 0 {
		return reading(rows * s.Bytes)
	}
	full := math.Floor(rows / s.PageRows)
	return full*ofPage(s.PageRows*s.Bytes) + ofPage((rows-full*s.PageRows)*s.Bytes)
}

// Bill gives what a seed's design costs for a load: each message goes to all who are connected, on
// average, and at least to the room; one to one other does where it can do no less.
func (s Seed) Bill(p Prices, l Load) []Item {
	hours := l.People * l.Hours
	open := max(1, l.Room, hours/monthHours)
	direct := s.Direct
	if direct.Messages == 0 {
		direct = s.To(open)
	}
	return []Item{
		p.item("connections opened", l.People*l.Sessions, s.Connecting(open)),
		p.item("hours connected", hours, Usage{ConnectionMinutes: 60}),
		p.item("messages to all", l.People*l.Messages, s.To(open)),
		p.item("direct messages", l.People*l.Direct, direct),
	}
}
