package client

import (
	"context"
	"net/http"
	"time"
)

// Defaults of options.
const (
	defaultBuffer = 1024
	defaultAnswer = 15 * time.Second
	minBackoff    = time.Second // docs/protocol.md, "Close codes"
	maxBackoff    = 30 * time.Second
)

// Option changes a client.
type Option func(*options)

type options struct {
	name      string
	bearer    string
	sessions  string // file of sessions, where signedIn is set
	signedIn  bool
	ticket    func(context.Context) (string, error)
	from      map[string]Cursor
	outbox    string
	buffer    int
	lazy      bool
	http      *http.Client
	minWait   time.Duration
	maxWait   time.Duration
	answer    time.Duration
	heartbeat time.Duration // 0: as the server wants it
}

func defaults() options {
	return options{
		buffer: defaultBuffer, minWait: minBackoff, maxWait: maxBackoff, answer: defaultAnswer,
	}
}

// Name connects as that user, where the server believes names (open mode). Without it, and without
// a sign-in, one is a guest.
func Name(user string) Option { return func(o *options) { o.name = user } }

// Bearer signs in by a session, sent as Authorization: Bearer in each handshake.
func Bearer(session string) Option { return func(o *options) { o.bearer = session } }

// Ticket signs in by a ticket, sent as the second value of Sec-WebSocket-Protocol. A ticket is good
// for one connection, so source is called before each.
func Ticket(source func(context.Context) (string, error)) Option {
	return func(o *options) { o.ticket = source }
}

// From begins each of these rooms after its cursor, so that a program which keeps the cursors of
// the messages it has dealt with misses none between two runs. All other rooms begin with what is
// said after the first connection.
func From(cursors map[string]Cursor) Option { return func(o *options) { o.from = cursors } }

// Outbox keeps messages in a file until they are acknowledged, so that they are sent even if the
// program ends before. The file belongs to one server, user and process at a time; it is made
// with mode 0600, and each message is on the disk before it is sent. Next to it stands a file
// that ends in ".lock".
func Outbox(file string) Option { return func(o *options) { o.outbox = file } }

// Buffer is how many events may wait for the caller, 1,024 by default. Messages beyond it are left
// on the server and fetched when the caller has caught up; other events are dropped, and counted
// by Missed.
func Buffer(events int) Option { return func(o *options) { o.buffer = max(1, events) } }

// Lazy lets Dial return at once, whether or not the server can be reached.
func Lazy() Option { return func(o *options) { o.lazy = true } }

// HTTPClient makes the handshakes, for proxies or certificates of one's own.
func HTTPClient(h *http.Client) Option { return func(o *options) { o.http = h } }

// Backoff bounds the random wait before an attempt to connect: a part of shortest, doubling with each
// attempt, up to a part of longest. By default they are 1 s and 30 s, which spares a server that
// many clients come back to.
func Backoff(shortest, longest time.Duration) Option {
	return func(o *options) { o.minWait, o.maxWait = shortest, max(shortest, longest) }
}

// AnswerWithin is how long a server may take for an answer, 15 s by default. Then the connection
// counts as lost.
func AnswerWithin(limit time.Duration) Option { return func(o *options) { o.answer = limit } }

// Heartbeat asks for the heads of the rooms that often, where the server does not want it oftener.
// It bounds how late a lost last message is noticed. On AWS each costs money.
func Heartbeat(every time.Duration) Option { return func(o *options) { o.heartbeat = every } }
