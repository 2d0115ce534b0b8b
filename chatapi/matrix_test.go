package chatapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
)

// roles are what somebody is to a room, in the order of the matrix: who made it, a member, one who has
// left it, one who is invited, and one who is nothing. Who is disabled, and who never signed in, get
// nothing, whatever the action.
var roles = []string{"an-owner", "a-member", "an-ex", "an-invited", "a-stranger", "a-disabled", "an-anonymous"}

// rights are a frame for each action, and how it ends in a private room for the first five roles. An
// action without a row fails the test. docs/protocol.md has the codes.
var rights = map[string]struct{ frame, ends string }{
	"hello":         {`"resume":{ROOM:{"epoch":"other","seq":0}}`, "ok ok ok ok ok"},
	"joinRoom":      {`"room":ROOM`, "ok ok taken ok taken"},
	"leaveRoom":     {`"room":ROOM`, "ok ok ok ok not_found"},
	"invite":        {`"room":ROOM,"user":"a-stranger"`, "ok ok not_member not_found not_found"},
	"removeMember":  {`"room":ROOM,"user":"another"`, "ok forbidden not_member not_found not_found"},
	"sendMessage":   {`"room":ROOM,"message":"hi"`, "ok ok not_member not_found not_found"},
	"deleteMessage": {`"room":ROOM,"seq":1`, "ok forbidden not_member not_found not_found"},
	"history":       {`"room":ROOM`, "ok ok not_member not_found not_found"},
	"read":          {`"room":ROOM,"seq":1`, "ok ok not_member not_found not_found"},
	"members":       {`"room":ROOM`, "ok ok not_member not_found not_found"},
	"typing":        {`"room":ROOM`, "ok ok not_member not_found not_found"},

	"ping": {"", "ok ok ok ok ok"}, "rooms": {"", "ok ok ok ok ok"}, "users": {"", "ok ok ok ok ok"},
	"help": {"", "ok ok ok ok ok"}, "getConnectionId": {"", "ok ok ok ok ok"},
	"setName":     {`"name":"An Owner"`, "ok taken taken taken taken"}, // changes what one is shown as, alone
	"sendDirect":  {`"connectionId":"an-owner1","operationType":"o","message":1`, "ok ok ok ok ok"},
	"sendmessage": {`"message":"hi"`, "ok ok ok ok ok"}, "sendPublic": {`"message":"hi"`, "ok ok ok ok ok"},
	"sendPrivate": {`"message":"hi","to":"an-owner"`, "ok ok ok ok ok"},
	"send":        {`"message":"hi","send_to":"an-owner","sent_by":ME`, "ok ok ok ok ok"},
}

// elsewhere are the actions that end otherwise than in a private room.
var elsewhere = map[string]map[string]string{
	"tea": {"joinRoom": "ok ok ok ok ok"}, // a public room
	"@a-member,an-owner": { // where the other three are strangers alike
		"joinRoom": "ok ok not_found not_found not_found", "leaveRoom": "forbidden forbidden not_found not_found not_found",
		"invite": "forbidden forbidden not_found not_found not_found", "removeMember": "forbidden forbidden not_found not_found not_found",
	},
	"lobby": { // where everyone is a member, and nobody its owner
		"joinRoom": "ok ok ok ok ok", "leaveRoom": "forbidden forbidden forbidden forbidden forbidden",
		"invite": "forbidden forbidden forbidden forbidden forbidden", "sendMessage": "ok ok ok ok ok",
		"removeMember":  "forbidden forbidden forbidden forbidden forbidden",
		"deleteMessage": "ok forbidden forbidden forbidden forbidden", // the owner is its author
		"history":       "ok ok ok ok ok", "read": "ok ok ok ok ok", "members": "ok ok ok ok ok", "typing": "ok ok ok ok ok",
	},
}

// endOf is how an action ends for the role of that index.
func endOf(action, room string, role int) string {
	ends, ok := elsewhere[room][action]
	if !ok {
		ends = rights[action].ends
	}
	if room == "@a-member,an-owner" { // nobody leaves it, and nobody is invited
		ends = strings.ReplaceAll(ends, "not_member", "not_found")
	}
	return strings.Fields(ends)[role]
}

// canary is what only members may see.
const canary = "canary-in-the-room"

