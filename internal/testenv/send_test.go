package testenv_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestSendMessage(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		alice, laptop, bob, carol := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "carol")
		epoch := alice.Join("tea").Epoch
		bob.Join("tea")

		// The sender's own copy is the acknowledgement; its other device and the other members get
		// the same, with the message's id.
		want := fmt.Sprintf(`{"event":"message","room":"tea","seq":1,"epoch":%q,"id":"m1","from":"alice","message":"hi","at":"$at"}`, epoch)
		ack := alice.Do("m1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`).Is(t, "%s", want)
		if ack.Duplicate {
			t.Errorf("the first one is marked as a duplicate: %s", ack.Raw)
		}
		for _, c := range []*testenv.Client{laptop, bob} {
			if got := c.Await("the message", message("tea", "hi")); got.Raw != ack.Raw {
				t.Errorf("%s got %s, the sender %s", c.User, got.Raw, ack.Raw)
			}
		}

		// Without room it is the lobby, where everyone is.
		said := alice.Do("m2", `{"action":"sendMessage","id":"m2","message":"hi all"}`).Is(t,
			`{"event":"message","room":"lobby","seq":%d,"epoch":"$any","id":"m2","from":"alice","message":"hi all","at":"$at"}`, before+1)
		for _, c := range []*testenv.Client{laptop, bob, carol} {
			c.Await("the lobby's message", func(f testenv.Frame) bool { return f.Raw == said.Raw })
		}

		// Without id the message gets one of the server's.
		alice.Send(`{"action":"sendMessage","room":"tea","message":"no id"}`)
		bob.Await("the message", message("tea", "no id")).Is(t,
			`{"event":"message","room":"tea","seq":2,"epoch":%q,"id":"$any","from":"alice","message":"no id","at":"$at"}`, epoch)
		alice.Await("the acknowledgement", message("tea", "no id"))

		// A name in other case is the same room and the same user.
		bob.Do("m3", `{"action":"sendMessage","id":"m3","room":"TEA","message":"yes"}`).Is(t,
			`{"event":"message","room":"tea","seq":3,"epoch":%q,"id":"m3","from":"bob","message":"yes","at":"$at"}`, epoch)
		alice.Await("the message", message("tea", "yes"))
		quiet(t, carol, "a message of a room it is not in", event("message", "tea"))
	})
}

func TestSendMessage_Direct(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, laptop, bob, phone := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "Bob"), e.Dial(t, "bob")
		carol := e.Dial(t, "carol")
		ack := alice.Do("m1", `{"action":"sendMessage","id":"m1","to":"bob","message":"psst"}`).Is(t,
			`{"event":"message","room":"$any","seq":1,"epoch":"$any","id":"m1","from":"alice","message":"psst","at":"$at"}`)
		room := ack.Room
		for _, c := range []*testenv.Client{laptop, bob, phone} {
			c.Await("the direct message", func(f testenv.Frame) bool { return f.Raw == ack.Raw })
		}
		back := bob.Do("m2", `{"action":"sendMessage","id":"m2","to":"alice","message":"what?"}`)
		back.Is(t, `{"event":"message","room":%q,"seq":2,"epoch":%q,"id":"m2","from":"Bob","message":"what?","at":"$at"}`,
			room, ack.Epoch)
		alice.Await("the answer", message(room, "what?"))

		// The room's id is good for every action that takes one.
		bob.Do("m3", `{"action":"sendMessage","id":"m3","room":%q,"message":"by its id"}`, room).Is(t,
			`{"event":"message","room":%q,"seq":3,"epoch":%q,"id":"m3","from":"Bob","message":"by its id","at":"$at"}`,
			room, ack.Epoch)
		alice.Await("the message", message(room, "by its id"))
		alice.Do("q1", `{"action":"history","id":"q1","room":%q,"after":1,"limit":1}`, room).Is(t,
			`{"event":"history","id":"q1","room":%q,"messages":[{"room":%q,"seq":2,"epoch":%q,"id":"m2","from":"Bob","message":"what?","at":"$at"}],"more":true,"seq":3,"epoch":%q}`,
			room, room, ack.Epoch, ack.Epoch)
		alice.Do("l1", `{"action":"members","id":"l1","room":%q}`, room).Is(t,
			`{"event":"members","id":"l1","room":%q,"members":[{"user":"Bob","online":true},{"user":"alice","online":true}],"more":false}`, room)
		alice.Do("r1", `{"action":"read","id":"r1","room":%q,"seq":2}`, room).Is(t,
			`{"event":"read","id":"r1","room":%q,"seq":2}`, room)
		alice.Do("h1", `{"action":"hello","id":"h1","resume":{%q:{"epoch":%q,"seq":1}}}`, room, ack.Epoch)
		alice.Event("resumed").Is(t, `{"event":"resumed","id":"h1","room":%q,"seq":3,"more":false}`, room)

		for _, action := range []string{
			`{"action":"sendMessage","id":"x","room":%q,"message":"me too"}`,
			`{"action":"history","id":"x","room":%q}`,
			`{"action":"members","id":"x","room":%q}`,
			`{"action":"read","id":"x","room":%q,"seq":1}`,
			`{"action":"typing","id":"x","room":%q}`,
		} {
			refused(t, carol, "not_found", "x", action, room)
		}
		quiet(t, carol, "something of others' direct room", func(f testenv.Frame) bool { return f.Room == room })
		refused(t, alice, "not_found", "m4", `{"action":"sendMessage","id":"m4","to":"nobody","message":"hi"}`)
		f := refused(t, alice, "bad_field", "m5", `{"action":"sendMessage","id":"m5","to":"bob","room":"tea","message":"hi"}`)
		namesField(t, f, "to")
		note := alice.Do("m6", `{"action":"sendMessage","id":"m6","to":"alice","message":"to myself"}`)
		laptop.Await("the note", func(f testenv.Frame) bool { return f.Raw == note.Raw })
	})
}

