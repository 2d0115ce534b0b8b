package client

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/confab-chat/confab/wire"
)

// What a client itself has to say; compare with [errors.Is].
var (
	// ErrClosed is the end of a client by Close.
	ErrClosed = errors.New("client: closed")
	// ErrPending means that a message is not acknowledged yet: it may be stored or not, and stays
	// in the outbox, which goes on sending it.
	ErrPending = errors.New("client: the message is still in the outbox")
	// ErrStale refuses to repeat a message that may have been sent more than 23 hours ago, because
	// the server knows ids for 24 hours. Whether it was stored is in the room's history.
	ErrStale = errors.New("client: the message is too old to be repeated")
	// ErrOtherUser means that the server takes the client for somebody else than before, or than
	// the outbox file is of. Nothing is sent in that name.
	ErrOtherUser = errors.New("client: the server takes this client for another user")
	// ErrProtocol means that the server is too new for this client.
	ErrProtocol = errors.New("client: the server speaks another protocol")
	// ErrOutboxInUse means that another process has the outbox file.
	ErrOutboxInUse = errors.New("client: the outbox is in use by another process")
	// ErrOutboxDamaged means that an outbox file cannot be read.
	ErrOutboxDamaged = errors.New("client: the outbox file is damaged")
	// ErrSilent ends a connection whose server has not answered in time.
	ErrSilent = errors.New("client: the server does not answer")
	// ErrUnauthenticated is a handshake that wants a session or ticket, or another one.
	ErrUnauthenticated = errors.New("client: not signed in")
	// ErrOffline means that what is worth nothing later was not sent, as there is no connection.
	ErrOffline = errors.New("client: not connected")
)

// What a server answers to an action that failed; compare with [errors.Is]. The section "Errors" of
// docs/protocol.md says what to do about each.
var (
	ErrBadField       = &Error{Code: wire.BadField}
	ErrNotFound       = &Error{Code: wire.NotFound}
	ErrNotMember      = &Error{Code: wire.NotMember}
	ErrForbidden      = &Error{Code: wire.Forbidden}
	ErrTaken          = &Error{Code: wire.Taken}
	ErrIDReused       = &Error{Code: wire.IDReused}
	ErrTooLarge       = &Error{Code: wire.TooLarge}
	ErrRateLimited    = &Error{Code: wire.RateLimited}
	ErrUnavailable    = &Error{Code: wire.Unavailable}
	ErrUnknownOutcome = &Error{Code: wire.UnknownOutcome}
	// ErrInternal also stands for every code that this package does not know.
	ErrInternal = &Error{Code: wire.InternalError}
)

// Error is a server's answer to an action that failed.
type Error struct {
	Code       wire.Code     // machine-readable; new ones may come
	Message    string        // for people
	RetryAfter time.Duration // how long to wait, 0 where the server does not say
	RequestID  string        // finds the error in the server's log
}

// Error gives the message with its code.
func (e *Error) Error() string {
	if e.Message == "" {
		return "client: " + string(e.Code)
	}
	return fmt.Sprintf("client: %s (%s)", e.Message, e.Code)
}

// known are the codes of this version of the protocol.
var known = map[wire.Code]bool{
	wire.BadJSON: true, wire.BadField: true, wire.UnknownAction: true, wire.NotFound: true,
	wire.NotMember: true, wire.Forbidden: true, wire.Taken: true, wire.IDReused: true,
	wire.TooLarge: true, wire.RateLimited: true, wire.Unavailable: true, wire.UnknownOutcome: true,
	wire.InternalError: true,
}

// Is compares codes; one that is not known is as "internal".
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	if !ok {
		return false
	}
	return e.Code == t.Code || t.Code == wire.InternalError && !known[e.Code]
}

// failure is the error of an error event.
func failure(f wire.Failure) *Error {
	wait := time.Duration(f.RetryAfterMs) * time.Millisecond
	return &Error{Code: f.Code, Message: f.Message, RetryAfter: wait, RequestID: f.RequestID}
}

// HandshakeError is a connection that was refused with an HTTP status.
type HandshakeError struct {
	Status  int    // of HTTP
	Message string // what the server says, at most 1,024 bytes
}

// Error gives the status and what the server says.
func (e *HandshakeError) Error() string {
	text := fmt.Sprintf("client: the server answers %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is tells a refused sign-in.
func (e *HandshakeError) Is(target error) bool {
	return target == ErrUnauthenticated && e.Status == http.StatusUnauthorized
}
