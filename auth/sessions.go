package auth

import (
	"context"
	"time"
)

// Limits of signing in.
const (
	TicketLife  = 30 * time.Second     // of a ticket for one socket
	DeviceLife  = 10 * time.Minute     // of a link that adds a device
	OwnerLife   = time.Hour            // of a link for an owner
	InviteLife  = 7 * 24 * time.Hour   // of an invitation, unless its maker says otherwise
	MaxLinkLife = 90 * 24 * time.Hour  // the longest that a maker may say
	MaxUses     = 100                  // of one link
	SessionIdle = 30 * 24 * time.Hour  // a session that is not used for so long has ended
	SessionLife = 365 * 24 * time.Hour // however much it is used
	RenewEvery  = time.Hour            // a session's use is recorded so often
	AuditLife   = 365 * 24 * time.Hour // of an entry of the audit log
	MaxLinks    = 1000                 // live links of a server
	MaxSessions = 100                  // live sessions of an account
)

// Account is somebody who may sign in. What they say in the chat carries their handle.
type Account struct {
	ID       string // opaque, never used again
	Handle   string // the user's name in the chat; never changes and never passes to another account
	Subject  string // issuer and subject of an OIDC token; "" for who came by a link or a proxy
	Owner    bool   // may invite, disable, remove and delete
	Disabled bool   // may not sign in
	Since    time.Time
}

// AccountChange is what becomes of an account; nil stays as it is, whatever others change
// meanwhile.
type AccountChange struct{ Owner, Disabled *bool }

// Apply gives the account as it is after the change.
func (c AccountChange) Apply(a Account) Account {
	if c.Owner != nil {
		a.Owner = *c.Owner
	}
	if c.Disabled != nil {
		a.Disabled = *c.Disabled
	}
	return a
}

// LinkKind says what a link is good for.
type LinkKind uint8

// The kinds of link.
const (
	OwnerLink  LinkKind = iota + 1 // makes an account that owns the server
	InviteLink                     // makes an account
	DeviceLink                     // signs a device of Account in
)

// Link is a secret that lets its holder in. The secret itself is nowhere stored.
type Link struct {
	Hash    Hash
	Kind    LinkKind
	Account string // of DeviceLink: the id whose device it is
	By      string // id of the account that made it; "" is the server's operator
	Uses    int    // how often it may be used, 1 to MaxUses
	Used    int    // how often it was
	Made    time.Time
	Until   time.Time
}

// Session is a device that is signed in.
type Session struct {
	Hash    Hash
	Account string // id
	Device  string // what the device says of itself, for people; at most 200 bytes
	Made    time.Time
	Used    time.Time // about: see RenewEvery
	Until   time.Time // at the latest
}

// Ends is when the session ends if it is not used again.
func (s *Session) Ends() time.Time {
	if idle := s.Used.Add(SessionIdle); idle.Before(s.Until) {
		return idle
	}
	return s.Until
}

// Ticket opens one socket for a session that cannot show its own secret.
type Ticket struct {
	Hash    Hash
	Session Hash
	Until   time.Time
}

// Entry is one line of the audit log.
type Entry struct {
	ID     string // sorts by the time it was made, and is unique
	At     time.Time
	Actor  string // handle; "operator" for commands on the host
	Action string // as "invite", "disable"
	Object string // what it was done to: a handle, a room, the id of a link
}

// Sessions keeps accounts, links, sessions, tickets and the audit log.
//
// Every error is a *chat.Error, with the kinds that chat.Log has. Every method may be repeated with
// equal arguments and then changes nothing, but for UseTicket. Slices belong to the caller. What
// has ended by its time is nowhere found, whether or not it is still stored: now decides, not the
// store's clock. Methods are safe for concurrent use, by several processes where the store is
// shared.
type Sessions interface {
	// PutAccount records an account. Taken: another one has its id, its handle (by HandleKey) or
	// its Subject.
	PutAccount(ctx context.Context, a Account) error
	// SetAccount changes an account, and nothing that c does not name, else NotFound.
	SetAccount(ctx context.Context, id string, c AccountChange) (Account, error)
	// Account, AccountByHandle and AccountBySubject find an account, else NotFound. A handle is
	// found in every spelling that has its HandleKey.
	Account(ctx context.Context, id string) (Account, error)
	AccountByHandle(ctx context.Context, handle string) (Account, error)
	AccountBySubject(ctx context.Context, subject string) (Account, error)
	// Accounts lists accounts, ascending by HandleKey, from the handle after (exclusive).
	Accounts(ctx context.Context, after string, limit int) (list []Account, more bool, err error)

	// PutLink records a link. More than MaxLinks live ones: Limited.
	PutLink(ctx context.Context, l Link, now time.Time) error
	// Link finds a link that is live, that is, not over and not used up; else NotFound.
	Link(ctx context.Context, h Hash, now time.Time) (Link, error)
	// UseLink takes one use of a live link for an account; else NotFound. The same account again
	// takes no other use, and finds a link that is used up too. ReturnLink gives the use back.
	UseLink(ctx context.Context, h Hash, account string, now time.Time) (Link, error)
	ReturnLink(ctx context.Context, h Hash, account string) error
	// Links lists the live links, the youngest first. DropLink ends one; unknown ones are no error.
	Links(ctx context.Context, now time.Time) ([]Link, error)
	DropLink(ctx context.Context, h Hash) error

	// PutSession records a session. More than MaxSessions live ones of the account: Limited.
	PutSession(ctx context.Context, s Session, now time.Time) error
	// Session finds a live session, else NotFound.
	Session(ctx context.Context, h Hash, now time.Time) (Session, error)
	// RenewSession sets Used of a live session to now, never back; else NotFound.
	RenewSession(ctx context.Context, h Hash, now time.Time) (Session, error)
	// SessionsOf lists the live sessions of an account, the one used last first. DropSession ends
	// one; unknown ones are no error.
	SessionsOf(ctx context.Context, account string, now time.Time) ([]Session, error)
	DropSession(ctx context.Context, h Hash) error

	// PutTicket records a ticket; UseTicket finds a live one and ends it: of several callers one
	// gets it, the others NotFound.
	PutTicket(ctx context.Context, t Ticket) error
	UseTicket(ctx context.Context, h Hash, now time.Time) (Ticket, error)

	// Record adds an entry to the audit log, which drops those that are over after AuditLife. Audit
	// reads back what is not over, descending by ID, from before (exclusive; "": from the end).
	Record(ctx context.Context, e Entry) error
	Audit(
		ctx context.Context, before string, limit int, now time.Time,
	) (list []Entry, more bool, err error)
}
