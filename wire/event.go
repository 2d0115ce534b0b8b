package wire

import (
	"encoding/json"
	"time"
)

// Event is one frame of the server. The concrete types are in this file; ID is always the id of
// the request that the event answers, "" where there is none.
type Event interface {
	// EventName is the value of the frame's member "event".
	EventName() string
}

// Head is a room's log as the owner of the membership sees it.
type Head struct {
	Room  string `json:"room"`
	Seq   uint64 `json:"seq"`
	Epoch string `json:"epoch"`
}

// WelcomeRoom is a head with the user's read marker.
type WelcomeRoom struct {
	Room     string `json:"room"`
	Seq      uint64 `json:"seq"`
	Epoch    string `json:"epoch"`
	Read     uint64 `json:"read"`
	FirstSeq uint64 `json:"firstSeq,omitempty"` // lower numbers are not kept any more; 0: all are
}

// Welcome answers hello.
type Welcome struct {
	ID                   string        `json:"id,omitempty"`
	Protocol             int           `json:"protocol"`
	Server               string        `json:"server"`
	User                 string        `json:"user"`
	Name                 string        `json:"name,omitempty"` // what it is shown as besides
	ConnectionID         string        `json:"connectionId"`
	HeartbeatSeconds     int           `json:"heartbeatSeconds"`
	Pipeline             int           `json:"pipeline"`
	MaxConnectionSeconds int           `json:"maxConnectionSeconds,omitempty"`
	Notice               string        `json:"notice,omitempty"` // what people should know, a sentence
	Rooms                []WelcomeRoom `json:"rooms"`
}

// Message is a message, a void or a tombstone of a room. As an event it is pushed to every
// member; as an item it stands in a History.
type Message struct {
	Room      string
	Seq       uint64
	Void      bool // the number was never used: only Room and Seq count
	Deleted   bool // a tombstone: only Room and Seq count
	Epoch     string
	ID        string
	From      string
	Text      string
	At        time.Time // encoded as RFC 3339 in UTC with milliseconds
	Duplicate bool      // answers a repeated send, to the sending connection alone
}

// Resumed ends the missed messages of one room.
type Resumed struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
	Seq  uint64 `json:"seq"`  // the last number sent
	More bool   `json:"more"` // false: that was the head
}

// Reset says that a cursor cannot be resumed; what is to be had begins at FirstSeq.
type Reset struct {
	ID       string `json:"id,omitempty"`
	Room     string `json:"room"`
	Epoch    string `json:"epoch"`
	FirstSeq uint64 `json:"firstSeq"`
	Reason   string `json:"reason"`
}

// Joined answers joinRoom.
type Joined struct {
	ID    string `json:"id,omitempty"`
	Room  string `json:"room"`
	Seq   uint64 `json:"seq"`
	Epoch string `json:"epoch"`
}

// Gone answers leaveRoom; its frame is "left".
type Gone struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
}

// Invited answers invite and tells the invited user's connections.
type Invited struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
	User string `json:"user"`
	By   string `json:"by"`
}

// MemberRemoved answers removeMember. Who was removed gets [Removed].
type MemberRemoved struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
	User string `json:"user"`
}

// MessageDeleted tells the members that a message's text is gone; its frame is "deleted".
type MessageDeleted struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
	Seq  uint64 `json:"seq"`
	By   string `json:"by"`
}

// History answers history: Messages ascending.
type History struct {
	ID       string
	Room     string
	Messages []Message
	More     bool
	Seq      uint64
	Epoch    string
	FirstSeq uint64 // lower numbers are not kept any more: no gap; 0: all are
}

// ReadMarker tells a user's own connections how far it has read; its frame is "read".
type ReadMarker struct {
	ID   string `json:"id,omitempty"`
	Room string `json:"room"`
	Seq  uint64 `json:"seq"`
}

// Pong answers ping with the heads of the user's rooms.
type Pong struct {
	ID    string `json:"id,omitempty"`
	Rooms []Head `json:"rooms"`
}

// RoomItem is a row of Rooms: one's own with its head, an invitation, or a public room's name.
type RoomItem struct {
	Room    string  `json:"room"`
	Seq     *uint64 `json:"seq,omitempty"` // of one's own rooms, also where it is 0
	Epoch   string  `json:"epoch,omitempty"`
	Invited bool    `json:"invited,omitempty"`
	By      string  `json:"by,omitempty"`
}