// The texts at the limits, each with the code that refuses it or "".
var texts = map[string]struct{ text, code, names string }{
	"one byte":            {"x", "", ""},
	"longest":             {strings.Repeat("x", 16384), "", ""},
	"longest in runes":    {strings.Repeat("é", 8192), "", ""},
	"newline and tab":     {"a\n\tb", "", ""},
	"white space":         {" ", "", ""},
	"not normalized":      {"e\u0301 \u202e\ufeff", "", ""},
	"looks like JSON":     {`{"action":"ping"}\u0041`, "", ""},
	"empty":               {"", "bad_field", "message"},
	"one too long":        {strings.Repeat("x", 16385), "too_large", "16384"},
	"too long in bytes":   {strings.Repeat("é", 8193), "too_large", "16384"},
	"zero":                {"a\x00b", "bad_field", "message"},
	"carriage return":     {"a\rb", "bad_field", "message"},
	"delete":              {"a\x7fb", "bad_field", "message"},
	"C1 control":          {"a\u0085b", "bad_field", "message"},
	"escape":              {"\x1b[31mred", "bad_field", "message"},
	"controls and length": {strings.Repeat("\a", 100), "bad_field", "message"},
}

func TestSendMessage_Texts(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		for name, try := range texts {
			id := strings.ReplaceAll(name, " ", "-")
			frame, err := json.Marshal(map[string]string{"action": "sendMessage", "id": id, "message": try.text})
			if err != nil {
				t.Fatal(err)
			}
			alice.SendParts(frame, 30_000)
			f := alice.Answer(id)
			if try.code != "" {
				f.Is(t, `{"event":"error","id":%q,"code":%q,"message":"$any","requestId":"$any"}`, id, try.code)
				namesField(t, f, try.names)
				continue
			}
			if f.Event != "message" || f.Message != try.text {
				t.Errorf("%s: %q came back as %s", name, try.text, f.Raw)
			}
			bob.Seen("the text "+name, func(f testenv.Frame) bool { return f.ID == id && f.Message == try.text })
		}
		quiet(t, bob, "a text that was refused", func(f testenv.Frame) bool {
			return f.ID != "" && texts[strings.ReplaceAll(f.ID, "-", " ")].code != ""
		})
	})
}

// A connection of the laptop host may have 32 sends under way, and they keep their order.
func TestSendMessage_Pipeline(t *testing.T) {
	for _, store := range []string{"memstore", "sqlitestore"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, "direct", store, testenv.Options{})
			alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
			const pipeline = 32
			for round := range 4 {
				for i := range pipeline {
					n := round*pipeline + i + 1
					alice.Send(`{"action":"sendMessage","id":"m%d","message":"text %d"}`, n, n)
				}
				for i := range pipeline {
					n := round*pipeline + i + 1
					for _, c := range []*testenv.Client{alice, bob} {
						f := c.Event("message")
						if f.Seq != uint64(n) || f.ID != fmt.Sprintf("m%d", n) {
							t.Fatalf("%s got %s as number %d", c.User, f.Raw, n)
						}
					}
				}
			}
		})
	}
}
