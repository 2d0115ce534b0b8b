package auth

import (
	"io"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Operator is the actor of what is done by commands on the host.
const Operator = "operator"

// Maker is who makes accounts.
type Maker uint8

// The makers of accounts. Links for devices are good unless a proxy signs people in.
const (
	LinkMaker   Maker = iota // links of owners and the operator
	IssuerMaker              // an OIDC issuer
	ProxyMaker               // a proxy in front
)

// check tells whether a link of the kind is good for anything, and says otherwise why it is not.
func (m Maker) check(k LinkKind) error {
	switch {
	case m == ProxyMaker:
		return chat.E(chat.Forbidden, "links are not used here: the proxy in front signs people in")
	case m == IssuerMaker && k != DeviceLink:
		return chat.E(chat.Forbidden, "links make no accounts here: people sign in at the issuer, "+
			"and a link adds a device of one HANDLE")
	}
	return nil
}

// Service has the use cases of signing in. It holds configuration only. Whoever asks is an Account
// that was authenticated, or nobody: then the host's operator asks, who may do everything.
//
// Errors are *chat.Error: NotFound for a secret that is unknown, over or used up, one answer for
// all; Forbidden for what only owners may do; Invalid for a bad field; Taken for a handle.
type Service struct {
	// SessionLife is how long a session lasts at most; 0 is the constant's. Set it, and Maker,
	// before use.
	SessionLife time.Duration
	Maker       Maker

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
