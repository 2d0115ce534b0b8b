package chat

import (
	"strings"
	"time"
)

// RoomKind says who is in a room and how one gets in.
type RoomKind uint8

// The kinds of room.
const (
	LobbyRoom   RoomKind = iota + 1 // everyone is in it; it has no member rows and always exists
	PublicRoom                      // anyone may join, its name is listed
	PrivateRoom                     // by invitation of a member
	DirectRoom                      // two users, see DirectID; its first message makes it
)

// Head is the state of a room's log.
type Head struct {
	Room  string   // id
	Name  string   // as first written
	Kind  RoomKind //
	Owner string   // the user who made it; "" for the lobby and direct rooms
	Epoch string   // random id of this incarnation of the log; only a restore changes it
	Seq   uint64   // the last number given, 0: none
	Gen   uint64   // counts the leaves
	Cut   uint64   // messages up to this number are gone, see Retainer; 0: none
	// Keep is how long messages are kept: 0 as the host says, KeepForever, or at least MinKeep.
	Keep time.Duration
	// Removed has for each user who left lately the generation that a member or receiver must
	// have to count again. It is shared: never write to it.
	Removed map[string]uint64
}

// Outdated tells whether a member or receiver of generation gen was removed since.
func (h *Head) Outdated(user string, gen uint64) bool {
	return len(h.Removed) > 0 && gen < h.Removed[user]
}

// MessageState tells a message from a number without text.
type MessageState uint8

// The states of a number in a room's log.
const (
	Stored  MessageState = iota // a message with text
	Deleted                     // a tombstone: From and ID are kept, the text is gone
	Void                        // the number was given and never used
)

// Message is one number of a room's log.
type Message struct {
	Room      string // id
	Seq       uint64
	State     MessageState
	ID        string // the sender's id of the message
	From      string // user
	Text      string
	At        time.Time // display data: milliseconds, may go backwards
	Duplicate bool      // Append found it stored already
}

// JSONSize is an upper bound of the message's size as a wire item, for MaxPageBytes.
func (m *Message) JSONSize() int {
	const fixed = 200 // names of members, numbers, time, epoch
	return fixed + len(m.Room) + len(m.From) + quotedSize(m.Text) + quotedSize(m.ID)
}

// quotedSize is the size of a text within a JSON string.
func quotedSize(s string) int {
	size := len(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n', c == '\t', c == '\r', c == '"', c == '\\':
			size++ // as \n
		case c < 0x20:
			size += len(`\u0000`) - 1
		}
	}
	return size
}

// Draft is a message that has no number yet.
type Draft struct {
	Room string // id
	From string // user
	ID   string // 1 to MaxID bytes
	Text string // checked by Service
	At   time.Time
}

// Range selects messages of a room. With Before 0 it is the messages after After, ascending from
// After+1; otherwise the last Limit messages below Before. Newest as Before gives the end.
type Range struct {
	After  uint64
	Before uint64
	Limit  int // 1 to MaxPage
}

// Newest as Range.Before selects the end of the log.
const Newest = ^uint64(0)

// Page is messages of a room, ascending and contiguous, with the head they were read under.
type Page struct {
	Head     Head
	Messages []Message
	// More: there are messages beyond the page in the direction of reading, or a number that is
	// given and not yet stored ended it.
	More bool
}

// MemberState is what a user is to a room.
type MemberState uint8

// The states of a member. Never a member is NotFound instead.
const (
	Joined MemberState = iota + 1
	Invited
	Left
)

// Member is a user's relation to a room.
type Member struct {
	Room      string // id
	User      string
	State     MemberState
	InvitedBy string // of Invited
	Gen       uint64 // the room's generation when the user joined
	Read      uint64 // read marker; filled by RoomsOf only
}

// Join asks for membership. With By set it records By's invitation of User instead.
type Join struct {
	Room string   // id
	Name string   // as written, for a room that is made
	User string   //
	Kind RoomKind // what to make if the room is absent; 0: it must exist
	By   string   // the inviting member
}

// User is somebody known.
type User struct {
	Name  string // as first written; the user's id
	Since time.Time
}

// RoomName is the id and the name of a public room.
type RoomName struct{ Room, Name string }

// Connection is one live socket.
type Connection struct {
	ID          string
	User        string
	Dialect     string
	Endpoint    string // of the gateway that holds it; "" for one's own
	ConnectedAt time.Time
	NamedAt     time.Time // when its user's name was first given or taken; zero: a guest's
	Until       time.Time // no longer than that; zero: no end
	Session     string    // what the user is signed in by, and ends with; "" in open mode
	Hello       bool      // it has said hello, so that its lease is the short one
	Excess      int       // actions over the rate in the present window; filled by Touch
}

// Receiver is a connection as the fan-out sees it.
type Receiver struct {
	ID          string
	User        string
	Dialect     string
	Endpoint    string
	Gen         uint64 // of the membership behind it; 0 for lobby and direct rooms
	ConnectedAt time.Time
	NamedAt     time.Time // as in Connection
}

// DirectID gives the id of the direct room of two users (who may be the same). It is no valid
// room name, so no other room can have it.
func DirectID(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return "@" + a + "," + b
}

// DirectUsers gives the two users of a direct room's id.
func DirectUsers(room string) (a, b string, ok bool) {
	if !strings.HasPrefix(room, "@") {
		return "", "", false
	}
	a, b, ok = strings.Cut(room[1:], ",")
	return a, b, ok && a != "" && b != "" && a <= b
}
