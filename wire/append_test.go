package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/wire"
)

// roundTrip reads the message's frame with encoding/json and as a client does.
func roundTrip(t *testing.T, m wire.Message) {
	t.Helper()
	frame := wire.Append(nil, m)
	var got struct {
		Event, Room, Epoch, ID, From, Message, At string
		Seq                                       uint64
	}
	if err := json.Unmarshal(frame, &got); err != nil {
		t.Fatalf("%q: %v", frame, err)
	}
	at, err := time.Parse(time.RFC3339Nano, got.At)
	if err != nil || got.Event != "message" || got.Room != m.Room || got.Epoch != m.Epoch ||
		got.ID != m.ID || got.From != m.From || got.Message != m.Text || got.Seq != m.Seq ||
		!at.Equal(m.At) {
		t.Errorf("%+v came out as %q", m, frame)
	}
	event, err := wire.DecodeEvent(frame)
	if diff := cmp.Diff(wire.Event(m), event); err != nil || diff != "" {
		t.Errorf("a client reads %q as other: %v %s", frame, err, diff)
	}
}

func FuzzAppendMessage(f *testing.F) {
	f.Add("tea", uint64(1), "e", "m1", "alice", "hi", int64(0))
	f.Add("\x1f\"\\", uint64(1)<<63, "\u2028", "é", "\u007f\u0085", "1234567\"1234567\\\n", int64(1))
	f.Fuzz(func(t *testing.T, room string, seq uint64, epoch, id, from, text string, ms int64) {
		valid := func(s string) string { return strings.ToValidUTF8(s, "") }
		roundTrip(t, wire.Message{
			Room: valid(room), Seq: seq, Epoch: valid(epoch), ID: valid(id),
			From: valid(from), Text: valid(text), At: time.UnixMilli(ms & (1<<47 - 1)).UTC(),
		})
	})
}

func TestAppend_Pointers(t *testing.T) {
	m := wire.Message{Room: "tea", Seq: 1, Text: "hi"}
	h := wire.History{Room: "tea", Messages: []wire.Message{m}}
	for _, pair := range [][2]wire.Event{{m, &m}, {h, &h}} {
		value, pointer := wire.Append(nil, pair[0]), wire.Append(nil, pair[1])
		if !bytes.Equal(value, pointer) {
			t.Errorf("by value %s, by pointer %s", value, pointer)
		}
	}
}

// broken is an event that encoding/json cannot encode.
type broken struct{ F func() }

func (broken) EventName() string { return "broken" }

// What cannot be encoded becomes an error event, not half a frame.
func TestAppend_Impossible(t *testing.T) {
	help := wire.Help{Actions: []wire.HelpItem{{Example: []byte("{")}}}
	for _, e := range []wire.Event{broken{}, help} {
		event, err := wire.DecodeEvent(wire.Append(nil, e))
		if failure, ok := event.(wire.Failure); !ok || failure.Code != wire.InternalError {
			t.Errorf("%T: got %+v, %v", e, event, err)
		}
	}
	if got := string(wire.Append(nil, wire.Direct{From: "a"})); got !=
		`{"event":"direct","from":"a","operationType":"","message":null}` {
		t.Errorf("a Direct without payload: %s", got)
	}
	if got := string(wire.Append(nil, wire.Unknown{Name: "x"})); got != `{"event":"x"}` {
		t.Errorf("an Unknown: %s", got)
	}
}
