package sim

import (
	"encoding/json"

	"github.com/confab-chat/confab/internal/sim/checker"
)

// Frame is an event of the server, see docs/protocol.md.
type Frame struct {
	Event, ID, Room, Epoch, From, Code, Reason string
	Text                                       string `json:"message"`
	Seq                                        uint64
	AfterMs                                    int
	More, Void, Deleted, Duplicate             bool
	Messages                                   []Frame         // of history
	Rooms                                      []Head          // of welcome and pong
	Online, Offline                            []string        // of presence
	Users                                      []UserState     // of users
	Raw                                        json.RawMessage `json:"-"`
}

// Head is how far a room is.
type Head struct {
	Room, Epoch string
	Seq         uint64
}

// UserState is a user and whether somebody uses the name now.
type UserState struct {
	User   string
	Online bool
}

// parse reads an event. Where `message` is no text, Text stays empty.
func parse(text []byte) (Frame, error) {
	var f Frame
	err := json.Unmarshal(text, &f)
	f.Raw = text
	return f, err
}

// entry is a number of a room's log as the checker knows it.
func (f *Frame) entry() checker.Entry {
	return checker.Entry{Seq: f.Seq, From: f.From, ID: f.ID, Text: f.Text, Void: f.Void, Deleted: f.Deleted}
}
