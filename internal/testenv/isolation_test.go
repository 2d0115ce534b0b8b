package testenv_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// requestIDs differ in every answer.
var requestIDs = regexp.MustCompile(`"requestId":"[^"]+"`)

// A room that does not exist and one that is not yours are the same answer, in every action.
func TestIsolation_SameAnswer(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, stranger := e.Dial(t, "alice"), e.Dial(t, "stranger")
		alice.Do("j1", `{"action":"joinRoom","id":"j1","room":"den1","private":true}`)
		alice.Join("pub1")
		fill(alice, "den1", 3)
		fill(alice, "pub1", 3)
		direct := alice.Do("m1", `{"action":"sendMessage","id":"m1","to":"alice","message":"note"}`).Room
		for _, action := range []string{
			`{"action":"leaveRoom","id":"x","room":%q}`,
			`{"action":"invite","id":"x","room":%q,"user":"stranger"}`,
			`{"action":"invite","id":"x","room":%q,"user":"nobody"}`,
			`{"action":"removeMember","id":"x","room":%q,"user":"alice"}`,
			`{"action":"removeMember","id":"x","room":%q,"user":"nobody"}`,
			`{"action":"sendMessage","id":"x","room":%q,"message":"hi"}`,
			`{"action":"sendMessage","id":"fill-1-1","room":%q,"message":"text 1"}`,
			`{"action":"deleteMessage","id":"x","room":%q,"seq":1}`,
			`{"action":"deleteMessage","id":"x","room":%q,"seq":99}`,
			`{"action":"history","id":"x","room":%q}`,
			`{"action":"history","id":"x","room":%q,"after":1,"limit":1}`,
			`{"action":"read","id":"x","room":%q,"seq":1}`,
			`{"action":"members","id":"x","room":%q}`,
			`{"action":"typing","id":"x","room":%q}`,
		} {
			answer := func(room string) string {
				stranger.Send(action, room)
				f := stranger.Event("error")
				return strings.ReplaceAll(requestIDs.ReplaceAllString(f.Raw, ""), room, "ROOM")
			}
			none := answer("none")
			if !strings.Contains(none, `"code":"not_found"`) {
				t.Errorf("%s in no room: %s", action, none)
			}
			for _, room := range []string{"den1", "pub1", direct} {
				if got := answer(room); got != none {
					t.Errorf("%s in somebody's room: %s, in no room: %s", action, got, none)
				}
			}
		}
		// The one thing that is to be learned of a private room is that its name is taken, in the
		// words that a public one has.
		taken := func(room string) string {
			f := refused(t, stranger, "taken", "x", `{"action":"joinRoom","id":"x","room":%q,"private":true}`, room)
			return strings.ReplaceAll(requestIDs.ReplaceAllString(f.Raw, ""), room, "ROOM")
		}
		if den, pub := taken("den1"), taken("pub1"); den != pub {
			t.Errorf("a private room is refused as %s, a public one as %s", den, pub)
		}
	})
}

// A stranger hears nothing of what goes on in a room, and one who has left nothing more.
func TestIsolation_NothingIsHeard(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob, stranger, former := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "stranger"), e.Dial(t, "former")
		alice.Do("j1", `{"action":"joinRoom","id":"j1","room":"den","private":true}`)
		for _, c := range []*testenv.Client{bob, former} {
			alice.Do("i-"+c.User, `{"action":"invite","id":"i-%s","room":"den","user":%q}`, c.User, c.User)
			c.Join("den")
		}
		alice.Seen("the coming of all", presence("den", "former", ""))
		former.Do("l1", `{"action":"leaveRoom","id":"l1","room":"den"}`)
		alice.Seen("the leaving", presence("den", "", "former"))
		former.Sync()
		before := len(former.All())

		alice.Say("den", "m1", "a secret")
		alice.Do("d1", `{"action":"deleteMessage","id":"d1","room":"den","seq":1}`)
		alice.Send(`{"action":"typing","room":"den"}`)
		bob.Event("typing")
		bob.Do("r1", `{"action":"read","id":"r1","room":"den","seq":1}`)
		at := alice.Count(presence("den", "", "bob"))
		bob.Close()
		alice.Await("bob's going", presence("den", "", "bob"))
		if at != 0 {
			t.Errorf("bob was offline %d times before", at)
		}
		for _, c := range []*testenv.Client{stranger, former} {
			c.Do("h1", `{"action":"hello","id":"h1","resume":{"den":{"epoch":"x","seq":0}}}`)
			c.Do("p1", `{"action":"ping","id":"p1"}`)
			c.Do("r1", `{"action":"rooms","id":"r1"}`)
			c.Do("u1", `{"action":"users","id":"u1"}`)
			c.Sync()
			heard := c.All()
			if c == former {
				heard = heard[before:]
			}
			for _, f := range heard {
				if strings.Contains(f.Raw, `"den"`) {
					t.Errorf("%s got %s", c.User, f.Raw)
				}
			}
		}
	})
}

// While others write, each of several users leaves: none gets a message that was sent after its
// leaving was answered.
func TestIsolation_LeavingWhileOthersWrite(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		const leavers = 5
		alice := e.Dial(t, "alice")
		alice.Join("tea")
		devices := make([][2]*testenv.Client, leavers)
		for i := range devices {
			user := fmt.Sprintf("leaver%d", i)
			devices[i] = [2]*testenv.Client{e.Dial(t, user), e.Dial(t, user)}
			devices[i][0].Join("tea")
		}
		done := make(chan struct{})
		var wait sync.WaitGroup
		for w := range 3 {
			c := e.Dial(t, fmt.Sprintf("writer%d", w))
			c.Join("tea")
			wait.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					default:
					}
					if err := say(c, "tea", fmt.Sprintf("w%d-%d", w, i), "noise"); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		after := make([]uint64, leavers)
		for i := range devices {
			devices[i][0].Seen("some noise", message("tea", "noise"))
			devices[i][0].Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
			after[i] = alice.Say("tea", fmt.Sprintf("after-%d", i), "after").Seq
		}
		close(done)
		wait.Wait()
		for i := range devices {
			for _, c := range devices[i] {
				quiet(t, c, "a message after leaving", func(f testenv.Frame) bool {
					return f.Event == "message" && f.Seq >= after[i]
				})
			}
		}
	})
}

// forgetful is a store of connections with a fault: subscriptions never end.
type forgetful struct{ chat.Connections }

func (forgetful) Unsubscribe(context.Context, string, string) error { return nil }

// Also while the subscriptions of one who has left are still there, it gets nothing.
func TestIsolation_SubscriptionsLeft(t *testing.T) {
	options := once
	options.WrapConnections = func(c chat.Connections) chat.Connections { return forgetful{c} }
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		alice, bob, carol := e.Dial(t, "alice"), e.Dial(t, "bob"), e.Dial(t, "carol")
		for _, c := range []*testenv.Client{alice, bob, carol} {
			c.Join("tea")
		}
		bob.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		for i := range 3 {
			text := fmt.Sprintf("bob is gone %d", i)
			alice.Say("tea", fmt.Sprintf("m%d", i), text)
			carol.Await("the message", message("tea", text))
		}
		quiet(t, bob, "a message after leaving", event("message", "tea"))
		alice.Do("l2", `{"action":"members","id":"l2","room":"tea"}`).Is(t,
			`{"event":"members","id":"l2","room":"tea","members":[{"user":"alice","online":true},{"user":"carol","online":true}],"more":false}`)
		bob.Join("tea")
		alice.Say("tea", "m9", "bob is back")
		bob.Await("the message", message("tea", "bob is back"))
	})
}
