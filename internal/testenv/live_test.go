package testenv_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestTyping(t *testing.T) {
	for _, c := range testenv.Combinations {
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			t.Parallel()
			var clock clock
			options := once
			options.Now = clock.now
			e := testenv.Start(t, c.Host, c.Store, options)
			alice, laptop, bob, carol := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "carol")
			alice.Join("tea")
			bob.Join("tea")
			typing := func(f testenv.Frame) bool { return f.Event == "typing" }
			said := 0
			say := func() { said++; alice.Say("tea", fmt.Sprintf("m%d", said), fmt.Sprintf("text %d", said)) }

			alice.Send(`{"action":"typing","id":"t1","room":"TEA"}`)
			bob.Event("typing").Is(t, `{"event":"typing","room":"tea","user":"alice"}`)
			for range 5 { // too soon
				alice.Send(`{"action":"typing","room":"tea"}`)
				alice.Sync()
			}
			say()
			bob.Await("the message", message("tea", "text 1"))
			clock.advance(5 * time.Second)
			alice.Send(`{"action":"typing","room":"tea"}`)
			bob.Event("typing").Is(t, `{"event":"typing","room":"tea","user":"alice"}`)
			say()
			bob.Await("the message", message("tea", "text 2"))
			if n := bob.Count(typing); n != 2 {
				t.Errorf("bob heard %d times that alice is typing, want 2", n)
			}
			// Neither to oneself, nor to strangers, nor stored; and there is no answer.
			for _, c := range []*testenv.Client{alice, laptop, carol} {
				quiet(t, c, "a typing event", typing)
			}
			quiet(t, alice, "an answer", func(f testenv.Frame) bool { return f.ID == "t1" })
			if all := log(t, bob, "tea", 0); len(all) != 2 {
				t.Errorf("the log has %d messages, want the 2 that were said", len(all))
			}
			refused(t, carol, "not_found", "t2", `{"action":"typing","id":"t2","room":"tea"}`)
		})
	}
}

func TestPresence(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, carol := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "carol")
		alice.Join("tea")
		alice.Seen("its own coming", presence("tea", "alice", "")).Is(t,
			`{"event":"presence","room":"tea","online":["alice"],"offline":[]}`)
		bob.Join("tea")
		for _, c := range []*testenv.Client{alice, bob} {
			c.Seen("bob's coming", presence("tea", "bob", ""))
		}
		second := e.Dial(t, "bob")
		bob.Close()
		alice.Sync()
		second.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		alice.Seen("bob's leaving", presence("tea", "", "bob"))
		second.Join("tea")
		alice.Await("bob's coming back", presence("tea", "bob", ""))
		before := alice.Count(presence("tea", "", "bob"))
		second.Close() // the last connection
		alice.Await("bob's going", presence("tea", "", "bob")).Is(t,
			`{"event":"presence","room":"tea","online":[],"offline":["bob"]}`)
		if before != 1 {
			t.Errorf("bob was said to be offline %d times while a device was there, want 1 for the leaving", before)
		}
		e.Dial(t, "bob")
		alice.Await("bob's coming online", presence("tea", "bob", "")).Is(t,
			`{"event":"presence","room":"tea","online":["bob"],"offline":[]}`)
		quiet(t, carol, "a presence", func(f testenv.Frame) bool { return f.Event == "presence" })
		quiet(t, alice, "a presence in the lobby", event("presence", "lobby"))
	})
}

// presence tells whether a frame says that a user came, or went.
func presence(room, online, offline string) func(testenv.Frame) bool {
	has := func(list any, user string) bool {
		users, _ := list.([]any)
		return user == "" || slices.Contains(users, any(user))
	}
	return func(f testenv.Frame) bool {
		return event("presence", room)(f) && has(f.Fields["online"], online) && has(f.Fields["offline"], offline)
	}
}

// However many come and go, a room is told at most once a second.
func TestPresence_OnceASecond(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		alice.Join("tea")
		begin := time.Now()
		changes := 0
		for ; changes < 40 || time.Since(begin) < 1200*time.Millisecond; changes += 2 {
			bob.Join("tea")
			bob.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		}
		bob.Join("tea")
		alice.Seen("bob's coming", presence("tea", "bob", ""))
		told := alice.Count(event("presence", "tea"))
		if most := int(time.Since(begin)/time.Second) + 2; told > most {
			t.Errorf("%d changes were told by %d events within %v", changes, told, time.Since(begin))
		}
	})
}

func TestSetName(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		guest, phone, bob := e.Dial(t, "guest"), e.Dial(t, "guest"), e.Dial(t, "bob")
		guest.Join("tea")
		bob.Join("tea")
		refused(t, guest, "taken", "n1", `{"action":"setName","id":"n1","name":"bob"}`)
		refused(t, guest, "taken", "n2", `{"action":"setName","id":"n2","name":"BOB"}`)
		f := refused(t, guest, "bad_field", "n3", `{"action":"setName","id":"n3","name":"a b"}`)
		namesField(t, f, "name")
		guest.Do("n4", `{"action":"setName","id":"n4","name":"Guest"}`).Is(t, `{"event":"named","id":"n4","user":"guest"}`)
		guest.Do("n5", `{"action":"setName","id":"n5","name":"Alice"}`).Is(t, `{"event":"named","id":"n5","user":"Alice"}`)

		// This connection is Alice's from now on, with her rooms; the other one stays guest's.
		guest.Say("lobby", "m1", "I am Alice")
		bob.Await("the message", message("lobby", "I am Alice")).Is(t,
			`{"event":"message","room":"lobby","seq":%d,"epoch":"$any","id":"m1","from":"Alice","message":"I am Alice","at":"$at"}`, before+1)
		refused(t, guest, "not_found", "m2", `{"action":"sendMessage","id":"m2","room":"tea","message":"hi"}`)
		bob.Say("tea", "m3", "who is here?")
		phone.Await("the message", message("tea", "who is here?"))
		quiet(t, guest, "a message of the former user's room", message("tea", "who is here?"))

		// Her name is hers while she is here, and free when she has gone; the rooms are found again.
		bob.Do("i1", `{"action":"invite","id":"i1","room":"tea","user":"alice"}`)
		guest.Join("tea")
		bob.Do("l1", `{"action":"members","id":"l1","room":"tea"}`).Is(t, `{"event":"members","id":"l1","room":"tea","members":[`+
			`{"user":"Alice","online":true},{"user":"bob","online":true},{"user":"guest","online":true}],"more":false}`)
		refused(t, phone, "taken", "n6", `{"action":"setName","id":"n6","name":"alice"}`)
		guest.Close()
		offline(t, bob, `{"action":"members","id":%q,"room":"tea"}`, "Alice")
		phone.Send(`{"action":"setName","name":"alice"}`)
		phone.Event("named").Is(t, `{"event":"named","user":"Alice"}`)
		bob.Say("tea", "m4", "welcome back")
		phone.Await("the message", message("tea", "welcome back"))
	})
}

