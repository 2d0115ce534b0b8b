package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/confab-chat/confab/wire"
)

// oracle reads an accepted frame with encoding/json, a member at a time and by exact names.
func oracle(frame []byte, name string) (wire.Action, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(frame, &members); err != nil {
		return wire.Action{}, err
	}
	var a wire.Action
	places := map[string]any{"action": &a.Name, "id": &a.ID}
	for _, member := range defined[name] {
		places[member] = map[string]any{
			"send_to": &a.To, "sent_by": &a.SentBy, "send_by": &a.SendBy, "apigw_endpoint": &a.Endpoint,
			"room": &a.Room, "private": &a.Private, "user": &a.User,
			"to": &a.To, "name": &a.NewName, "connectionId": &a.ConnectionID,
			"operationType": &a.OperationType, "seq": &a.Seq, "before": &a.Before, "limit": &a.Limit,
			"after": &a.Cursor, "message": &a.Text, "resume": &map[string]wire.Resume{},
		}[member]
	}
	switch name {
	case wire.GetHistory:
		places["after"] = &a.After
		a.HasAfter, a.HasBefore = members["after"] != nil, members["before"] != nil
	case wire.SendDirect:
		places["message"] = (*json.RawMessage)(&a.Payload)
	}
	for member, place := range places {
		if raw, ok := members[member]; ok {
			if err := json.Unmarshal(raw, place); err != nil {
				return a, fmt.Errorf("%s: %w", member, err)
			}
		}
	}
	if rooms, ok := places["resume"]; ok {
		for room, r := range *rooms.(*map[string]wire.Resume) {
			a.Resume = append(a.Resume, wire.Resume{Room: room, Epoch: r.Epoch, Seq: r.Seq})
		}
	}
	switch name {
	case wire.SendMessageLower, wire.Send, wire.SendPublic, wire.SendPrivate:
		a.Name, a.Alias = wire.SendMessage, a.Name
	}
	return a, nil
}

// defined is the members of each action, as docs/protocol.md has them.
var defined = map[string][]string{
	wire.Hello:         {"resume"},
	wire.JoinRoom:      {"room", "private"},
	wire.LeaveRoom:     {"room"},
	wire.Invite:        {"room", "user"},
	wire.RemoveMember:  {"room", "user"},
	wire.SendMessage:   {"room", "to", "message", "apigw_endpoint"},
	wire.DeleteMessage: {"room", "seq"},
	wire.GetHistory:    {"room", "after", "before", "limit"},
	wire.MarkRead:      {"room", "seq"},
	wire.ListRooms:     {"after", "limit"},
	wire.ListMembers:   {"room", "after", "limit"},
	wire.ListUsers:     {"after", "limit"},
	wire.SetName:       {"name"},
	wire.SetTyping:     {"room"},
	wire.SendDirect:    {"connectionId", "operationType", "message"},

	wire.SendMessageLower: {"message", "apigw_endpoint"},
	wire.Send:             {"message", "send_to", "sent_by", "send_by"},
	wire.SendPublic:       {"message"},
	wire.SendPrivate:      {"to", "message"},
}

// agree fails where Decode accepts a frame and encoding/json reads other values from it. It
// tells whether the frame was accepted.
func agree(t *testing.T, frame []byte) bool {
	t.Helper()
	got, err := wire.Decode(frame)
	if err != nil {
		var refused *wire.Error
		if !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" ||
			len(refused.Message) > 1000 || len(got.ID) > wire.MaxID {
			t.Fatalf("%q: id %q, error %#v", frame, got.ID, err)
		}
		return false
	}
	want, err := oracle(frame, orElse(got.Alias, got.Name))
	if err != nil {
		t.Fatalf("%q is accepted, by encoding/json not: %v", frame, err)
	}
	anyOrder := cmpopts.SortSlices(func(a, b wire.Resume) bool { return a.Room < b.Room })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), anyOrder); diff != "" {
		t.Fatalf("%q is not what encoding/json reads:\n%s", frame, diff)
	}
	return true
}

// seeds gives the frames of the vectors that are not huge, the good ones six times as often.
func seeds(t *testing.T) [][]byte {
	t.Helper()
	var vectors []actionVector
	readJSON(t, "actions.json", &vectors)
	var frames [][]byte
	for _, v := range vectors {
		frame := v.frame(t)
		if len(frame) > 1000 {
			continue
		}
		frames = append(frames, frame)
		if v.Want != nil {
			frames = append(frames, frame, frame, frame, frame, frame)
		}
	}
	return frames
}

// What Decode accepts of 100,000 damaged frames, encoding/json accepts with equal values.
func TestDecode_Mutated(t *testing.T) {
	const bodies = 100_000
	frames := seeds(t)
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range bodies {
		frame := mutate(random, frames)
		if agree(t, frame) {
			accepted++
		}
	}
	t.Logf("accepted %d of %d", accepted, bodies)
	if accepted < bodies/20 {
		t.Errorf("only %d of %d were accepted: the test says little", accepted, bodies)
	}
}

var tokens = []string{
	`"`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, `null`, `true`, `-`, `1e5`, `0.5`, ` `,
	`\u0061`, `\ud83d`, `\ude00`, "\x00", "\xff", "\xc2\x80", `"seq":1,`, `"from":"x",`, `"Room":1,`,
	`"zeta":{"a":[]},`, `"after":3,`, "é", "\u2028", `9007199254740993`,
}

// mutate takes a frame and changes it in one to three places.
func mutate(random *rand.Rand, frames [][]byte) []byte {
	frame := append([]byte(nil), frames[random.IntN(len(frames))]...)
	for range 1 + random.IntN(2) {
		at := random.IntN(len(frame) + 1)
		to := at + random.IntN(min(8, len(frame)-at)+1)
		switch random.IntN(5) {
		case 0: // a token in between
			frame = append(frame[:at:at], append([]byte(tokens[random.IntN(len(tokens))]), frame[at:]...)...)
		case 1: // some bytes less
			frame = append(frame[:at:at], frame[to:]...)
		case 2: // some bytes twice
			frame = append(frame[:to:to], frame[at:]...)
		case 3: // another byte
			if at < len(frame) {
				frame[at] = byte(random.IntN(256))
			}
		case 4: // a bit changed, as upper case is one
			if at < len(frame) {
				frame[at] ^= 1 << random.IntN(8)
			}
		}
	}
	return frame
}

func FuzzDecode(f *testing.F) {
	for _, item := range wire.HelpActions() {
		f.Add([]byte(item.Example))
	}
	for _, token := range tokens {
		f.Add([]byte(`{"action":"sendMessage",` + token + `"message":"hi"}`))
		f.Add([]byte(`{"action":"ping","x":"` + token + `"}`))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { agree(t, frame) })
}
