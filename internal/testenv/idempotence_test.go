package testenv_test

import (
	"fmt"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestSendMessage_Again(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, laptop, bob := e.Dial(t, "alice"), e.Dial(t, "alice"), e.Dial(t, "bob")
		epoch := alice.Join("tea").Epoch
		bob.Join("tea")
		first := alice.Say("tea", "m1", "hi")
		if first.Duplicate {
			t.Fatalf("the first one is marked as a duplicate: %s", first.Raw)
		}
		alice.Say("tea", "m2", "between")
		again := fmt.Sprintf(`{"event":"message","room":"tea","seq":1,"epoch":%q,"id":"m1","from":"alice",`+
			`"message":"hi","at":%q,"duplicate":true}`, epoch, first.Fields["at"])
		send := `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`
		alice.Do("m1", "%s", send).Is(t, "%s", again)
		// From another device of the user too.
		laptop.Await("the first copy", message("tea", "hi"))
		laptop.Await("the message between", message("tea", "between"))
		laptop.Do("m1", "%s", send).Is(t, "%s", again)

		refused(t, alice, "id_reused", "m1", `{"action":"sendMessage","id":"m1","room":"tea","message":"other"}`)
		// The same id is free in another room and for another user.
		bob.Send(`{"action":"sendMessage","id":"m1","room":"tea","message":"mine"}`)
		alice.Send(`{"action":"sendMessage","id":"m1","room":"lobby","message":"other"}`)
		bob.Await("its own message", message("tea", "mine"))
		alice.Await("the lobby's message", message("lobby", "other"))

		// The repetitions told nobody but their own connections.
		for c, want := range map[*testenv.Client]int{alice: 1, laptop: 1, bob: 0} {
			c.Sync()
			if n := c.Count(func(f testenv.Frame) bool { return f.Duplicate }); n != want {
				t.Errorf("%s got %d duplicates, want %d", c.User, n, want)
			}
		}
		if page := bob.Do("q1", `{"action":"history","id":"q1","room":"tea"}`); len(page.Fields["messages"].([]any)) != 3 {
			t.Errorf("stored were %s, want 3 messages", page.Raw)
		}
	})
}

// The same id from several connections at once is stored once.
func TestSendMessage_AgainAtOnce(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		devices := make([]*testenv.Client, 10)
		for i := range devices {
			devices[i] = e.Dial(t, "alice")
		}
		for round := range 5 {
			id := fmt.Sprintf("m%d", round)
			for _, c := range devices {
				c.Send(`{"action":"sendMessage","id":%q,"message":"hi %d"}`, id, round)
			}
			seq := devices[0].Answer(id).Seq
			for _, c := range devices[1:] {
				if f := c.Answer(id); f.Event != "message" || f.Seq != seq {
					t.Errorf("answer %s, another device got number %d", f.Raw, seq)
				}
			}
		}
		texts := map[string]int{}
		for _, m := range log(t, devices[0], "lobby", before) {
			if !m.Void {
				texts[m.Message]++
			}
		}
		for round := range 5 {
			if n := texts[fmt.Sprintf("hi %d", round)]; n != 1 {
				t.Errorf("round %d is stored %d times", round, n)
			}
		}
	})
}

// Every event comes twice, as Lambda may have it: nothing happens twice.
func TestDoubledEvents(t *testing.T) {
	for _, store := range []string{"memstore", "dynamostore"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, "cold", store, testenv.Options{DoubleOneIn: 1})
			alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
			alice.Join("tea")
			bob.Join("tea")
			for i := range 10 {
				alice.Send(`{"action":"sendMessage","room":"tea","message":"no id %d"}`, i)
				alice.Await("the acknowledgement", message("tea", fmt.Sprintf("no id %d", i)))
				alice.Say("tea", fmt.Sprintf("m%d", i), fmt.Sprintf("with id %d", i))
			}
			texts := map[string]int{}
			numbers := uint64(0)
			for _, m := range log(t, bob, "tea", 0) {
				if numbers++; m.Seq != numbers {
					t.Fatalf("number %d after %d", m.Seq, numbers-1)
				}
				if !m.Void {
					texts[m.Message]++
				}
			}
			for i := range 10 {
				for _, text := range []string{fmt.Sprintf("no id %d", i), fmt.Sprintf("with id %d", i)} {
					if texts[text] != 1 {
						t.Errorf("%q is stored %d times", text, texts[text])
					}
				}
			}
			head := alice.Do("d0", `{"action":"history","id":"d0","room":"tea"}`).Seq
			alice.Do("d1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":%d}`, lastOf(t, bob, "tea").Seq)
			bob.Do("l1", `{"action":"leaveRoom","id":"l1","room":"tea"}`).Is(t, `{"event":"left","id":"l1","room":"tea"}`)
			alice.Do("l2", `{"action":"members","id":"l2","room":"tea"}`).Is(t,
				`{"event":"members","id":"l2","room":"tea","members":[{"user":"alice","online":true}],"more":false}`)
			if f := alice.Do("d2", `{"action":"history","id":"d2","room":"tea"}`); f.Seq != head {
				t.Errorf("deleting and leaving made messages: head %d, before %d", f.Seq, head)
			}
		})
	}
}

// log reads a room from after on to its head, page by page.
func log(t *testing.T, c *testenv.Client, room string, after uint64) []testenv.Frame {
	t.Helper()
	all, err := c.Fetch(room, after)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lastOf gives the last message of a room that has a text.
func lastOf(t *testing.T, c *testenv.Client, room string) (last testenv.Frame) {
	t.Helper()
	for _, m := range log(t, c, room, 0) {
		if m.Message != "" {
			last = m
		}
	}
	return last
}