// Rooms answers rooms.
type Rooms struct {
	ID    string     `json:"id,omitempty"`
	Rooms []RoomItem `json:"rooms"`
	More  bool       `json:"more"`
}

// Person is a user and whether it is here.
type Person struct {
	User   string `json:"user"`
	Name   string `json:"name,omitempty"` // what it is shown as besides
	Online bool   `json:"online"`
}

// Members answers members.
type Members struct {
	ID      string   `json:"id,omitempty"`
	Room    string   `json:"room"`
	Members []Person `json:"members"`
	More    bool     `json:"more"`
}

// Users answers users.
type Users struct {
	ID    string   `json:"id,omitempty"`
	Users []Person `json:"users"`
	More  bool     `json:"more"`
}

// Named answers setName.
type Named struct {
	ID   string `json:"id,omitempty"`
	User string `json:"user"`
	Name string `json:"name,omitempty"` // of who has signed in: what it is shown as besides
}

// Profile tells everyone what User is shown as besides from now on.
type Profile struct {
	User string `json:"user"`
	Name string `json:"name"` // "": nothing
}

// Typing tells the other members that User is writing.
type Typing struct {
	Room string `json:"room"`
	User string `json:"user"`
}

// ConnectionID answers getConnectionId.
type ConnectionID struct {
	ID           string `json:"id,omitempty"`
	ConnectionID string `json:"connectionId"`
}

// Direct is the payload of a sendDirect with its verified sender.
type Direct struct {
	From          string          `json:"from"`
	OperationType string          `json:"operationType"`
	Message       json.RawMessage `json:"message"` // handed on byte for byte
}

// Sent answers sendDirect.
type Sent struct {
	ID string `json:"id,omitempty"`
}

// HelpItem is one action with an example frame.
type HelpItem struct {
	Action  string          `json:"action"`
	Example json.RawMessage `json:"example"`
}

// Help answers help.
type Help struct {
	ID      string     `json:"id,omitempty"`
	Actions []HelpItem `json:"actions"`
}

// Presence tells the members who came and who went.
type Presence struct {
	Room    string   `json:"room"`
	Online  []string `json:"online"`
	Offline []string `json:"offline"`
}

// Resync says that frames of a room were dropped for this connection: fetch up to Seq.
type Resync struct {
	Room string `json:"room"`
	Seq  uint64 `json:"seq"`
}

// Reconnect asks the client to come again after AfterMs milliseconds.
type Reconnect struct {
	AfterMs int `json:"afterMs"`
}

// Removed tells a user that it is no longer a member of a room.
type Removed struct {
	Room   string `json:"room"`
	Reason string `json:"reason"`
}

// Failure answers an action that failed; its frame is "error".
type Failure struct {
	ID           string `json:"id,omitempty"`
	Code         Code   `json:"code"`
	Message      string `json:"message"`
	RetryAfterMs int    `json:"retryAfterMs,omitempty"`
	RequestID    string `json:"requestId,omitempty"`
}

// The names of the events.
func (Welcome) EventName() string        { return "welcome" }
func (Message) EventName() string        { return "message" }
func (Resumed) EventName() string        { return "resumed" }
func (Reset) EventName() string          { return "reset" }
func (Joined) EventName() string         { return "joined" }
func (Gone) EventName() string           { return "left" }
func (Invited) EventName() string        { return "invited" }
func (MessageDeleted) EventName() string { return "deleted" }
func (MemberRemoved) EventName() string  { return "memberRemoved" }
func (History) EventName() string        { return "history" }
func (ReadMarker) EventName() string     { return "read" }
func (Pong) EventName() string           { return "pong" }
func (Rooms) EventName() string          { return "rooms" }
func (Members) EventName() string        { return "members" }
func (Users) EventName() string          { return "users" }
func (Named) EventName() string          { return "named" }
func (Profile) EventName() string        { return "profile" }
func (Typing) EventName() string         { return "typing" }
func (ConnectionID) EventName() string   { return "connectionId" }
func (Direct) EventName() string         { return "direct" }
func (Sent) EventName() string           { return "sent" }
func (Help) EventName() string           { return "help" }
func (Presence) EventName() string       { return "presence" }
func (Resync) EventName() string         { return "resync" }
func (Reconnect) EventName() string      { return "reconnect" }
func (Removed) EventName() string        { return "removed" }
func (Failure) EventName() string        { return "error" }
