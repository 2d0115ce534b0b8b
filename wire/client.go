package wire

import (
	"bytes"
	"encoding/json"
	"time"
)

// Unknown is an event of a newer server: a client ignores it.
type Unknown struct {
	Name string `json:"-"`
}

// EventName gives the name in the frame.
func (u Unknown) EventName() string { return u.Name }

// DecodeEvent reads a frame of a server, for clients. Members it does not know are ignored, and
// an event that it does not know is an [Unknown]. An error is an *[Error] with code BadJSON.
func DecodeEvent(frame []byte) (Event, error) {
	if name, ok := firstName(frame); ok {
		if read := readers[string(name)]; read != nil {
			return read(frame)
		}
	}
	var head struct {
		Event string `json:"event"`
	}
	if err := decode(frame, &head); err != nil {
		return nil, err
	}
	if head.Event == "" {
		return nil, &Error{Code: BadJSON, Field: "event", Message: "the frame names no event"}
	}
	if read := readers[head.Event]; read != nil {
		return read(frame)
	}
	return Unknown{Name: head.Event}, nil
}

// firstName gives the event that a frame begins with, as servers write it: so its text is read once.
func firstName(frame []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(frame, []byte(`{"event":"`))
	if !ok {
		return nil, false
	}
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	return name, ok
}

var readers = map[string]func([]byte) (Event, error){
	"welcome":       readAs[Welcome],
	"message":       readMessage,
	"resumed":       readAs[Resumed],
	"reset":         readAs[Reset],
	"joined":        readAs[Joined],
	"left":          readAs[Gone],
	"invited":       readAs[Invited],
	"deleted":       readAs[MessageDeleted],
	"memberRemoved": readAs[MemberRemoved],
	"history":       readHistory,
	"read":          readAs[ReadMarker],
	"pong":          readAs[Pong],
	"rooms":         readAs[Rooms],
	"members":       readAs[Members],
	"users":         readAs[Users],
	"named":         readAs[Named],
	"profile":       readAs[Profile],
	"typing":        readAs[Typing],
	"connectionId":  readAs[ConnectionID],
	"direct":        readAs[Direct],
	"sent":          readAs[Sent],
	"help":          readAs[Help],
	"presence":      readAs[Presence],
	"resync":        readAs[Resync],
	"reconnect":     readAs[Reconnect],
	"removed":       readAs[Removed],
	"error":         readAs[Failure],
}

func decode(frame []byte, into any) error {
	if err := json.Unmarshal(frame, into); err != nil {
		return &Error{Code: BadJSON, Message: "the frame is not the JSON of an event: " + err.Error()}
	}
	return nil
}

func readAs[E Event](frame []byte) (Event, error) {
	var e E
	if err := decode(frame, &e); err != nil {
		return nil, err
	}
	return e, nil
}

// item is a message as its members stand in a frame.
type item struct {
	Room      string    `json:"room"`
	Seq       uint64    `json:"seq"`
	Void      bool      `json:"void"`
	Deleted   bool      `json:"deleted"`
	Epoch     string    `json:"epoch"`
	ID        string    `json:"id"`
	From      string    `json:"from"`
	Message   string    `json:"message"`
	At        time.Time `json:"at"`
	Duplicate bool      `json:"duplicate"`
}

// message gives the item as a message of room, where it does not name one itself.
func (i *item) message(room string) Message {
	if i.Room != "" {
		room = i.Room
	}
	return Message{
		Room: room, Seq: i.Seq, Void: i.Void, Deleted: i.Deleted, Epoch: i.Epoch,
		ID: i.ID, From: i.From, Text: i.Message, At: i.At, Duplicate: i.Duplicate,
	}
}

func readMessage(frame []byte) (Event, error) {
	var i item
	if err := decode(frame, &i); err != nil {
		return nil, err
	}
	return i.message(""), nil
}

func readHistory(frame []byte) (Event, error) {
	var h struct {
		ID       string `json:"id"`
		Room     string `json:"room"`
		Messages []item `json:"messages"`
		More     bool   `json:"more"`
		Seq      uint64 `json:"seq"`
		Epoch    string `json:"epoch"`
		FirstSeq uint64 `json:"firstSeq"`
	}
	if err := decode(frame, &h); err != nil {
		return nil, err
	}
	messages := make([]Message, len(h.Messages))
	for i := range h.Messages {
		messages[i] = h.Messages[i].message(h.Room)
	}
	return History{
		ID: h.ID, Room: h.Room, Messages: messages, More: h.More, Seq: h.Seq,
		Epoch: h.Epoch, FirstSeq: h.FirstSeq,
	}, nil
}
