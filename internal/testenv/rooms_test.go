package testenv_test

import (
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestJoinRoom_Public(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, phone, bob := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob")
		made := alice.Do("j1", `{"action":"joinRoom","id":"j1","room":"tea"}`).
			Is(t, `{"event":"joined","id":"j1","room":"tea","seq":0,"epoch":"$any"}`)
		phone.Event("joined").Is(t, `{"event":"joined","room":"tea","seq":0,"epoch":%q}`, made.Epoch)

		alice.Say("tea", "m1", "hi")
		phone.Await("the message", message("tea", "hi")) // all connections of the user are subscribed
		later := e.Dial(t, "alice")
		alice.Say("tea", "m2", "again")
		later.Await("the message", message("tea", "again")) // those opened later too

		bob.Send(`{"action":"joinRoom","room":"TEA"}`) // the name in other case, and no id
		bob.Event("joined").Is(t, `{"event":"joined","room":"tea","seq":2,"epoch":%q}`, made.Epoch)
		bob.Do("j2", `{"action":"joinRoom","id":"j2","room":"tea"}`).
			Is(t, `{"event":"joined","id":"j2","room":"tea","seq":2,"epoch":%q}`, made.Epoch)
		bob.Do("j3", `{"action":"joinRoom","id":"j3","room":"lobby"}`).
			Is(t, `{"event":"joined","id":"j3","room":"lobby","seq":%d,"epoch":"$any"}`, lobby(t, e))
	})
}

func TestJoinRoom_Private(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, phone, carol := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "bob"), e.Dial(t, "carol")
		alice.Do("j1", `{"action":"joinRoom","id":"j1","room":"den","private":true}`).
			Is(t, `{"event":"joined","id":"j1","room":"den","seq":0,"epoch":"$any"}`)
		alice.Do("j2", `{"action":"joinRoom","id":"j2","room":"den","private":true}`).
			Is(t, `{"event":"joined","id":"j2","room":"den","seq":0,"epoch":"$any"}`)
		refused(t, bob, "taken", "j3", `{"action":"joinRoom","id":"j3","room":"den"}`)
		refused(t, bob, "taken", "j4", `{"action":"joinRoom","id":"j4","room":"den","private":true}`)

		alice.Do("i1", `{"action":"invite","id":"i1","room":"den","user":"bob"}`).
			Is(t, `{"event":"invited","id":"i1","room":"den","user":"bob","by":"alice"}`)
		for _, c := range []*testenv.Client{bob, phone} {
			c.Event("invited").Is(t, `{"event":"invited","room":"den","user":"bob","by":"alice"}`)
		}
		// An invitation is not membership.
		refused(t, bob, "not_found", "q1", `{"action":"history","id":"q1","room":"den"}`)
		refused(t, bob, "not_found", "m1", `{"action":"sendMessage","id":"m1","room":"den","message":"hi"}`)
		alice.Say("den", "m2", "before bob")
		bob.Do("j5", `{"action":"joinRoom","id":"j5","room":"den"}`).
			Is(t, `{"event":"joined","id":"j5","room":"den","seq":1,"epoch":"$any"}`)
		alice.Say("den", "m3", "welcome")
		bob.Await("the message", message("den", "welcome"))
		quiet(t, bob, "what was said before it joined", message("den", "before bob"))

		// Any member may invite; who is invited may decline.
		bob.Do("i2", `{"action":"invite","id":"i2","room":"den","user":"carol"}`).
			Is(t, `{"event":"invited","id":"i2","room":"den","user":"carol","by":"bob"}`)
		carol.Do("l1", `{"action":"leaveRoom","id":"l1","room":"den"}`).Is(t, `{"event":"left","id":"l1","room":"den"}`)
		refused(t, carol, "taken", "j6", `{"action":"joinRoom","id":"j6","room":"den"}`)

		// Who has left a private room needs an invitation again; its owner does not.
		bob.Do("l2", `{"action":"leaveRoom","id":"l2","room":"den"}`).Is(t, `{"event":"left","id":"l2","room":"den"}`)
		refused(t, bob, "taken", "j7", `{"action":"joinRoom","id":"j7","room":"den"}`)
		alice.Do("l3", `{"action":"leaveRoom","id":"l3","room":"den"}`).Is(t, `{"event":"left","id":"l3","room":"den"}`)
		alice.Do("j8", `{"action":"joinRoom","id":"j8","room":"den"}`).
			Is(t, `{"event":"joined","id":"j8","room":"den","seq":2,"epoch":"$any"}`)
	})
}