// scene is a club with a room in which each role is what it says, and the room's head.
func scene(t *testing.T, room string) (*club, map[string]auth.Signed) {
	c := newClub(t)
	people := map[string]auth.Signed{}
	for _, name := range append(roles[:6:6], "another") {
		people[name] = c.member(name)
		c.enter(name+"1", people[name])
	}
	act := func(who, frame string) {
		t.Helper()
		if got := codeOf(t, c.act(who+"1", frame)); got != "ok" {
			t.Fatalf("%s %s: %s", who, frame, got)
		}
	}
	if room == "den" || room == "tea" {
		act("an-owner", fmt.Sprintf(`{"action":"joinRoom","room":%q,"private":%t}`, room, room == "den"))
		for _, name := range []string{"a-member", "an-ex", "a-disabled", "another", "an-invited"} {
			act("an-owner", fmt.Sprintf(`{"action":"invite","room":%q,"user":%q}`, room, name))
			if name != "an-invited" {
				act(name, fmt.Sprintf(`{"action":"joinRoom","room":%q}`, room))
			}
		}
		act("an-ex", fmt.Sprintf(`{"action":"leaveRoom","room":%q}`, room))
	}
	where := fmt.Sprintf(`"room":%q`, room)
	if room == "@a-member,an-owner" {
		where = `"to":"a-member"`
	}
	act("an-owner", `{"action":"sendMessage","id":"first",`+where+`,"message":"`+canary+`"}`)
	_, err := c.desk.Disable(c.ctx, nil, "a-disabled", true)
	c.ok(err)
	c.ok(c.h.Revoke(c.ctx, "a-disabled", "", "disabled"))
	for name := range people {
		c.poster.take(name + "1")
	}
	clear(c.poster.closed)
	return c, people
}

// codeOf tells how an action ended that was answered with these frames.
func codeOf(t *testing.T, frames []string) string {
	t.Helper()
	for _, frame := range frames {
		var f struct{ Event, Code string }
		if err := json.Unmarshal([]byte(frame), &f); err != nil {
			t.Fatal(err)
		}
		if f.Event == "error" {
			return f.Code
		}
	}
	return "ok"
}

// TestS7_Matrix tries every action of the route table as every role in every kind of room.
func TestS7_Matrix(t *testing.T) {
	tried := 0
	for _, action := range chatapi.Actions() {
		row, listed := rights[action]
		if !listed {
			t.Errorf("the action %s has no row in the matrix", action)
			continue
		}
		for _, room := range []string{"den", "tea", "@a-member,an-owner", "lobby"} {
			frame := `{"action":"` + action + `","id":"x"`
			if row.frame != "" {
				frame += "," + strings.ReplaceAll(row.frame, "ROOM", `"`+room+`"`)
			}
			for i, role := range roles {
				tried++
				own := strings.ReplaceAll(frame, "ME", `"`+role+`"`) + "}"
				t.Run(action+" "+room+" "+role, func(t *testing.T) { attempt(t, action, room, own, i) })
			}
		}
	}
	if len(rights) != len(chatapi.Actions()) {
		t.Errorf("the matrix has %d actions, and there are %d", len(rights), len(chatapi.Actions()))
	}
	t.Logf("tried=%d", tried)
}

// attempt does an action as a role, and looks at what it sees and changes.
func attempt(t *testing.T, action, room, frame string, index int) {
	role := roles[index]
	c, people := scene(t, room)
	before := headOf(c, room)
	got := c.act(role+"1", frame)
	if index >= 5 {
		equal(t, "frames", got, []string{})
		if _, closed := c.poster.closed[role+"1"]; !closed {
			t.Error("the connection is not closed")
		}
		equal(t, "head", headOf(c, room), before)
		if r := c.handle(c.connectEvent("again1", map[string]string{"name": role})); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("connecting again: status %d", r.StatusCode)
		}
		return
	}
	want := endOf(action, room, index)
	if code := codeOf(t, got); code != want {
		t.Errorf("%s ends with %s, want %s: %q", frame, code, want, got)
	}
	if want != "ok" {
		equal(t, "head after a refusal", headOf(c, room), before)
		for name := range people {
			if heard := c.poster.take(name + "1"); name != role && len(heard) > 0 {
				t.Errorf("%s hears of a refused %s: %q", name, action, heard)
			}
		}
	}
	if room == "lobby" || index < 2 || action == "joinRoom" && want == "ok" {
		return
	}
	for _, f := range got {
		if strings.Contains(f, canary) || strings.Contains(f, before.Epoch) {
			t.Errorf("%s shows %s of %s: %s", action, role, room, f)
		}
	}
}

func headOf(c *club, room string) chat.Head {
	c.Helper()
	heads, err := c.log.Heads(c.ctx, []string{room})
	c.ok(err)
	if len(heads) != 1 {
		c.Fatalf("%d heads of %s", len(heads), room)
	}
	return heads[0]
}
