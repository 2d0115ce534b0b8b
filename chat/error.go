package chat

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what an error means to the caller. The list only grows.
type Kind uint8

// The kinds of error. Internal is that of every error that is not an *Error.
const (
	Internal        Kind = iota // a fault of ours: its text belongs into the log, not on the wire
	Invalid                     // a field breaks a rule; Field names it
	NotFound                    // no such thing, or not yours: the two are not told apart
	NotMember                   // the user has left the room
	Forbidden                   // known and visible, but not allowed
	Taken                       // the name, room or id belongs to somebody else
	IDReused                    // the same message id with other text
	Limited                     // too much or too many; RetryAfter 0: waiting does not help
	TooLarge                    // over a limit, which the message names
	Unavailable                 // the store did not answer and nothing was stored
	Unknown                     // the store did not answer and may have stored: repeat the same id
	Corrupt                     // stored data is damaged
	Unauthenticated             // nobody is signed in, or no longer
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "not a member", "forbidden", "taken", "id reused", "limited",
	"too large", "unavailable", "unknown outcome", "corrupt", "not signed in",
}

// String gives the kind in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is the one error type of the domain and its stores.
type Error struct {
	Kind       Kind
	Op         string        // the operation that failed, as "append"
	Message    string        // for people, safe to show to the user who asked
	Field      string        // of Invalid and TooLarge: the field of the action
	RetryAfter time.Duration // of Limited and Unavailable
	Err        error         // the cause, for the log only
}

// E makes an error of a kind with a message for people.
func E(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives cause a kind and says which operation failed. A nil cause gives nil.
func Wrap(kind Kind, op string, cause error) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Err: cause}
}

// BadField is an Invalid error about one field of an action.
func BadField(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Error gives operation, kind, message and cause.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the first *Error in err's chain; Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is tells whether err has the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