// Nothing but its name being taken is to be learned of a room that is not one's own.
func TestJoinRoom_OthersRooms(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, carol := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "carol")
		alice.Join("tea")
		refused(t, bob, "taken", "j1", `{"action":"joinRoom","id":"j1","room":"tea","private":true}`)
		direct := alice.Do("m1", `{"action":"sendMessage","id":"m1","to":"bob","message":"psst"}`).Room
		bob.Do("j2", `{"action":"joinRoom","id":"j2","room":%q}`, direct).
			Is(t, `{"event":"joined","id":"j2","room":%q,"seq":1,"epoch":"$any"}`, direct)
		refused(t, carol, "not_found", "j3", `{"action":"joinRoom","id":"j3","room":%q}`, direct)
		refused(t, carol, "not_found", "j4", `{"action":"joinRoom","id":"j4","room":"@dora,erin"}`)
		refused(t, carol, "not_found", "i1", `{"action":"invite","id":"i1","room":"tea","user":"bob"}`)
		refused(t, alice, "not_found", "i2", `{"action":"invite","id":"i2","room":"tea","user":"nobody"}`)
		refused(t, alice, "forbidden", "i3", `{"action":"invite","id":"i3","room":"lobby","user":"bob"}`)
		refused(t, alice, "forbidden", "i4", `{"action":"invite","id":"i4","room":%q,"user":"carol"}`, direct)
		for _, name := range []string{"", "a b", "-tea", "tea!", "te\u0430", "a/b"} {
			f := refused(t, alice, "bad_field", "j5", `{"action":"joinRoom","id":"j5","room":%q}`, name)
			namesField(t, f, "room")
		}
	})
}

func TestLeaveRoom(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, phone := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "bob")
		alice.Join("tea")
		bob.Join("tea")
		alice.Say("tea", "m1", "hi bob")
		phone.Await("the message", message("tea", "hi bob"))

		bob.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`).Is(t, `{"event":"left","id":"l1","room":"tea"}`)
		phone.Event("removed").Is(t, `{"event":"removed","room":"tea","reason":"$any"}`)
		alice.Say("tea", "m2", "bob is gone")
		for _, action := range []string{
			`{"action":"sendMessage","id":"x","room":"tea","message":"still here?"}`,
			`{"action":"sendMessage","id":"x","room":"tea","message":"hi"}`,
			`{"action":"history","id":"x","room":"tea"}`,
			`{"action":"members","id":"x","room":"tea"}`,
			`{"action":"read","id":"x","room":"tea","seq":1}`,
			`{"action":"typing","id":"x","room":"tea"}`,
			`{"action":"deleteMessage","id":"x","room":"tea","seq":1}`,
			`{"action":"invite","id":"x","room":"tea","user":"alice"}`,
			`{"action":"removeMember","id":"x","room":"tea","user":"alice"}`,
		} {
			refused(t, bob, "not_member", "x", "%s", action)
		}
		for _, c := range []*testenv.Client{bob, phone} {
			quiet(t, c, "a message after leaving", message("tea", "bob is gone"))
		}

		bob.Do("j1", `{"action":"joinRoom","id":"j1","room":"tea"}`).
			Is(t, `{"event":"joined","id":"j1","room":"tea","seq":2,"epoch":"$any"}`)
		alice.Say("tea", "m3", "bob is back")
		bob.Await("the message", message("tea", "bob is back"))
		phone.Await("the message", message("tea", "bob is back"))

		refused(t, bob, "not_found", "l2", `{"action":"leaveRoom","id":"l2","room":"no-such-room"}`)
		refused(t, bob, "forbidden", "l3", `{"action":"leaveRoom","id":"l3","room":"lobby"}`)
		direct := alice.Do("m4", `{"action":"sendMessage","id":"m4","to":"bob","message":"psst"}`).Room
		refused(t, bob, "forbidden", "l4", `{"action":"leaveRoom","id":"l4","room":%q}`, direct)
		bob.Send(`{"action":"leaveRoom","room":"tea"}`)
		bob.Event("left").Is(t, `{"event":"left","room":"tea"}`)
	})
}
