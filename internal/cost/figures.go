package cost

import "math"

// Figures are what operations were measured to use. Gateway messages, invocations and units are
// exact, and a test measures them again; GB-seconds are those of the machine that measured last.
type Figures struct {
	// Open is a connection with its hello and its end, of a user in one room.
	Open Usage `json:"open"`
	// Join is joining a room.
	Join Usage `json:"join"`
	// Heartbeat is the ping that a client sends every 120 s, and its answer.
	Heartbeat Usage `json:"heartbeat"`
	// Message is a message to a room whose only connection is the sender's.
	Message Usage `json:"message"`
	// Direct is a message to one user, both with one connection.
	Direct Usage `json:"direct"`
	// Sweep is the schedule's invocation, once a minute, with nobody there.
	Sweep Usage `json:"sweep"`
	// SubscriptionBytes is the size of a row that the fan-out reads for each connection of a room;
	// ConnectionBytes that of one that the sweep reads for each connection.
	SubscriptionBytes float64 `json:"subscriptionBytes"`
	ConnectionBytes   float64 `json:"connectionBytes"`
	// Seeds are the write-ups' designs as the examples have them.
	Seeds []Seed `json:"seeds"`
}

// Seed is what a design uses that reads all connections by a Scan and posts to every one.
type Seed struct {
	Name    string  `json:"name"`
	Open    Usage   `json:"open"`    // a connection and its end
	Message Usage   `json:"message"` // where SeedConnections are open
	Bytes   float64 `json:"bytes"`   // of a row, which the Scan reads
	Memory  float64 `json:"memory"`  // of the function, in GB
}

// SeedConnections is how many connections are open when a seed's message is measured.
const SeedConnections = 2

// Figures of the deployment: deploy/template.yaml and chatapi.
const (
	memory    = 0.5 // GB of the function
	inline    = 200 // receivers of a message up to which it needs no task
	ofTask    = 500 // receivers of a task
	pageBytes = 1 << 20
	readStep  = 4096
	// HeartbeatSeconds is the template's default.
	HeartbeatSeconds = 120
)

// postSeconds is how long a post is taken to last, of which functions wait for so many at once as
// connections.Client has under way. It was not measured on AWS.
const (
	postSeconds = 0.01
	atOnce      = 32
)

// To gives what a message to so many connections uses, the sender's own among them.
func (f Figures) To(receivers float64) Usage {
	u := f.Message
	u.Messages += receivers - 1
	u.ReadUnits += reading(receivers*f.SubscriptionBytes) - reading(f.SubscriptionBytes)
	if receivers > inline {
		u.Invocations += math.Ceil((receivers - inline) / ofTask)
	}
	u.GBSeconds += memory * postSeconds * math.Ceil((receivers-1)/atOnce)
	return u
}

// SweepOf gives what a sweep uses that finds so many rows of connections, consistently.
func (f Figures) SweepOf(rows float64) Usage {
	const partitions = 4 // connections are spread over so many: package dynamostore
	u := f.Sweep
	each := reading(rows / partitions * f.ConnectionBytes)
	u.ReadUnits += 2 * partitions * (each - reading(0))
	return u
}

// To gives what a message uses where so many are connected: it goes to all of them, one post after
// another.
func (s Seed) To(connections float64) Usage {
	u := s.Message
	u.Messages += connections - SeedConnections
	u.ReadUnits += reading(connections*s.Bytes) - reading(SeedConnections*s.Bytes)
	u.GBSeconds += s.Memory * postSeconds * max(0, connections-SeedConnections)
	return u
}

// reading gives the units of a Query or a Scan that need not be consistent, page by page.
func reading(bytes float64) (units float64) {
	for ; bytes > pageBytes; bytes -= pageBytes {
		units += pageBytes / readStep / 2
	}
	return units + max(1, math.Ceil(bytes/readStep))/2
}
