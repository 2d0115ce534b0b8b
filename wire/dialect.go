package wire

import (
	"strconv"
	"strings"
	"time"
)

// Dialect is how one connection's frames look. All dialects are of one chat: they have the same
// actions, and what is said in one is heard in the others. The section "Seed dialects" of
// docs/protocol.md has their frames.
type Dialect string

// The dialects: the protocol of docs/protocol.md, and the four of the write-ups that Confab answers.
const (
	NativeDialect    Dialect = "native"
	BroadcastDialect Dialect = "broadcast" // bare texts to everybody else
	DirectoryDialect Dialect = "directory" // messages from user to user
	DirectDialect    Dialect = "direct"    // payloads from connection to connection
	LoungeDialect    Dialect = "lounge"    // names, one public room, private messages
)

// Dialects lists them all, the native one first.
func Dialects() []Dialect {
	return []Dialect{NativeDialect, BroadcastDialect, DirectoryDialect, DirectDialect, LoungeDialect}
}

// LoungeMembers tells the connections of the dialect lounge who is there, in the order in which they
// took their names. No other dialect shows it.
type LoungeMembers struct {
	Names []string
}

// SystemMessage tells the connections of the dialect lounge that somebody came or went. No other
// dialect shows it.
type SystemMessage struct {
	Text string
}

// Instructions answers what a connection of the dialect broadcast sent and no action has: a sentence
// without {, and what is known of the connection. No other dialect shows it.
type Instructions struct {
	Sentence     string
	ConnectionID string
	ConnectedAt  time.Time
	LastActiveAt time.Time
	SourceIP     string
	UserAgent    string // "" when the client sent none
}

// The names of the events that only seed dialects have.
func (LoungeMembers) EventName() string { return "members" }
func (SystemMessage) EventName() string { return "systemMessage" }
func (Instructions) EventName() string  { return "instructions" }

// Append appends the frame that tells a connection of the dialect an event which it did not ask for.
// said is false, and dst as it was, for what the dialect does not show.
func (d Dialect) Append(dst []byte, e Event) (out []byte, said bool) {
	switch d {
	case BroadcastDialect:
		return appendBroadcast(dst, e)
	case DirectoryDialect:
		return appendDirectory(dst, e)
	case DirectDialect:
		return appendDirectDialect(dst, e)
	case LoungeDialect:
		return appendLounge(dst, e)
	}
	return appendNative(dst, e)
}

// AppendAnswer appends the frame that answers an action of a connection of the dialect: the native
// one, but for what the dialect's seed answers in its own way. said is as with [Dialect.Append].
func (d Dialect) AppendAnswer(dst []byte, e Event) (out []byte, said bool) {
	switch e := e.(type) {
	case Instructions:
		if d == BroadcastDialect {
			return appendInstructions(dst, &e), true
		}
	case Users:
		if d == DirectoryDialect {
			return appendContacts(dst, &e), true
		}
	case ConnectionID:
		if d == DirectDialect {
			return appendMember(dst, "connectionId", "", e.ConnectionID), true
		}
	case Sent:
		if d == DirectDialect {
			return dst, false
		}
	case Named:
		if d == LoungeDialect {
			return dst, false
		}
	}
	return appendNative(dst, e)
}

func appendNative(dst []byte, e Event) ([]byte, bool) {
	switch e.(type) {
	case LoungeMembers, SystemMessage, Instructions:
		return dst, false
	}
	return Append(dst, e), true
}

// lobbyRoom is the room in which everyone is, as Message.Room has it.
const lobbyRoom = "lobby"

// textOf gives the message of an event that is a text, by value or by pointer.
func textOf(e Event) (m Message, ok bool) {
	switch e := e.(type) {
	case *Message:
		m, ok = *e, true
	case Message:
		m, ok = e, true
	}
	return m, ok && !m.Void && !m.Deleted
}

// lobbyText gives a text for everyone.
func lobbyText(e Event) (Message, bool) {
	m, ok := textOf(e)
	return m, ok && m.Room == lobbyRoom
}

// directText gives a text of a direct room.
func directText(e Event) (Message, bool) {
	m, ok := textOf(e)
	return m, ok && strings.HasPrefix(m.Room, "@")
}

func appendBroadcast(dst []byte, e Event) ([]byte, bool) {
	m, ok := lobbyText(e)
	if !ok {
		return dst, false
	}
	return append(dst, m.Text...), true
}

func appendDirectory(dst []byte, e Event) ([]byte, bool) {
	m, ok := directText(e)
	if !ok {
		return dst, false
	}
	dst = append(dst, `{"action":"send","sent_by":`...)
	dst = appendString(dst, m.From)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, m.Text)
	return append(dst, '}'), true
}

func appendDirectDialect(dst []byte, e Event) ([]byte, bool) {
	if direct, ok := e.(Direct); ok {
		dst = append(dst, '{')
		return appendPayload(dst, &direct), true
	}
	return appendBroadcast(dst, e)
}

func appendLounge(dst []byte, e Event) ([]byte, bool) {
	switch e := e.(type) {
	case LoungeMembers:
		return appendMembers(dst, &e), true
	case SystemMessage:
		return appendMember(dst, "systemMessage", "", e.Text), true
	}
	if m, ok := lobbyText(e); ok {
		return appendMember(dst, "publicMessage", m.From+": ", m.Text), true
	}
	if m, ok := directText(e); ok {
		return appendMember(dst, "privateMessage", m.From+": ", m.Text), true
	}
	return dst, false
}

func appendMembers(dst []byte, e *LoungeMembers) []byte {
	dst = append(dst, `{"members":[`...)
	for i, name := range e.Names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, name)
	}
	return append(dst, "]}"...)
}

// appendMember appends an object with one member, whose value is two texts in one.
func appendMember(dst []byte, name, first, second string) []byte {
	dst = append(dst, '{', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	dst = appendString(dst, first+second)
	return append(dst, '}')
}

// appendContacts appends the answer to users of the dialect directory.
func appendContacts(dst []byte, u *Users) []byte {
	dst = append(dst, `{"action":"users","contacts":[`...)
	for i, p := range u.Users {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = appendString(dst, p.User)
		dst = append(dst, `,"status":`...)
		dst = strconv.AppendBool(dst, p.Online)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

func appendInstructions(dst []byte, i *Instructions) []byte {
	dst = append(dst, i.Sentence...)
	dst = append(dst, `{"ConnectedAt":"`...)
	dst = i.ConnectedAt.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, `","Identity":{"SourceIp":`...)
	dst = appendString(dst, i.SourceIP)
	dst = append(dst, `,"UserAgent":`...)
	dst = appendString(dst, i.UserAgent)
	dst = append(dst, `},"LastActiveAt":"`...)
	dst = i.LastActiveAt.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, `","connectionID":`...)
	dst = appendString(dst, i.ConnectionID)
	return append(dst, '}')
}
