package gateway

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Cause is why a connection was closed, a frame dropped or a handshake refused.
type Cause string

// The causes that Stats counts.
const (
	CauseClient     Cause = "client"     // the client sent a close frame
	CauseLost       Cause = "lost"       // TCP vanished
	CauseIdle       Cause = "idle"       // no data for IdleTimeout
	CauseDuration   Cause = "duration"   // open for MaxDuration
	CauseSilent     Cause = "silent"     // not even a pong for DropAfter
	CauseStalled    Cause = "stalled"    // took nothing for StallTimeout
	CauseSlow       Cause = "slow"       // a message took longer than MessageTimeout
	CauseTooBig     Cause = "too big"    // over MaxFrame or MaxMessage
	CauseBinary     Cause = "binary"     // a binary frame
	CauseUTF8       Cause = "utf-8"      // text that is no UTF-8
	CauseProtocol   Cause = "protocol"   // against RFC 6455
	CauseManagement Cause = "management" // API.Close or DELETE
	CauseShutdown   Cause = "shutdown"   // API.Shutdown; also a refused handshake
	CauseFrames     Cause = "frames"     // dropped: over MaxQueueFrames
	CauseBytes      Cause = "bytes"      // dropped: over MaxQueueBytes
	CausePongs      Cause = "pongs"      // dropped: pongs, over MaxQueueFrames but for the last
	CauseStage      Cause = "stage"      // refused: no such stage
	CauseHandshake  Cause = "handshake"  // refused: no proper handshake
	CauseRoute      Cause = "$connect"   // refused: by the $connect route
	CauseThrottle   Cause = "throttle"   // refused or dropped: a handshake or a message over a limit
	CauseAuthorizer Cause = "authorizer" // refused: by an authorizer, AWS_IAM or for an API key
)

// Stats is a snapshot of an API's counters since New.
type Stats struct {
	Open          int              // connections now
	Total         uint64           // connections ever
	MessagesIn    uint64           // from clients
	MessagesOut   uint64           // taken by a socket or its queue
	BytesIn       uint64           // of sockets
	BytesOut      uint64           // of messages out, with frame headers
	Writes        uint64           // to sockets, of whatever they were
	HandlerErrors uint64           // errors, panics, bad and late answers of handlers, authorizers
	Dropped       map[Cause]uint64 // messages to slow clients, and throttled ones from clients
	Refused       map[Cause]uint64 // handshakes
	Closed        map[Cause]uint64 // connections
	ClosedByCode  map[int]uint64   // the same by close code
	Metered       Metered          // what AWS would have counted
}

type stats struct {
	total, messagesIn, messagesOut, bytesIn, bytesOut, handlerErrors atomic.Uint64
	writes                                                           atomic.Uint64
	extra, connects, disconnects                                     atomic.Uint64 // see metered

	mu                       sync.Mutex
	dropped, refused, closed map[Cause]uint64
	codes                    map[int]uint64
}

func newStats() *stats {
	return &stats{
		dropped: map[Cause]uint64{}, refused: map[Cause]uint64{},
		closed: map[Cause]uint64{}, codes: map[int]uint64{},
	}
}

// sent counts the messages of a batch, which so many sockets or queues have taken.
func (s *stats) sent(receivers int, b *batch) {
	s.messagesOut.Add(uint64(receivers * len(b.ends)))
	s.bytesOut.Add(uint64(receivers * len(b.bytes)))
	if b.extra > 0 {
		s.extra.Add(uint64(receivers * b.extra))
	}
}

func (s *stats) drop(c Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped[c]++
}

func (s *stats) refuse(c Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[c]++
}

func (s *stats) close(c *closing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed[c.cause]++
	s.codes[c.code]++
}

// Stats gives the counters.
func (a *API) Stats() Stats {
	s := a.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Open: a.open(), Total: s.total.Load(),
		MessagesIn: s.messagesIn.Load(), MessagesOut: s.messagesOut.Load(),
		BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(), Writes: s.writes.Load(),
		HandlerErrors: s.handlerErrors.Load(), Metered: a.metered(),
		Dropped: maps.Clone(s.dropped), Refused: maps.Clone(s.refused),
		Closed: maps.Clone(s.closed), ClosedByCode: maps.Clone(s.codes),
	}
}
