package wire_test

import (
	"bytes"
	"testing"

	"github.com/confab-chat/confab/wire"
)

// dialectVector is an entry of dialects.json; testdata/README.md says what its members mean.
type dialectVector struct {
	eventVector
	Dialect wire.Dialect
	Answer  bool
}

// event reads the events that only seed dialects have, else those of the native protocol.
func (v *dialectVector) event(t *testing.T) wire.Event {
	t.Helper()
	switch v.Event {
	case "members":
		return as[wire.LoungeMembers](t, &v.eventVector)()
	case "systemMessage":
		return as[wire.SystemMessage](t, &v.eventVector)()
	case "instructions":
		return as[wire.Instructions](t, &v.eventVector)()
	}
	return v.eventVector.event(t)
}

func TestDialect_Vectors(t *testing.T) {
	var vectors []dialectVector
	readJSON(t, "dialects.json", &vectors)
	seen := map[wire.Dialect]bool{}
	for _, v := range vectors {
		seen[v.Dialect] = true
		t.Run(string(v.Dialect)+" "+v.Name, func(t *testing.T) {
			encode := v.Dialect.Append
			if v.Answer {
				encode = v.Dialect.AppendAnswer
			}
			e := v.event(t)
			if e.EventName() != v.Event {
				t.Errorf("the event is called %q", e.EventName())
			}
			got, said := encode([]byte("before "), e)
			if said != (v.Frame != "") || string(got) != "before "+v.Frame {
				t.Errorf("got  %s (%v)\nwant %s", got, said, v.Frame)
			}
		})
	}
	for _, d := range wire.Dialects() {
		if !seen[d] {
			t.Errorf("dialects.json has nothing of %s", d)
		}
	}
}

// Every event of the protocol answers an action in every dialect, or is one of the few that the
// dialect's seed does not answer; errors are the same frame in all.
func TestDialect_AppendAnswer(t *testing.T) {
	silent := map[wire.Dialect]string{wire.DirectDialect: "sent", wire.LoungeDialect: "named"}
	var vectors []eventVector
	readJSON(t, "events.json", &vectors)
	for _, v := range vectors {
		if v.Error != "" || v.Only == "decode" {
			continue
		}
		for _, d := range wire.Dialects() {
			got, said := d.AppendAnswer(nil, v.event(t))
			switch {
			case silent[d] == v.Event:
				if said {
					t.Errorf("%s answers %s", d, v.Event)
				}
			case d == wire.DirectoryDialect && v.Event == "users",
				d == wire.DirectDialect && v.Event == "connectionId":
			case !said || string(got) != v.Frame:
				t.Errorf("%s, %s: got %s (%v), want %s", d, v.Name, got, said, v.Frame)
			}
		}
	}
}

// A message is the same in every dialect, given by pointer or by value.
func TestDialect_Pointers(t *testing.T) {
	for _, room := range []string{"lobby", "tea", "@alice,bob"} {
		m := wire.Message{Room: room, Seq: 1, From: "alice", Text: "hi"}
		for _, d := range wire.Dialects() {
			value, said := d.Append(nil, m)
			pointer, saidAlso := d.Append(nil, &m)
			if !bytes.Equal(value, pointer) || said != saidAlso {
				t.Errorf("%s: by value %s, by pointer %s", d, value, pointer)
			}
		}
	}
}
