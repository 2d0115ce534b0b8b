package cost

import "math"

// Figures are what operations were measured to use. Gateway messages, invocations and units are
// exact, and a test measures them again; GB-seconds are those of the machine that measured last.
type Figures struct {
	// Open is a connection with its hello and its end, of a user in one room.
	Open Usage `json:"open"`
	// Authorizer is what a connection uses besides where tokens of an issuer are verified.
	Authorizer Usage `json:"authorizer"`
	// Join is joining a room.
	Join Usage `json:"join"`
	// Heartbeat is the ping that an idle client sends, and its answer.
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
	// MessageBytes are those of the item that keeps a message, ReceiptBytes of that by which it is
	// known for a day when it is sent again.
	MessageBytes float64 `json:"messageBytes"`
	ReceiptBytes float64 `json:"receiptBytes"`
	// Seeds are the write-ups' designs.
	Seeds []Seed `json:"seeds"`
}

// Figures of the deployment: deploy/template.yaml and chatapi.
const (
	memory   = 0.5 // GB of the function
	inline   = 200 // receivers of a message up to which it needs no task
	ofTask   = 500 // receivers of a task
	readStep = 4096
	pageStep = 1 << 20 // bytes of a Query's or a Scan's answer
	// HeartbeatSeconds is the template's default.
	HeartbeatSeconds = 120
	// MaxReceivers is the template's default.
	MaxReceivers = 5000
)

// itemOverhead is what DynamoDB bills the storage of an item for besides its bytes: Developer Guide,
// "DynamoDB item sizes and formats".
const itemOverhead = 100

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
		tasks := math.Ceil((receivers - inline) / ofTask)
		u.Invocations += tasks
		u.LogBytes += tasks * f.Message.LogBytes
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

// Kept gives what so many messages use that are in the table for a month, of which so many were sent
// in it.
func (f Figures) Kept(messages, sent float64) Usage {
	receipts := sent / monthDays * (1 + expiredDays) // one day, and until DynamoDB deletes them
	return Usage{
		StoredBytes: messages*(f.MessageBytes+itemOverhead) + receipts*(f.ReceiptBytes+itemOverhead),
	}
}

// reading gives the units of a Query or a Scan that need not be consistent, page by page.
func reading(bytes float64) float64 {
	full := max(0, math.Ceil(bytes/pageStep)-1)
	return full*pageStep/readStep/2 + ofPage(bytes-full*pageStep)
}

// ofPage gives the units of a page.
func ofPage(bytes float64) float64 { return max(1, math.Ceil(bytes/readStep)) / 2 }
