package chat

import (
	"context"
	"iter"
	"time"
)

// Connections is who is here now. On the laptop it is lost with the process, as the sockets are.
//
// Errors, repetition and slices are as with Log. A connection is live from Open until Close, until
// its lease lapses (where the store has leases), or until its Until; what is not live is nowhere
// listed. Every action renews the lease by Touch.
type Connections interface {
	// Open records a live connection and subscribes it to the rooms of the members, each with
	// its Gen. More than MaxConnections of a user: Limited. An id that is closed stays closed for
	// TombstoneTTL: Taken. Opening a live id again changes nothing.
	Open(ctx context.Context, c Connection, members []Member) error

	// Touch renews the lease, counts an action against the connection's rate and gives the row.
	// Not live: NotFound. Over the rate: Limited with RetryAfter, and the row is given too, with
	// Excess.
	Touch(ctx context.Context, id string, now time.Time, p Pulse) (Connection, error)

	// Rename makes the connection one of a user, and replaces its subscriptions. It sets NamedAt,
	// where that is zero. Another user who has a live connection other than this one: Taken. Not
	// live: NotFound.
	Rename(ctx context.Context, id, user string, members []Member) (Connection, error)

	// Close ends a connection and gives its row; all but the first Close of it get NotFound. It
	// leaves a tombstone, also for an id that was never opened, so that a late Open is refused.
	Close(ctx context.Context, id string) (Connection, error)

	// Get gives the row of a live connection, else NotFound.
	Get(ctx context.Context, id string) (Connection, error)

	// Subscribe subscribes all live connections of m.User to m.Room with m.Gen; Unsubscribe ends that.
	Subscribe(ctx context.Context, m Member) error
	Unsubscribe(ctx context.Context, room, user string) error

	// Receivers yields who gets the room's messages: all live connections for the lobby, those of
	// its two users for a direct room, else the subscribed ones. It does not filter by
	// Head.Outdated: the fan-out does. It may miss one that was opened in the last second. The
	// sequence ends at the first error.
	Receivers(ctx context.Context, h Head) iter.Seq2[Receiver, error]

	// OfUser lists the live connections of a user, oldest first.
	OfUser(ctx context.Context, user string) ([]Connection, error)

	// Online lists the users with a live connection, ascending, from after (exclusive).
	Online(ctx context.Context, after string, limit int) (users []string, more bool, err error)

	// Lapsed yields connections that have said hello and whose lease is over, and those past
	// their Until, which are still recorded: the sweep closes them.
	Lapsed(ctx context.Context, now time.Time) iter.Seq2[Connection, error]

	// Typed tells whether the user's last true answer is at least TypingEvery old; then it records
	// this one.
	Typed(ctx context.Context, user string, now time.Time) (bool, error)

	// Turn makes the caller the only one who hands waiting messages to the user, until EndTurn, for
	// TurnMax at most. It gives what EndTurn wants. "" is that another has the turn, who is told to
	// look once more.
	Turn(ctx context.Context, user string, now time.Time) (turn string, err error)

	// EndTurn ends a turn that Turn gave. again: somebody wanted it meanwhile. Then it goes on, as
	// from now: look once more.
	EndTurn(ctx context.Context, user, turn string, now time.Time) (again bool, err error)

	// Announce remembers that others are told now that a user has come, or has gone, and tells whether
	// it is news to them: of several who say the same at once it is for one of them. A coming may be
	// forgotten SubscriptionTTL after its last Announce, where connections do not live as long.
	Announce(ctx context.Context, user string, here bool, now time.Time) (news bool, err error)

	// Note remembers that user may have come or gone in the rooms, for the next Noted.
	Note(ctx context.Context, user string, rooms []string) error

	// Noted yields each room with the users noted in it, and forgets them.
	Noted(ctx context.Context) iter.Seq2[RoomUsers, error]
}

// Pulse is what an action tells of how often its connection acts.
type Pulse int

// The kinds of actions that Touch tells apart.
const (
	Acts   Pulse = iota // any action
	Greets              // hello: from now on the connection sends heartbeats, and has their lease
	Beats               // a heartbeat, before which the connection was silent, as a rule
)

// RoomUsers is some users of a room.
type RoomUsers struct {
	Room  string
	Users []string
}
