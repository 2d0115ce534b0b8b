// Package chatapi is the chat as a handler of API Gateway WebSocket events.
//
// [Handler] takes the action from the frame, asks chat.Service, and tells the connections through
// a [Poster]. It holds configuration only, so that every event may meet a fresh process; what a
// host has to offer beside the stores is a Poster and a [Deferrer], and, where one process holds
// all the sockets, [Rooms]: a fan-out worker per room.
package chatapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// Event is what API Gateway hands to the function behind a route.
type Event = events.APIGatewayWebsocketProxyRequest

// Response is what API Gateway takes back.
type Response = events.APIGatewayProxyResponse

// Poster pushes frames to connections, as API Gateway's @connections API does.
type Poster interface {
	// Post sends every frame, in order, to every target, the first target first. It never waits
	// for a slow reader: what does not fit its queue is dropped. gone are the targets that are
	// closed or not yet open, unsent those for which the time was over. The frames are the caller's
	// again on return.
	Post(ctx context.Context, to []connections.Target, frames [][]byte) (
		gone, unsent []connections.Target, err error)
	// Send sends the frames, in order, to one target, and waits while its queue is full. A target
	// that is not open: connections.ErrGone.
	Send(ctx context.Context, to connections.Target, frames [][]byte) error
	// Close ends a connection. On AWS code and reason are always 1000's.
	Close(ctx context.Context, t connections.Target, code int, reason string) error
	// Describe tells what is known of an open connection, else connections.ErrGone.
	Describe(ctx context.Context, t connections.Target) (connections.Info, error)
}

// Deferrer runs a task outside of the present event, soon, once or several times.
type Deferrer interface {
	Later(ctx context.Context, t Task) error
}

// Config is what a Handler is made of. Zero values of limits mean none.
type Config struct {
	Service  *chat.Service
	Poster   Poster
	Deferrer Deferrer
	Identify func(context.Context, auth.Request) (auth.Identity, error)
	// Still tells, once a connection has its row, whether the session that Identify gave is good
	// yet: one that ends in between ends nothing that has no row. nil: sessions do not end.
	Still func(ctx context.Context, user, session string) error
	// CheckDisplay tells whether a user who has signed in may be shown as that besides, or could be
	// taken for somebody else; nil: nobody could.
	CheckDisplay func(ctx context.Context, user, display string) error
	// Note writes into the audit log what somebody has done to others; nil: there is none.
	Note  func(ctx context.Context, user, action, object string) error
	Rooms *Rooms // nil: a message is fanned out within its own event
	// Limit gives how long the address of a client has to wait before its next action; nil: never.
	Limit func(address string) time.Duration

	Version        string        // of the server, as welcome tells it
	Notice         string        // that welcome has for people; "": none
	Dialect        wire.Dialect  // of connections that name none; "": native
	AllowedOrigins []string      // beside the event's own host, as https://chat.example
	Endpoint       string        // of the gateway in front, as rows carry it; "": one's own
	Heartbeat      time.Duration // how often a client is to ping
	Pipeline       int           // unacknowledged sends a client may have
	MaxConnection  time.Duration // after which the gateway closes a connection; 0: never
	ResumeMax      int           // missed messages of a room that a resume sends
	Inline         int           // receivers up to which an event posts by itself; more go to tasks
	TypingMax      int           // connections of a room up to which typing is told
	ExcessMax      int           // actions over the rate after which the connection is closed

	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error
	Jitter func(n int) int // a random number in [0, n)
	Logger *slog.Logger
	// Observe is told what an operator counts; nil: nobody is.
	Observe Observer
}

// Observer is told what happens, from many goroutines, and must not block. It learns no name and no
// text.
type Observer interface {
	// FannedOut tells that events of a room, messages of which are chat messages, were handed to the
	// sockets of all receivers, so long after the first of them was there to be told.
	FannedOut(messages int, took time.Duration)
	// Resumed tells that a cursor was resumed, or reset.
	Resumed(reset bool)
	// Failed tells that an action was answered with an error.
	Failed(code wire.Code)
}
