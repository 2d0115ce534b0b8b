package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/confab-chat/confab/wire"
)

// readJSON reads a file of testdata.
func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// actionVector is an entry of actions.json; testdata/README.md says what its members mean.
type actionVector struct {
	Name, Frame, Hex string
	Dialect          wire.Dialect
	Expand           []struct {
		Mark, With string
		Times      int
	}
	Want *struct {
		Name, ID, Room, User, To, NewName, Text, Payload, ConnectionID, OperationType, Cursor string
		Alias, SentBy, SendBy, Endpoint                                                       string

		Private       bool
		Seq           uint64
		After, Before *uint64
		Limit         int
		Resume        []wire.Resume
	}
	Error *struct {
		Code wire.Code
		Says []string
		ID   string
	}
}

func (v *actionVector) frame(t *testing.T) []byte {
	t.Helper()
	if v.Hex == "" {
		return []byte(v.expand(v.Frame))
	}
	frame, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func (v *actionVector) expand(text string) string {
	for _, e := range v.Expand {
		text = strings.ReplaceAll(text, e.Mark, strings.Repeat(e.With, e.Times))
	}
	return text
}

func (v *actionVector) action() wire.Action {
	w := v.Want
	a := wire.Action{
		Name: w.Name, ID: w.ID, Room: w.Room, Private: w.Private, User: w.User, To: w.To,
		NewName: w.NewName, Text: v.expand(w.Text), Payload: []byte(w.Payload),
		ConnectionID: w.ConnectionID, OperationType: w.OperationType, Seq: w.Seq, Cursor: w.Cursor,
		Limit: w.Limit, Resume: w.Resume,
		Alias: w.Alias, SentBy: w.SentBy, SendBy: w.SendBy, Endpoint: w.Endpoint,
	}
	if w.After != nil {
		a.After, a.HasAfter = *w.After, true
	}
	if w.Before != nil {
		a.Before, a.HasBefore = *w.Before, true
	}
	return a
}

// decode decodes the frame in its dialect; in all of them, where it names none.
func (v *actionVector) decode(t *testing.T) (wire.Action, error) {
	t.Helper()
	if v.Dialect != "" {
		return v.Dialect.Decode(v.frame(t))
	}
	got, err := wire.Decode(v.frame(t))
	for _, d := range wire.Dialects() {
		again, seedErr := d.Decode(v.frame(t))
		if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); diff != "" || !cmp.Equal(err, seedErr) {
			t.Errorf("%s reads it as other: %s %v", d, diff, seedErr)
		}
	}
	return got, err
}

func TestDecode_Vectors(t *testing.T) {
	var vectors []actionVector
	readJSON(t, "actions.json", &vectors)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			got, err := v.decode(t)
			if v.Want != nil {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if diff := cmp.Diff(v.action(), got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatal(diff)
				}
				return
			}
			var refused *wire.Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %+v and error %v, want a *wire.Error", got, err)
			}
			if refused.Code != v.Error.Code || got.ID != v.Error.ID {
				t.Errorf("got code %q, id %q, want %q, %q: %v",
					refused.Code, got.ID, v.Error.Code, v.Error.ID, err)
			}
			for _, word := range v.Error.Says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if refused.Code == wire.BadField && refused.Field == "" {
				t.Errorf("no field with %v", err)
			}
		})
	}
}

// eventVector is an entry of events.json.
type eventVector struct {
	Name, Event, Only, Frame, Error string
	Fields                          json.RawMessage
}

func (v *eventVector) event(t *testing.T) wire.Event {
	t.Helper()
	read := map[string]func() wire.Event{
		"welcome": as[wire.Welcome](t, v), "message": as[wire.Message](t, v),
		"resumed": as[wire.Resumed](t, v), "reset": as[wire.Reset](t, v),
		"joined": as[wire.Joined](t, v), "left": as[wire.Gone](t, v),
		"invited": as[wire.Invited](t, v), "deleted": as[wire.MessageDeleted](t, v),
		"history": as[wire.History](t, v), "read": as[wire.ReadMarker](t, v),
		"pong": as[wire.Pong](t, v), "rooms": as[wire.Rooms](t, v),
		"members": as[wire.Members](t, v), "users": as[wire.Users](t, v),
		"memberRemoved": as[wire.MemberRemoved](t, v),
		"named":         as[wire.Named](t, v), "profile": as[wire.Profile](t, v), "typing": as[wire.Typing](t, v),
		"connectionId": as[wire.ConnectionID](t, v), "direct": as[wire.Direct](t, v),
		"sent": as[wire.Sent](t, v), "help": as[wire.Help](t, v),
		"presence": as[wire.Presence](t, v), "resync": as[wire.Resync](t, v),
		"reconnect": as[wire.Reconnect](t, v), "removed": as[wire.Removed](t, v),
		"error": as[wire.Failure](t, v), "unknown": func() wire.Event {
			return wire.Unknown{Name: "reaction"}
		},
	}[v.Event]
	if read == nil {
		t.Fatalf("no event %q", v.Event)
	}
	return read()
}

