package client

import (
	"encoding/json"
	"time"

	"github.com/confab-chat/confab/wire"
)

// Event is something that happened, as [Client.Events] gives it: one of the types of this file.
// New types may come: a switch over them needs no default case to be right.
type Event interface{ event() }

// Message is a message of a room. Each is told exactly once, the messages of a room in the order of
// Seq. One's own are told as well, those from other devices too.
type Message struct {
	Room    string
	Seq     uint64 // the place in the room, from 1 on
	Epoch   string // names the room's log; with Seq it is a Cursor
	ID      string // the sender's id of it
	From    string // who said it, as the server has verified it
	Text    string
	At      time.Time // by the server's clock: show it, never sort by it
	Deleted bool      // the text is gone; only Room, Seq and Epoch count
}

// Cursor is how far the room is with this message, for [From].
func (m Message) Cursor() Cursor { return Cursor{Epoch: m.Epoch, Seq: m.Seq} }

// Cursor is a place in a room's log: everything up to Seq has been seen.
type Cursor struct {
	Epoch string // "": whichever log the room has
	Seq   uint64
}

// Reset says that a room's log is another one than before, as after a restore of a backup: what was
// shown of the room is void. Under the Epoch of before it says that messages which were missed are
// no longer kept. The Messages from FirstSeq on follow.
type Reset struct {
	Room     string
	Epoch    string
	FirstSeq uint64
	Reason   string // for people
}

// SendFailed says that a message which an earlier run of the program had left in the outbox will
// never be sent. The failures of this run are told by [Client.Send] and [Sending.Wait].
type SendFailed struct {
	Draft Draft
	Err   error // as ErrNotMember, or ErrStale
}

// Connected says that the line is up: what was missed is on its way, and the outbox is sent.
type Connected struct {
	User         string // who one is
	ConnectionID string
	Notice       string // a sentence for people, as that names are not verified; mostly ""
}

// Disconnected says that the line is down. It comes once until the next Connected.
type Disconnected struct {
	Err error         // why
	In  time.Duration // how long until the first new attempt
}

// Missed says that Count events were dropped, since more of them waited than the buffer holds.
// No Message, Reset or SendFailed is among them. See [Buffer].
type Missed struct {
	Count int
}

// Joined says that one is in a room now, by [Client.Join] or from another device. Its messages
// after Seq follow.
type Joined struct {
	Room  string
	Seq   uint64
	Epoch string
}

// Left says that one is in a room no longer.
type Left struct {
	Room   string
	Reason string // for people, "" after Leave
}

// Invited says that By has invited User to a room.
type Invited struct {
	Room, User, By string
}

// Deleted says that By has deleted the text of a message.
type Deleted struct {
	Room string
	Seq  uint64
	By   string
}

// Presence says who has come to a room and who has gone. Large rooms and the lobby tell none:
// ask [Client.Members] or [Client.Users].
type Presence struct {
	Room            string
	Online, Offline []string
}

// Typing says that a user is writing.
type Typing struct {
	Room, User string
}

// Read says how far one has read a room, on whichever device.
type Read struct {
	Room string
	Seq  uint64
}

// Payload is what somebody has sent straight to this connection.
type Payload struct {
	From          string // who sent it, as the server has verified it
	OperationType string
	Message       json.RawMessage
}

func (Message) event()      {}
func (Reset) event()        {}
func (SendFailed) event()   {}
func (Connected) event()    {}
func (Disconnected) event() {}
func (Missed) event()       {}
func (Joined) event()       {}
func (Left) event()         {}
func (Invited) event()      {}
func (Deleted) event()      {}
func (Presence) event()     {}
func (Typing) event()       {}
func (Read) event()         {}
func (Payload) event()      {}

// message gives a message of the wire as callers see it; void ones never get so far.
func message(m *wire.Message) Message {
	return Message{
		Room: m.Room, Seq: m.Seq, Epoch: m.Epoch, ID: m.ID, From: m.From, Text: m.Text, At: m.At,
		Deleted: m.Deleted,
	}
}

// hint gives the events that are worth something at once or never.
func hint(e wire.Event) Event {
	switch e := e.(type) {
	case wire.Presence:
		return Presence(e)
	case wire.Typing:
		return Typing(e)
	case wire.Direct:
		return Payload(e)
	case wire.Invited:
		return Invited{e.Room, e.User, e.By}
	case wire.MessageDeleted:
		return Deleted{e.Room, e.Seq, e.By}
	case wire.ReadMarker:
		return Read{e.Room, e.Seq}
	}
	return nil
}
