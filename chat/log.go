package chat

import "context"

// Log is what survives the process.
//
// Every error is an *Error. Every method may be repeated with equal arguments and then changes
// nothing. Slices that are returned belong to the caller. Methods are safe for concurrent use,
// by several processes where the store is shared. An error of kind Unavailable means that
// nothing was stored, Unknown that the repetition with equal arguments will tell, Corrupt that
// stored data is damaged: it names the file and the next step.
//
// The lobby always exists and everyone is in it.
type Log interface {
	// Append gives the draft the room's next number and stores it; it is durable on return.
	//
	// then is called once, before Append returns, for a message that was stored by this call,
	// with the head as it was when the number was given. It must not block. On stores with one
	// writer (memstore, sqlitestore) the calls come in the order of the numbers of the room; on
	// dynamostore in no order, and a repetition after a lost answer may call it again.
	//
	// The same (room, from, id) within DedupWindow gives the first message with Duplicate set,
	// and then is not called; with other text it is IDReused. An absent room, and one the sender
	// never joined or is only invited to, is NotFound; one the sender left is NotMember: both
	// also for a repetition.
	Append(ctx context.Context, d Draft, then func(Head, Message)) (Message, error)

	// Messages reads a page, consistently with every Append that has returned. It holds at most
	// Limit messages and MaxPageBytes by Message.JSONSize (but at least one message, if there is
	// any), contiguous from After+1, or from Head.Cut+1 where that is more, or up to Before-1. A
	// number that is given and not yet stored ends the page with More set: what a page shows is
	// settled and never changes, but for deletion. An absent room is NotFound. Membership is not
	// checked.
	Messages(ctx context.Context, room string, r Range) (Page, error)

	// Delete takes the text of a message away and gives the tombstone; again is the same. author
	// is the only user whose message it may be, else Forbidden; "" allows anybody's. A number
	// without message is NotFound.
	Delete(ctx context.Context, room string, seq uint64, author string) (Message, error)

	// Heads reads heads of at most MaxHeads rooms, in no promised order; unknown ones are absent.
	Heads(ctx context.Context, rooms []string) ([]Head, error)

	// Join admits j.User to the room, or with By records the invitation.
	//
	// An absent room is made if Kind says so, owned by User (direct rooms by nobody), else it is
	// NotFound. A private room admits its owner and who is invited, others get Taken; so does
	// Kind PrivateRoom on a room that exists and has another owner. Over MaxRooms (direct rooms not
	// counted): Limited. Joining again gives the same Member. An invitation needs By to be a
	// joined member (NotFound, or NotMember after leaving); it changes nothing for one who has
	// joined. The Member's Gen is that of a Head read before it.
	Join(ctx context.Context, j Join) (Member, Head, error)

	// Leave ends a membership or declines an invitation. After it returns no Append by the user
	// succeeds, and every later Head has the user in Removed. Never a member: NotFound.
	Leave(ctx context.Context, room, user string) error

	// Member tells what a user is to a room; never anything, or no such room: NotFound. In the
	// lobby everyone is Joined with Gen 0.
	Member(ctx context.Context, room, user string) (Member, Head, error)

	// Members lists who has joined, ascending by user, from after (exclusive); more tells that
	// there are others. The lobby has no rows: empty. An absent room is NotFound.
	Members(ctx context.Context, room, after string, limit int) (list []Member, more bool, err error)

	// PublicRooms lists the public rooms but the lobby, ascending by id, from after (exclusive).
	PublicRooms(ctx context.Context, after string, limit int) (rooms []RoomName, more bool, err error)

	// RoomsOf lists where a user is Joined or Invited, with read markers, ascending by room; the
	// lobby is always among them.
	RoomsOf(ctx context.Context, user string) ([]Member, error)

	// MarkRead moves the user's read marker of a room forward; it never moves back. Service
	// checks membership and range.
	MarkRead(ctx context.Context, user, room string, seq uint64) error

	// PutUser records a user. Taken: another spelling of the name is recorded already.
	PutUser(ctx context.Context, u User) error

	// SetDisplay records what a user is shown as beside its name, as it is recorded; "" takes it
	// away. An unknown user is NotFound.
	SetDisplay(ctx context.Context, user, display string) error

	// Displays gives what users, at most MaxPage, are shown as; who is shown as nothing is absent.
	Displays(ctx context.Context, users []string) (map[string]string, error)

	// User finds a user by its name in any case, else NotFound.
	User(ctx context.Context, name string) (User, error)

	// Users lists users ascending by name, from after (exclusive).
	Users(ctx context.Context, after string, limit int) (users []User, more bool, err error)
}
