package client

import (
	"bytes"
	"encoding/json"
)

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

// encode gives the frame. Nothing but a payload that is no JSON can fail.
func (a *action) encode() ([]byte, error) {
	var frame bytes.Buffer
	e := json.NewEncoder(&frame)
	e.SetEscapeHTML(false) // each escaped character would count six times against the limit of a frame
	if err := e.Encode(a); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(frame.Bytes(), []byte("\n")), nil
}
