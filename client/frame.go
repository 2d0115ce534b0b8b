package client

import (
	"bytes"
	"encoding/json"

	"github.com/confab-chat/confab/wire"
)

// maxAction is how many bytes an action may have (docs/protocol.md, "Limits"): a longer one would end
// the connection, and as often as it is repeated.
const maxAction = 128 << 10

// action is a frame to the server; docs/protocol.md has the members of each.
type action struct {
	Action        string             `json:"action"`
	ID            string             `json:"id,omitempty"`
	Room          string             `json:"room,omitempty"`
	Private       bool               `json:"private,omitempty"`
	User          string             `json:"user,omitempty"`
	To            string             `json:"to,omitempty"`
	Name          string             `json:"name,omitempty"`
	ConnectionID  string             `json:"connectionId,omitempty"`
	OperationType string             `json:"operationType,omitempty"`
	Message       any                `json:"message,omitempty"`
	Seq           uint64             `json:"seq,omitempty"`
	After         any                `json:"after,omitempty"` // a number of history, a row of a list
	Before        *uint64            `json:"before,omitempty"`
	Limit         int                `json:"limit,omitempty"`
	Resume        map[string]resumed `json:"resume,omitempty"`
}

// resumed is a cursor as hello has it.
type resumed struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// encode gives the frame, or refuses one that would end the connection.
func (a *action) encode() ([]byte, error) {
	var frame bytes.Buffer
	e := json.NewEncoder(&frame)
	e.SetEscapeHTML(false)              // each escaped character would count six times against the limit of a frame
	if err := e.Encode(a); err != nil { // a payload
		return nil, &Error{Code: wire.BadField, Message: "message: " + err.Error()}
	}
	text := bytes.TrimSuffix(frame.Bytes(), []byte("\n"))
	if len(text) > maxAction {
		return nil, &Error{Code: wire.TooLarge, Message: "an action has at most 131,072 bytes"}
	}
	return text, nil
}
