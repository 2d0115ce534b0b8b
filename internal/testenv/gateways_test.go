package testenv_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// Two gateways on one store are one chat.
func TestTwoGateways(t *testing.T) {
	options := once
	options.Gateways = 2
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		dial := func(gateway int, user string) *testenv.Client {
			return testenv.DialURL(t, e.URL(gateway, user), user)
		}
		alice, bob, phone, carol := dial(0, "alice"), dial(1, "bob"), dial(0, "bob"), dial(1, "carol")
		clients := []*testenv.Client{alice, bob, phone, carol}
		epoch := alice.Join("tea").Epoch
		bob.Join("tea")
		phone.Event("joined").Is(t, `{"event":"joined","room":"tea","seq":0,"epoch":%q}`, epoch)

		ids := map[string]bool{}
		for i, c := range clients {
			id, _ := c.Do("c1", `{"action":"getConnectionId","id":"c1"}`).Fields["connectionId"].(string)
			if ids[id] {
				t.Errorf("two connections have the id %s", id)
			}
			ids[id] = true
			row, err := e.Connections.Get(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			gateway := []int{0, 1, 0, 1}[i]
			if want := "http" + strings.TrimPrefix(e.URLs[gateway], "ws"); row.Endpoint != want {
				t.Errorf("the row of %s has the endpoint %q, want %q", c.User, row.Endpoint, want)
			}
		}
		said := alice.Say("tea", "m1", "hi")
		for _, c := range []*testenv.Client{bob, phone} {
			c.Await("the message", func(f testenv.Frame) bool { return f.Raw == said.Raw })
		}
		bob.Say("tea", "m2", "hi back")
		alice.Await("the answer", message("tea", "hi back"))
		carol.Say("lobby", "m3", "all")
		for _, c := range clients {
			c.Seen("the lobby's message", message("lobby", "all"))
		}
		direct := alice.Do("m4", `{"action":"sendMessage","id":"m4","to":"bob","message":"psst"}`)
		for _, c := range []*testenv.Client{bob, phone} {
			c.Await("the direct message", func(f testenv.Frame) bool { return f.Raw == direct.Raw })
		}
		alice.Do("d1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":1}`)
		for _, c := range []*testenv.Client{bob, phone} {
			c.Event("deleted").Is(t, `{"event":"deleted","room":"tea","seq":1,"by":"alice"}`)
		}
		bob.Do("r1", `{"action":"read","id":"r1","room":"tea","seq":2}`)
		phone.Event("read").Is(t, `{"event":"read","room":"tea","seq":2}`)
		bob.Send(`{"action":"typing","room":"tea"}`)
		alice.Event("typing").Is(t, `{"event":"typing","room":"tea","user":"bob"}`)
		for id := range ids {
			alice.Do("s"+id, `{"action":"sendDirect","id":%q,"connectionId":%q,"operationType":"x","message":1}`, "s"+id, id).
				Is(t, `{"event":"sent","id":%q}`, "s"+id)
		}
		for _, c := range clients {
			c.Seen("the payload", func(f testenv.Frame) bool { return f.Event == "direct" }).Is(t, `{"event":"direct","from":"alice","operationType":"x","message":1}`)
		}
		// The same id through another gateway is the same message.
		phone.Do("m2", `{"action":"sendMessage","id":"m2","room":"tea","message":"hi back"}`)
		phone.Seen("its duplicate", func(f testenv.Frame) bool { return f.Duplicate && f.Seq == 2 })
		bob.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`)
		phone.Event("removed").Is(t, `{"event":"removed","room":"tea","reason":"$any"}`)
		alice.Say("tea", "m5", "alone")
		quiet(t, phone, "a message after leaving", message("tea", "alone"))
		quiet(t, carol, "a message of a room it is not in", event("message", "tea"))

		phone.Close() // the other device is still there, on the other gateway
		alice.Do("u1", `{"action":"users","id":"u1"}`).Is(t, `{"event":"users","id":"u1","users":[`+
			`{"user":"alice","online":true},{"user":"bob","online":true},{"user":"carol","online":true}],"more":false}`)
		bob.Close()
		offline(t, alice, `{"action":"users","id":%q}`, "bob")
	})
}

// Writers on both gateways: dense numbers, and nobody misses anything.
func TestTwoGateways_Writers(t *testing.T) {
	testenv.Each(t, testenv.Options{Gateways: 2}, func(t *testing.T, e *testenv.Env) {
		const writers, each = 8, 8
		clients := make([]*testenv.Client, writers)
		for i := range clients {
			user := fmt.Sprintf("writer%d", i)
			clients[i] = testenv.DialURL(t, e.URL(i%2, user), user)
			clients[i].Join("tea")
		}
		var wait sync.WaitGroup
		for w, c := range clients {
			wait.Go(func() {
				for i := range each {
					if err := say(c, "tea", fmt.Sprintf("w%d-%d", w, i), "x"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		settle(clients)
		stored := log(t, clients[0], "tea", 0)
		checkSenders(t, stored)
		for _, c := range clients {
			shown, _, err := c.View("tea", 0)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, shown, stored)
		}
	})
}
