package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// indent begins the further lines of a message, so that none looks as if it were another's.
const indent = "    "

// Screen is where messages are printed.
type Screen struct {
	Out   io.Writer
	Style terminal.Style
	JSON  bool // every event is a line of JSON
	// Columns gives the width of a terminal as it is now; without it the style has it.
	Columns func() int
}

// put prints a line of clean text, folded where it is for a person.
func (s *Screen) put(text string) error {
	columns := s.Style.Columns
	if s.Columns != nil {
		columns = s.Columns()
	}
	_, err := io.WriteString(s.Out, terminal.Fold(text, indent, columns)+"\n")
	return err
}

// putJSON prints a value as a line of JSON.
func (s *Screen) putJSON(value any) error {
	line, err := terminal.JSON(value)
	if err == nil {
		_, err = s.Out.Write(line)
	}
	return err
}

// entry prints a message as a line of a log: when, who, what. Deleted ones are left out.
func (s *Screen) entry(m client.Message) error {
	switch {
	case s.JSON:
		return s.putJSON(messageEvent(m))
	case m.Deleted:
		return nil
	}
	at := m.At.Local().Format("2006-01-02 15:04:05")
	return s.put(s.Style.Faint(at) + " " + s.Style.Name(m.From) + ": " + terminal.Clean(m.Text))
}

// said is a message in the form of the write-up that this command comes from: who, where it does
// not go without saying, what.
func (s *Screen) said(from, where, text string) string {
	return fmt.Sprintf("📨 Message from [%s]%s: [%s]",
		s.Style.Name(from), where, terminal.Clean(text))
}

// The events of docs/protocol.md as lines of JSON.

type messageLine struct {
	Event   string `json:"event"`
	Room    string `json:"room"`
	Seq     uint64 `json:"seq"`
	Epoch   string `json:"epoch,omitempty"`
	ID      string `json:"id,omitempty"`
	From    string `json:"from,omitempty"`
	Message string `json:"message,omitempty"`
	At      string `json:"at,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
}

func messageEvent(m client.Message) messageLine {
	line := messageLine{
		Event: "message", Room: m.Room, Seq: m.Seq, Epoch: m.Epoch, ID: m.ID, From: m.From,
		Message: m.Text, Deleted: m.Deleted,
	}
	if !m.At.IsZero() {
		line.At = m.At.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return line
}

// members are those of an event beside its name, in the order of docs/protocol.md.
type members []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes them in their order.
func (ms members) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	for i, m := range ms {
		text, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		fmt.Fprintf(&b, "%q:%s", m.name, text)
	}
	return []byte(b.String() + "}"), nil
}

// eventLine gives an event for JSON, nil for those that are nobody's business.
func eventLine(e client.Event) any {
	switch e := e.(type) {
	case client.Message:
		return messageEvent(e)
	case client.Connected:
		return members{{"event", "connected"}, {"user", e.User}, {"connectionId", e.ConnectionID}}
	case client.Disconnected:
		wait := e.In / time.Millisecond
		return members{{"event", "disconnected"}, {"reason", reason(e.Err)}, {"afterMs", wait}}
	case client.Reset:
		return members{
			{"event", "reset"},
			{"room", e.Room},
			{"epoch", e.Epoch},
			{"firstSeq", e.FirstSeq},
			{"reason", e.Reason},
		}
	case client.Joined:
		return members{{"event", "joined"}, {"room", e.Room}, {"seq", e.Seq}}
	case client.Left:
		return members{{"event", "left"}, {"room", e.Room}, {"reason", e.Reason}}
	case client.Invited:
		return members{{"event", "invited"}, {"room", e.Room}, {"user", e.User}, {"by", e.By}}
	case client.Deleted:
		return members{{"event", "deleted"}, {"room", e.Room}, {"seq", e.Seq}, {"by", e.By}}
	case client.Presence:
		return members{
			{"event", "presence"},
			{"room", e.Room},
			{"online", list(e.Online)},
			{"offline", list(e.Offline)},
		}
	case client.Typing:
		return members{{"event", "typing"}, {"room", e.Room}, {"user", e.User}}
	case client.Read:
		return members{{"event", "read"}, {"room", e.Room}, {"seq", e.Seq}}
	case client.Payload:
		return members{
			{"event", "direct"},
			{"from", e.From},
			{"operationType", e.OperationType},
			{"message", e.Message},
		}
	}
	return nil
}

// list is never null.
func list(names []string) []string { return append([]string{}, names...) }
