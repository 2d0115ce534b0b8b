package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// timeLayout is RFC 3339 with milliseconds, for times in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Append appends the frame of an event: compact JSON, "event" first, members in the order of
// docs/protocol.md, empty lists as [], an empty id left out.
//
// A Message and a History cost no memory beyond the growth of dst; given by pointer, the
// conversion to Event costs none either. Their texts, and the payload of a Direct, are handed on
// byte for byte. Strings must be valid UTF-8.
func Append(dst []byte, e Event) []byte {
	switch e := e.(type) {
	case *Message:
		return appendMessage(dst, e)
	case Message:
		return appendMessage(dst, &e)
	case *History:
		return appendHistory(dst, e)
	case History:
		return appendHistory(dst, &e)
	case Direct:
		return appendDirect(dst, &e)
	}
	return appendOther(dst, filled(e))
}

func appendMessage(dst []byte, m *Message) []byte {
	dst = append(dst, `{"event":"message","room":`...)
	dst = appendString(dst, m.Room)
	dst = append(dst, ',')
	return appendRest(dst, m)
}

// appendItem appends a message as it stands in a History.
func appendItem(dst []byte, m *Message) []byte {
	dst = append(dst, '{')
	if !m.Void && !m.Deleted {
		dst = append(dst, `"room":`...)
		dst = appendString(dst, m.Room)
		dst = append(dst, ',')
	}
	return appendRest(dst, m)
}

// appendRest appends what event and item have in common: everything from seq on.
func appendRest(dst []byte, m *Message) []byte {
	dst = append(dst, `"seq":`...)
	dst = strconv.AppendUint(dst, m.Seq, 10)
	switch {
	case m.Void:
		return append(dst, `,"void":true}`...)
	case m.Deleted:
		if m.Duplicate { // the answer to a repeated send has the send's id
			dst = appendID(dst, m.ID)
			return append(dst, `,"deleted":true,"duplicate":true}`...)
		}
		return append(dst, `,"deleted":true}`...)
	}
	dst = append(dst, `,"epoch":`...)
	dst = appendString(dst, m.Epoch)
	dst = appendID(dst, m.ID)
	dst = append(dst, `,"from":`...)
	dst = appendString(dst, m.From)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, m.Text)
	dst = append(dst, `,"at":"`...)
	dst = m.At.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, '"')
	if m.Duplicate {
		dst = append(dst, `,"duplicate":true`...)
	}
	return append(dst, '}')
}

func appendHistory(dst []byte, h *History) []byte {
	dst = append(dst, `{"event":"history"`...)
	dst = appendID(dst, h.ID)
	dst = append(dst, `,"room":`...)
	dst = appendString(dst, h.Room)
	dst = append(dst, `,"messages":[`...)
	for i := range h.Messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendItem(dst, &h.Messages[i])
	}
	dst = append(dst, `],"more":`...)
	dst = strconv.AppendBool(dst, h.More)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, h.Seq, 10)
	dst = append(dst, `,"epoch":`...)
	dst = appendString(dst, h.Epoch)
	if h.FirstSeq > 0 {
		dst = append(dst, `,"firstSeq":`...)
		dst = strconv.AppendUint(dst, h.FirstSeq, 10)
	}
	return append(dst, '}')
}

func appendDirect(dst []byte, e *Direct) []byte {
	dst = append(dst, `{"event":"direct","from":`...)
	dst = appendString(dst, e.From)
	dst = append(dst, ',')
	return appendPayload(dst, e)
}

// appendPayload appends what is the same in every dialect: the payload with its type.
func appendPayload(dst []byte, e *Direct) []byte {
	dst = append(dst, `"operationType":`...)
	dst = appendString(dst, e.OperationType)
	dst = append(dst, `,"message":`...)
	if len(e.Message) == 0 {
		dst = append(dst, "null"...)
	}
	dst = append(dst, e.Message...)
	return append(dst, '}')
}

func appendID(dst []byte, id string) []byte {
	if id == "" {
		return dst
	}
	dst = append(dst, `,"id":`...)
	return appendString(dst, id)
}

// appendOther appends an event that is not sent often, in the order of its struct's fields.
func appendOther(dst []byte, e Event) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil { // a HelpItem whose Example is no JSON
		return appendOther(dst, Failure{Code: InternalError, Message: "an event could not be encoded"})
	}
	dst = append(dst, `{"event":`...)
	dst = appendString(dst, e.EventName())
	members := bytes.TrimSuffix(body.Bytes(), []byte("}\n"))[1:]
	if len(members) > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, members...)
	return append(dst, '}')
}

// filled gives the event with its absent lists as empty ones.
func filled(e Event) Event {
	switch e := e.(type) {
	case Welcome:
		e.Rooms = list(e.Rooms)
		return e
	case Pong:
		e.Rooms = list(e.Rooms)
		return e
	case Rooms:
		e.Rooms = list(e.Rooms)
		return e
	case Members:
		e.Members = list(e.Members)
		return e
	case Users:
		e.Users = list(e.Users)
		return e
	case Help:
		e.Actions = list(e.Actions)
		return e
	case Presence:
		e.Online, e.Offline = list(e.Online), list(e.Offline)
		return e
	}
	return e
}

func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
