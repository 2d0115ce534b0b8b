package testenv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestHello_Welcome(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		host := `"heartbeatSeconds":10,"pipeline":32`
		if e.Host != "direct" {
			host = `"heartbeatSeconds":120,"pipeline":1,"maxConnectionSeconds":7200`
		}
		alice := e.Dial(t, "alice")
		first := alice.Do("h1", `{"action":"hello","id":"h1"}`)
		first.Is(t, `{"event":"welcome","id":"h1","protocol":1,"server":"$any","user":"alice",`+
			`"connectionId":"$any",`+host+`,"rooms":[{"room":"lobby","seq":%d,"epoch":"$any","read":0}]}`, before)

		alice.Send(`{"action":"hello"}`)
		alice.Await("a welcome without id", func(f testenv.Frame) bool { return f.Event == "welcome" && f.ID == "" }).
			Is(t, `{"event":"welcome","protocol":1,"server":"$any","user":"alice","connectionId":"$any",`+
				host+`,"rooms":[{"room":"lobby","seq":%d,"epoch":"$any","read":0}]}`, before)

		bob := e.Dial(t, "bob")
		alice.Join("Tea")
		alice.Say("tea", "m1", "one")
		alice.Say("tea", "m2", "two")
		alice.Do("r1", `{"action":"read","id":"r1","room":"tea","seq":1}`)
		bob.Join("coffee")
		direct := alice.Do("m3", `{"action":"sendMessage","id":"m3","to":"bob","message":"psst"}`)
		alice.Do("h2", `{"action":"hello","id":"h2"}`).
			Is(t, `{"event":"welcome","id":"h2","protocol":1,"server":"$any","user":"alice","connectionId":%q,`+
				host+`,"rooms":[{"room":%q,"seq":1,"epoch":%q,"read":0},`+
				`{"room":"lobby","seq":%d,"epoch":%q,"read":0},{"room":"Tea","seq":2,"epoch":"$any","read":1}]}`,
				first.Fields["connectionId"], direct.Room, direct.Epoch, before, lobbyEpoch(first))

		// The epoch of the lobby that welcome names is the one that its first message has.
		if said := alice.Say("lobby", "m4", "hi all"); said.Epoch != lobbyEpoch(first) {
			t.Errorf("the lobby's epoch is %q, welcome said %q", said.Epoch, lobbyEpoch(first))
		}
	})
}

func lobbyEpoch(welcome testenv.Frame) string {
	for _, r := range welcome.Fields["rooms"].([]any) {
		if room := r.(map[string]any); room["room"] == "lobby" {
			return room["epoch"].(string)
		}
	}
	return "none"
}

func TestHello_TooManyRooms(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		resume := func(rooms int) string {
			cursors := make([]string, rooms)
			for i := range cursors {
				cursors[i] = fmt.Sprintf(`"r%d":{"epoch":"e","seq":1}`, i)
			}
			return strings.Join(cursors, ",")
		}
		if f := alice.Do("h1", `{"action":"hello","id":"h1","resume":{%s}}`, resume(200)); f.Event != "welcome" {
			t.Errorf("200 rooms: %s", f.Raw)
		}
		f := refused(t, alice, "too_large", "h2", `{"action":"hello","id":"h2","resume":{%s}}`, resume(201))
		if !strings.Contains(f.Fields["message"].(string), "200") {
			t.Errorf("the error does not name the limit: %s", f.Raw)
		}
	})
}
