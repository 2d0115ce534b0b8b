// Package memstore keeps a chat in memory. It is gone with the process.
//
// [Log] is the model that other logs are tested against: one lock, plain maps. [Connections] is
// who is here now on a laptop, beside any log: a message finds its receivers without a lock held
// and without allocating for each of them.
package memstore

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Options are a store's clock, randomness and limits. The zero value is the system's clock and no
// limits.
type Options struct {
	Now      func() time.Time // nil: time.Now
	NewEpoch func() string    // random id of a room's log; nil: rand.Text
	Rate     int              // actions a second of a connection; 0: no limit
	Burst    int              // actions at one instant of a connection; below 1: as Rate
	// Lease is how long a connection that said hello lives after an action, SilentLease one that
	// did not. 0: for ever, the host tells when a connection ends.
	Lease, SilentLease time.Duration
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewEpoch == nil {
		o.NewEpoch = rand.Text
	}
	if o.Burst < 1 {
		o.Burst = o.Rate
	}
	return o
}

// Store is a log and connections in one.
type Store struct {
	*Log
	*Connections
}

var (
	_ chat.Log         = (*Store)(nil)
	_ chat.Connections = (*Store)(nil)
)

// New makes an empty store.
func New(o Options) *Store { return &Store{NewLog(o), NewConnections(o)} }

// fail makes an error of an operation.
func fail(op string, kind chat.Kind, format string, args ...any) error {
	return &chat.Error{Kind: kind, Op: op, Message: fmt.Sprintf(format, args...)}
}
