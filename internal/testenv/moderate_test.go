package testenv_test

import (
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// TestRemoveMember removes people from rooms: by who made the room, and by nobody else.
func TestRemoveMember(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		owner, bob, phone, carol := e.Dial(t, "owner"), e.Dial(t, "bob"), e.Dial(t, "bob"), e.Dial(t, "carol")
		stranger := e.Dial(t, "stranger")
		owner.Do("j1", `{"action":"joinRoom","id":"j1","room":"Den","private":true}`)
		for _, c := range []*testenv.Client{bob, carol} {
			owner.Do("i1", `{"action":"invite","id":"i1","room":"den","user":%q}`, c.User)
			c.Do("j1", `{"action":"joinRoom","id":"j1","room":"den"}`)
		}
		bob.Say("den", "m1", "I am in")

		refused(t, carol, "forbidden", "e1", `{"action":"removeMember","id":"e1","room":"den","user":"bob"}`)
		refused(t, carol, "forbidden", "e2", `{"action":"removeMember","id":"e2","room":"den","user":"owner"}`)
		refused(t, stranger, "not_found", "e3", `{"action":"removeMember","id":"e3","room":"den","user":"bob"}`)
		refused(t, owner, "not_found", "e4", `{"action":"removeMember","id":"e4","room":"den","user":"stranger"}`)
		refused(t, owner, "not_found", "e5", `{"action":"removeMember","id":"e5","room":"den","user":"nobody"}`)
		refused(t, owner, "bad_field", "e6", `{"action":"removeMember","id":"e6","room":"den","user":"OWNER"}`)
		refused(t, owner, "forbidden", "e7", `{"action":"removeMember","id":"e7","room":"lobby","user":"bob"}`)

		owner.Do("e8", `{"action":"removeMember","id":"e8","room":"den","user":"BOB"}`).
			Is(t, `{"event":"memberRemoved","id":"e8","room":"Den","user":"bob"}`)
		for _, c := range []*testenv.Client{bob, phone} {
			c.Event("removed").Is(t, `{"event":"removed","room":"Den","reason":"removed by owner"}`)
		}
		owner.Say("den", "m2", "bob is gone")
		carol.Await("the message", message("Den", "bob is gone"))
		for _, c := range []*testenv.Client{bob, phone} {
			quiet(t, c, "a message after the removal", message("Den", "bob is gone"))
		}
		refused(t, bob, "not_member", "x", `{"action":"sendMessage","id":"x","room":"den","message":"hi"}`)
		refused(t, bob, "taken", "x", `{"action":"joinRoom","id":"x","room":"den"}`)
		refused(t, owner, "not_found", "e9", `{"action":"removeMember","id":"e9","room":"den","user":"bob"}`)

		// An invitation is taken back too.
		owner.Do("i2", `{"action":"invite","id":"i2","room":"den","user":"stranger"}`)
		owner.Do("e10", `{"action":"removeMember","id":"e10","room":"den","user":"stranger"}`)
		refused(t, stranger, "taken", "x", `{"action":"joinRoom","id":"x","room":"den"}`)
	})
}
