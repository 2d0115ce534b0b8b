package testenv_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestPing(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		head := fmt.Sprintf(`{"room":"lobby","seq":%d,"epoch":"$any"}`, lobby(t, e))
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		alice.Send(`{"action":"ping"}`)
		alice.Event("pong").Is(t, `{"event":"pong","rooms":[%s]}`, head)
		epoch := alice.Join("tea").Epoch
		bob.Join("coffee")
		bob.Join("tea")
		alice.Say("tea", "m1", "hi")
		direct := bob.Do("m2", `{"action":"sendMessage","id":"m2","to":"alice","message":"psst"}`)
		alice.Do("p1", `{"action":"ping","id":"p1"}`).Is(t,
			`{"event":"pong","id":"p1","rooms":[{"room":%q,"seq":1,"epoch":%q},%s,{"room":"tea","seq":1,"epoch":%q}]}`,
			direct.Room, direct.Epoch, head, epoch)
		alice.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		alice.Do("p2", `{"action":"ping","id":"p2"}`).Is(t,
			`{"event":"pong","id":"p2","rooms":[{"room":%q,"seq":1,"epoch":%q},%s]}`,
			direct.Room, direct.Epoch, head)
	})
}

func TestRooms(t *testing.T) {
	testenv.Each(t, alone, func(t *testing.T, e *testenv.Env) {
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		tea := alice.Join("tea")
		bob.Join("Coffee")
		bob.Do("j1", `{"action":"joinRoom","id":"j1","room":"den","private":true}`)
		bob.Do("j2", `{"action":"joinRoom","id":"j2","room":"hidden","private":true}`)
		bob.Do("i1", `{"action":"invite","id":"i1","room":"den","user":"alice"}`)
		bob.Join("left")
		alice.Join("left")
		alice.Do("l1", `{"action":"leaveRoom","id":"l1","room":"left"}`)
		alice.Say("tea", "m1", "hi")
		rows := []string{
			`{"room":"Coffee"}`,
			`{"room":"den","invited":true,"by":"bob"}`,
			`{"room":"left"}`,
			`{"room":"lobby","seq":0,"epoch":"$any"}`,
			fmt.Sprintf(`{"room":"tea","seq":1,"epoch":%q}`, tea.Epoch),
		}
		alice.Do("r1", `{"action":"rooms","id":"r1"}`).Is(t,
			`{"event":"rooms","id":"r1","rooms":[%s],"more":false}`, strings.Join(rows, ","))
		for limit := 1; limit <= len(rows); limit++ {
			after := ""
			for at := 0; at < len(rows); at += limit {
				end := min(at+limit, len(rows))
				f := alice.Do("r", `{"action":"rooms","id":"r","after":%q,"limit":%d}`, after, limit).Is(t,
					`{"event":"rooms","id":"r","rooms":[%s],"more":%t}`, strings.Join(rows[at:end], ","), end < len(rows))
				list := f.Fields["rooms"].([]any)
				after = list[len(list)-1].(map[string]any)["room"].(string)
			}
		}
		alice.Send(`{"action":"rooms","after":"tea"}`)
		alice.Event("rooms").Is(t, `{"event":"rooms","rooms":[],"more":false}`)
		namesField(t, refused(t, alice, "bad_field", "r2", `{"action":"rooms","id":"r2","limit":201}`), "limit")
	})
}

func TestMembers(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		var all []string
		clients := map[string]*testenv.Client{}
		for _, name := range []string{"alice", "bob", "carol", "dora", "erin"} {
			c := e.Dial(t, name)
			c.Join("tea")
			clients[name] = c
			all = append(all, fmt.Sprintf(`{"user":%q,"online":true}`, name))
		}
		guest, alice := e.Dial(t, "guest"), clients["alice"]
		members := func(ask string, rows []string, more bool) {
			t.Helper()
			alice.Do("l1", `{"action":"members","id":"l1","room":"tea"%s}`, ask).Is(t,
				`{"event":"members","id":"l1","room":"tea","members":[%s],"more":%t}`, strings.Join(rows, ","), more)
		}
		members(``, all, false)
		members(`,"limit":2`, all[:2], true)
		members(`,"after":"bob","limit":2`, all[2:4], true)
		members(`,"after":"dora","limit":2`, all[4:], false)
		members(`,"after":"erin"`, nil, false)
		alice.Send(`{"action":"members","room":"tea","limit":1}`)
		alice.Event("members").Is(t, `{"event":"members","room":"tea","members":[%s],"more":true}`, all[0])
		clients["bob"].Do("l2", `{"action":"leaveRoom","id":"l2","room":"tea"}`)
		members(`,"limit":2`, []string{all[0], all[2]}, true)
		refused(t, guest, "not_found", "l3", `{"action":"members","id":"l3","room":"tea"}`)
		refused(t, guest, "not_found", "l4", `{"action":"members","id":"l4","room":"nowhere"}`)

		second := e.Dial(t, "carol")
		clients["carol"].Close()
		alice.Sync()
		members(`,"after":"alice","limit":1`, []string{`{"user":"carol","online":true}`}, true) // two devices count as two
		second.Close()
		offline(t, alice, `{"action":"members","id":%q,"room":"tea"}`, "carol")
	})
}

// The lobby's members are all users.
func TestMembers_Lobby(t *testing.T) {
	testenv.Each(t, alone, func(t *testing.T, e *testenv.Env) {
		alice, carol := e.Dial(t, "alice"), e.Dial(t, "carol")
		e.Dial(t, "bob")
		e.Dial(t, "dora").Join("tea")
		carol.Close()
		offline(t, alice, `{"action":"members","id":%q,"room":"lobby"}`, "carol")
		alice.Do("l1", `{"action":"members","id":"l1","room":"lobby","after":"alice"}`).Is(t,
			`{"event":"members","id":"l1","room":"lobby","members":[{"user":"bob","online":true},`+
				`{"user":"carol","online":false},{"user":"dora","online":true}],"more":false}`)
	})
}

func TestUsers(t *testing.T) {
	testenv.Each(t, alone, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		bob, carol := e.Dial(t, "Bob"), e.Dial(t, "carol")
		alice.Do("u1", `{"action":"users","id":"u1"}`).Is(t, `{"event":"users","id":"u1","users":[`+
			`{"user":"Bob","online":true},{"user":"alice","online":true},{"user":"carol","online":true}],"more":false}`)
		alice.Do("u2", `{"action":"users","id":"u2","limit":2}`).Is(t, `{"event":"users","id":"u2","users":[`+
			`{"user":"Bob","online":true},{"user":"alice","online":true}],"more":true}`)
		alice.Send(`{"action":"users","after":"alice"}`)
		alice.Event("users").Is(t, `{"event":"users","users":[{"user":"carol","online":true}],"more":false}`)
		carol.Close()
		offline(t, alice, `{"action":"users","id":%q}`, "carol")
		bob.Kill() // the end of TCP is seen at once, too
		offline(t, alice, `{"action":"users","id":%q}`, "Bob")
	})
}

// offline awaits that a list shows a user as not online, soon after a clean close: what else would
// show it is a lease, which takes 250 s.
func offline(t *testing.T, c *testenv.Client, ask, user string) {
	t.Helper()
	gone := fmt.Sprintf(`{"user":%q,"online":false}`, user)
	for i, deadline := 0, time.Now().Add(time.Minute); ; i++ {
		id := fmt.Sprintf("off-%s-%d", user, i)
		f := c.Do(id, ask, id)
		if strings.Contains(f.Raw, gone) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still online: %s", user, f.Raw)
		}
	}
}
