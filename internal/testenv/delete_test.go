package testenv_test

import (
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestDeleteMessage(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		owner, alice, laptop, bob := e.Dial(t, "owner"), e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob")
		stranger := e.Dial(t, "stranger")
		epoch := owner.Join("tea").Epoch
		for _, c := range []*testenv.Client{alice, bob} {
			c.Join("tea")
		}
		alice.Say("tea", "m1", "secret one")
		alice.Say("tea", "m2", "secret two")
		owner.Say("tea", "m3", "mine")

		// By its author: the other members and devices get it without id.
		alice.Do("d1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":1}`).Is(t,
			`{"event":"deleted","id":"d1","room":"tea","seq":1,"by":"alice"}`)
		for _, c := range []*testenv.Client{owner, laptop, bob} {
			c.Event("deleted").Is(t, `{"event":"deleted","room":"tea","seq":1,"by":"alice"}`)
		}
		// By the room's owner.
		owner.Do("d2", `{"action":"deleteMessage","id":"d2","room":"tea","seq":2}`).Is(t,
			`{"event":"deleted","id":"d2","room":"tea","seq":2,"by":"owner"}`)
		alice.Event("deleted").Is(t, `{"event":"deleted","room":"tea","seq":2,"by":"owner"}`)
		// By nobody else.
		refused(t, bob, "forbidden", "d3", `{"action":"deleteMessage","id":"d3","room":"tea","seq":3}`)
		refused(t, alice, "forbidden", "d4", `{"action":"deleteMessage","id":"d4","room":"tea","seq":3}`)
		refused(t, stranger, "not_found", "d5", `{"action":"deleteMessage","id":"d5","room":"tea","seq":3}`)
		refused(t, owner, "not_found", "d6", `{"action":"deleteMessage","id":"d6","room":"tea","seq":4}`)
		refused(t, owner, "not_found", "d7", `{"action":"deleteMessage","id":"d7","room":"tea","seq":0}`)
		// Again is the same, also without id.
		alice.Send(`{"action":"deleteMessage","room":"tea","seq":1}`)
		alice.Event("deleted").Is(t, `{"event":"deleted","room":"tea","seq":1,"by":"alice"}`)

		page := bob.Do("q1", `{"action":"history","id":"q1","room":"tea"}`).Is(t,
			`{"event":"history","id":"q1","room":"tea","messages":[{"seq":1,"deleted":true},{"seq":2,"deleted":true},`+
				`{"room":"tea","seq":3,"epoch":%q,"id":"m3","from":"owner","message":"mine","at":"$at"}],"more":false,"seq":3,"epoch":%q}`,
			epoch, epoch)
		if strings.Contains(page.Raw, "secret") {
			t.Errorf("the text is still there: %s", page.Raw)
		}
		// The number stays: the next message gets the next one, and the id is still remembered.
		if f := alice.Say("tea", "m4", "next"); f.Seq != 4 {
			t.Errorf("the next message is %s, want number 4", f.Raw)
		}
		refused(t, alice, "id_reused", "m1", `{"action":"sendMessage","id":"m1","room":"tea","message":"other"}`)

		// Nobody owns the lobby or a direct room.
		bob.Say("lobby", "m5", "in the lobby")
		refused(t, alice, "forbidden", "d8", `{"action":"deleteMessage","id":"d8","room":"lobby","seq":1}`)
		room := bob.Do("m6", `{"action":"sendMessage","id":"m6","to":"alice","message":"psst"}`).Room
		refused(t, alice, "forbidden", "d9", `{"action":"deleteMessage","id":"d9","room":%q,"seq":1}`, room)
		bob.Do("d10", `{"action":"deleteMessage","id":"d10","room":%q,"seq":1}`, room).Is(t,
			`{"event":"deleted","id":"d10","room":%q,"seq":1,"by":"bob"}`, room)
		alice.Await("the direct message's end", event("deleted", room))
		quiet(t, stranger, "a deletion in a room it is not in", func(f testenv.Frame) bool { return f.Event == "deleted" })
	})
}