func TestGetConnectionID(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, second := e.Dial(t, "alice"), e.Dial(t, "alice")
		welcome := alice.Do("h1", `{"action":"hello","id":"h1"}`)
		alice.Do("c1", `{"action":"getConnectionId","id":"c1"}`).Is(t,
			`{"event":"connectionId","id":"c1","connectionId":%q}`, welcome.Fields["connectionId"])
		second.Send(`{"action":"getConnectionId"}`)
		other := second.Event("connectionId").Is(t, `{"event":"connectionId","connectionId":"$any"}`)
		if other.Fields["connectionId"] == welcome.Fields["connectionId"] {
			t.Errorf("two connections have the id %v", other.Fields["connectionId"])
		}
	})
}

func TestSendDirect(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, phone := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "bob")
		to := bob.Do("c1", `{"action":"getConnectionId","id":"c1"}`).Fields["connectionId"]
		for i, payload := range []string{
			`{"txId":"abc123"}`, `"text"`, `null`, `true`, `[]`, `0`, `-0.10e+5`, `12345678901234567890123`,
			`{"b":1,"a":[1.0,{"c":null}]}`, `"\u0041\/\n\ud83d\ude00"`, `"é\u2028<script>"`, `{"from":"mallory","seq":1}`,
			strings.Repeat("[", 30) + strings.Repeat("]", 30), `{ "white" : [ 1, 2 ] }`,
		} {
			id := fmt.Sprintf("s%d", i)
			alice.Do(id, `{"action":"sendDirect","id":%q,"connectionId":%q,"operationType":"signing","message":%s}`,
				id, to, payload).Is(t, `{"event":"sent","id":%q}`, id)
			got := bob.Event("direct")
			if want := `{"event":"direct","from":"alice","operationType":"signing","message":` + payload + `}`; got.Raw != want {
				t.Errorf("got %s, want %s", got.Raw, want)
			}
		}
		alice.Send(`{"action":"sendDirect","connectionId":%q,"operationType":"x","message":1}`, to)
		alice.Event("sent").Is(t, `{"event":"sent"}`)
		quiet(t, phone, "what was for another connection", func(f testenv.Frame) bool { return f.Event == "direct" })

		bob.Close()
		offlineConnection(t, alice, to.(string))
		refused(t, alice, "not_found", "s90", `{"action":"sendDirect","id":"s90","connectionId":"nonsense","operationType":"x","message":1}`)
		for field, frame := range map[string]string{
			"connectionId":  `{"action":"sendDirect","id":"s91","operationType":"x","message":1}`,
			"operationType": `{"action":"sendDirect","id":"s91","connectionId":"c","message":1}`,
			"message":       `{"action":"sendDirect","id":"s91","connectionId":"c","operationType":"x"}`,
		} {
			namesField(t, refused(t, alice, "bad_field", "s91", "%s", frame), field)
		}
	})
}

// offlineConnection awaits that a connection that was closed is not found any more.
func offlineConnection(t *testing.T, c *testenv.Client, id string) {
	t.Helper()
	for i, deadline := 0, time.Now().Add(time.Minute); ; i++ {
		f := c.Do(fmt.Sprintf("gone%d", i), `{"action":"sendDirect","id":"gone%d","connectionId":%q,"operationType":"x","message":1}`, i, id)
		if f.Code == "not_found" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the closed connection still gets frames: %s", f.Raw)
		}
	}
}

func TestHelp(t *testing.T) {
	want := []string{
		"hello", "joinRoom", "leaveRoom", "invite", "removeMember", "sendMessage", "deleteMessage",
		"history", "read", "ping", "rooms",
		"members", "users", "setName", "typing", "getConnectionId", "sendDirect", "help",
		"sendmessage", "send", "sendPublic", "sendPrivate",
	}
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		f := alice.Do("x1", `{"action":"help","id":"x1"}`)
		var help struct {
			Event, ID string
			Actions   []struct {
				Action  string
				Example struct{ Action string }
			}
		}
		if err := json.Unmarshal([]byte(f.Raw), &help); err != nil || help.Event != "help" {
			t.Fatalf("%v: %s", err, f.Raw)
		}
		var got []string
		for _, a := range help.Actions {
			if got = append(got, a.Action); a.Example.Action != a.Action {
				t.Errorf("the example of %s is one of %q", a.Action, a.Example.Action)
			}
		}
		slices.Sort(got)
		if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(got, sorted) {
			t.Errorf("help names %v, want %v", got, sorted)
		}
	})
}