func as[E wire.Event](t *testing.T, v *eventVector) func() wire.Event {
	return func() wire.Event {
		var e E
		if err := json.Unmarshal(v.Fields, &e); err != nil {
			t.Fatalf("fields: %v", err)
		}
		return e
	}
}

func TestAppend_Vectors(t *testing.T) {
	var vectors []eventVector
	readJSON(t, "events.json", &vectors)
	for _, v := range vectors {
		if v.Error != "" || v.Only == "decode" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			got := string(wire.Append([]byte("before "), v.event(t)))
			if want := "before " + v.Frame; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestDecodeEvent_Vectors(t *testing.T) {
	var vectors []eventVector
	readJSON(t, "events.json", &vectors)
	for _, v := range vectors {
		if v.Only == "encode" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			got, err := wire.DecodeEvent([]byte(v.Frame))
			if v.Error != "" {
				var refused *wire.Error
				if !errors.As(err, &refused) || refused.Code != wire.BadJSON ||
					!strings.Contains(err.Error(), v.Error) {
					t.Fatalf("got %+v and error %v, want bad_json that says %q", got, err, v.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.event(t), got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// The vectors are worth something only if they leave nothing out.
func TestVectors_Complete(t *testing.T) {
	var actions []actionVector
	readJSON(t, "actions.json", &actions)
	good, bad := map[string]bool{}, map[wire.Code]bool{}
	for _, v := range actions {
		if v.Want != nil {
			good[orElse(v.Want.Alias, v.Want.Name)] = true
		} else {
			bad[v.Error.Code] = true
		}
	}
	for _, item := range wire.HelpActions() {
		if !good[item.Action] {
			t.Errorf("actions.json has no good %s", item.Action)
		}
	}
	for _, code := range []wire.Code{wire.BadJSON, wire.BadField, wire.UnknownAction} {
		if !bad[code] {
			t.Errorf("actions.json has no %s", code)
		}
	}
	var events []eventVector
	readJSON(t, "events.json", &events)
	seen := map[string]bool{}
	for _, v := range events {
		seen[v.Event] = true
	}
	if len(seen) < 27 { // 25 events, the unknown one, the refused ones
		t.Errorf("events.json has %d kinds of event", len(seen))
	}
}

// Every example of the help is a frame that is accepted, and there is one for each action.
func TestHelpActions(t *testing.T) {
	want := strings.Fields("hello joinRoom leaveRoom invite removeMember sendMessage deleteMessage history read " +
		"ping rooms members users setName typing getConnectionId sendDirect help " +
		"sendmessage send sendPublic sendPrivate")
	items := wire.HelpActions()
	if len(items) != len(want) {
		t.Fatalf("%d actions, want %d", len(items), len(want))
	}
	for i, item := range items {
		a, err := wire.Decode(item.Example)
		if item.Action != want[i] || orElse(a.Alias, a.Name) != want[i] || err != nil {
			t.Errorf("%s, want %s: example decodes to %q, %v", item.Action, want[i], a.Name, err)
		}
	}
}

// More rooms in resume than allowed are refused with the number; so many are not.
func TestDecode_ResumeLimit(t *testing.T) {
	frame := func(n int) []byte {
		rooms := make([]string, n)
		for i := range rooms {
			rooms[i] = fmt.Sprintf(`"room%d":{"epoch":"e","seq":1}`, i)
		}
		return []byte(`{"action":"hello","id":"h1","resume":{` + strings.Join(rooms, ",") + `}}`)
	}
	if a, err := wire.Decode(frame(200)); err != nil || len(a.Resume) != 200 {
		t.Errorf("200 rooms: got %d, %v", len(a.Resume), err)
	}
	a, err := wire.Decode(frame(201))
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != wire.TooLarge || a.ID != "h1" ||
		!strings.Contains(err.Error(), "200") || refused.Field != "resume" {
		t.Errorf("201 rooms: %q, %v", a.ID, err)
	}
}

// TestDecodeEvent_anyOrder has frames as another server might write them: a JSON object has no order.
func TestDecodeEvent_anyOrder(t *testing.T) {
	for _, frame := range []string{
		`{"event":"pong","id":"p1","rooms":[]}`,
		`{"id":"p1","rooms":[],"event":"pong"}`,
		" { \"event\" : \"pong\", \"id\":\"p1\", \"rooms\":[] } ",
		`{"event":"po\u006eg","id":"p1","rooms":[]}`,
	} {
		e, err := wire.DecodeEvent([]byte(frame))
		if pong, ok := e.(wire.Pong); err != nil || !ok || pong.ID != "p1" {
			t.Errorf("%s: %#v, %v", frame, e, err)
		}
	}
	for _, frame := range []string{`{"event":"pong`, `{"event":"pong"`, `{"event":"pong","id":1}`, `{"event":""}`} {
		if e, err := wire.DecodeEvent([]byte(frame)); err == nil {
			t.Errorf("%s: %#v", frame, e)
		}
	}
}
