package auth

import (
	"io"
	"time"
)

// Operator is the actor of what is done by commands on the host.
const Operator = "operator"

// Service has the use cases of signing in. It holds configuration only. Whoever asks is an Account
// that was authenticated, or nobody: then the host's operator asks, who may do everything.
//
// Errors are *chat.Error: NotFound for a secret that is unknown, over or used up, one answer for
// all; Forbidden for what only owners may do; Invalid for a bad field; Taken for a handle.
type Service struct {
	store Sessions
	now   func() time.Time
	rand  io.Reader
}

// NewService makes the use cases on a store, a clock and a source of randomness; nil is
// crypto/rand's.
func NewService(store Sessions, now func() time.Time, random io.Reader) *Service {
	return &Service{store: store, now: now, rand: random}
}

// Signed is an account that has shown it is there, by a session.
type Signed struct {
	Account Account
	Session Session
}
