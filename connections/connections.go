// Package connections speaks API Gateway's @connections API: push a frame to a connection, close
// it, ask about it. [Client] does so over signed HTTP, against AWS or any gateway that answers the
// same; package gateway implements the same three methods in its own process.
package connections

import (
	"errors"
	"time"
)

// Target is a connection as a post addresses it.
type Target struct {
	ID       string
	Endpoint string // of the gateway that holds the connection; "" for one's own
}

// Info is what is known of an open connection.
type Info struct {
	ConnectedAt  time.Time
	LastActiveAt time.Time
	SourceIP     string
	UserAgent    string // "" when the client sent none
}

// MaxPayload is the most bytes a post may carry (service model of API Gateway Management API,
// PostToConnectionRequest.Data).
const MaxPayload = 131072

// ErrGone says that the connection is closed, not yet open, or was never there.
var ErrGone = errors.New("connections: connection is gone")

// ErrTooLarge says that a frame is over MaxPayload; nothing of the post was sent.
var ErrTooLarge = errors.New("connections: frame is over 131072 bytes")
