package testenv_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

// leave closes a client, so that the system knows it.
func leave(t *testing.T, e *testenv.Env, c *testenv.Client, others int) {
	t.Helper()
	c.Close()
	awaitConnections(t, e, others)
}

// tell sends a direct message natively.
func tell(c *testenv.Client, to, text string) {
	c.Do(text, `{"action":"sendMessage","id":%q,"to":%q,"message":%q}`, text, to, text)
}

// TestDialects_Waiting is about direct messages to a directory user who is away: they come with the
// next connection, once.
func TestDialects_Waiting(t *testing.T) {
	testenv.Each(t, onceInOrder, func(t *testing.T, e *testenv.Env) {
		nina := e.Dial(t, "nina")
		alice := dialAs(t, e, directory, "alice")
		t.Run("comes once", func(t *testing.T) { waitingOnce(t, e, nina, alice) })
		t.Run("in order, many", func(t *testing.T) { waitingMany(t, e, nina) })
		t.Run("on one device", func(t *testing.T) { waitingDevices(t, e, nina) })
		t.Run("what was seen does not come", func(t *testing.T) { waitingSeen(t, e, nina) })
		t.Run("of the lounge", func(t *testing.T) { waitingLounge(t, e) })
		silent(t, alice)
	})
}

func waitingOnce(t *testing.T, e *testenv.Env, nina, alice *testenv.Client) {
	leave(t, e, dialAs(t, e, directory, "bob"), 2)
	tell(nina, "bob", "first")
	alice.Send(`{"action":"send","message":"second","send_to":"bob","sent_by":"alice"}`)
	tell(nina, "bob", "third")
	silent(t, alice) // it is stored
	bob := dialAs(t, e, directory, "bob")
	var got []string
	for range 3 {
		got = append(got, bob.Next().Raw)
	}
	want := []string{mail("nina", "first"), mail("alice", "second"), mail("nina", "third")}
	if slices.Index(got, want[0]) > slices.Index(got, want[2]) {
		t.Errorf("nina's messages come in the wrong order: %q", got)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("what waited is %q, want %q", got, want)
	}
	for n := range 3 { // what came does not come again
		text := fmt.Sprintf("live %d", n)
		tell(nina, "bob", text)
		gets(t, bob, mail("nina", text))
		silent(t, bob)
		leave(t, e, bob, 2)
		bob = dialAs(t, e, directory, "bob")
	}
	tell(nina, "bob", "after three connections")
	gets(t, bob, mail("nina", "after three connections"))
	silent(t, bob)
	leave(t, e, bob, 2)
}

func waitingMany(t *testing.T, e *testenv.Env, nina *testenv.Client) {
	leave(t, e, dialAs(t, e, directory, "bill"), 2)
	const many = 70 // more than a page
	for n := range many {
		tell(nina, "bill", fmt.Sprintf("bill %d", n))
	}
	bill := dialAs(t, e, directory, "bill")
	for n := range many {
		gets(t, bill, mail("nina", fmt.Sprintf("bill %d", n)))
	}
	silent(t, bill)
	leave(t, e, bill, 2)
}

// waitingDevices: the first device that comes gets what waited; both get what is said then.
func waitingDevices(t *testing.T, e *testenv.Env, nina *testenv.Client) {
	leave(t, e, dialAs(t, e, directory, "beth"), 2)
	tell(nina, "beth", "waits")
	laptop := dialAs(t, e, directory, "beth")
	gets(t, laptop, mail("nina", "waits"))
	silent(t, laptop)
	phone := dialAs(t, e, directory, "beth")
	tell(nina, "beth", "both")
	gets(t, laptop, mail("nina", "both"))
	gets(t, phone, mail("nina", "both"))
	silent(t, laptop, phone)
	leave(t, e, laptop, 3) // the other device does not go with it
	tell(nina, "beth", "one left")
	gets(t, phone, mail("nina", "one left"))
	silent(t, phone)
	leave(t, e, phone, 2)
}

// waitingSeen: what the user has read in another dialect, or has said, is not waiting.
func waitingSeen(t *testing.T, e *testenv.Env, nina *testenv.Client) {
	native := e.Dial(t, "barb")
	tell(nina, "barb", "to be read")
	f := native.Await("the message", func(f testenv.Frame) bool { return f.Message == "to be read" })
	tell(native, "nina", "my own words")
	native.Do("r1", `{"action":"read","id":"r1","room":%q,"seq":%d}`, f.Room, f.Seq)
	leave(t, e, native, 2)
	tell(nina, "barb", "not yet read")
	barb := dialAs(t, e, directory, "barb")
	gets(t, barb, mail("nina", "not yet read"))
	silent(t, barb)
	leave(t, e, barb, 2)
	native = e.Dial(t, "barb")
	tell(nina, "barb", "on a native device")
	native.Await("the message", func(f testenv.Frame) bool { return f.Message == "on a native device" })
	barb = dialAs(t, e, directory, "barb") // not read there: it waits for a device of the directory
	gets(t, barb, mail("nina", "on a native device"))
	silent(t, barb)
	native.Close()
	leave(t, e, barb, 2)
}

// waitingLounge: a private message of the lounge waits for a directory user too.
func waitingLounge(t *testing.T, e *testenv.Env) {
	leave(t, e, dialAs(t, e, directory, "bart"), 2)
	lena := enter(t, e, 0, "Lena")
	lena.Send(`{"action":"sendPrivate","to":"bart","message":"for later"}`)
	silent(t, lena)
	bart := dialAs(t, e, directory, "bart")
	gets(t, bart, mail("Lena", "for later"))
	silent(t, bart)
	bart.Close()
	leave(t, e, lena, 2)
}

// TestDialects_WaitingWhileWriting: a directory user comes while others write. What waited and what is
// said then come once and without a hole, each sender's in order. Where functions are processes of their
// own, a post may be made again whose answer the machine holds up: what came comes again then.
func TestDialects_WaitingWhileWriting(t *testing.T) {
	const senders, each = 4, 20
	testenv.Each(t, testenv.Options{DoubleOneIn: -1}, func(t *testing.T, e *testenv.Env) {
		inProcess := e.Host == "direct" || e.Host == "cold"
		leave(t, e, dialAs(t, e, directory, "dora"), 0)
		var wait sync.WaitGroup
		half := make(chan struct{}, senders)
		for s := range senders {
			c := e.Dial(t, fmt.Sprintf("sender%d", s))
			wait.Go(func() {
				for n := range each {
					text := fmt.Sprintf("%d-%d", s, n)
					if err := c.TrySend(fmt.Sprintf(`{"action":"sendMessage","id":%q,"to":"dora","message":%q}`, text, text)); err != nil {
						t.Error(err)
					}
					if _, err := c.TryAwait(time.Minute, func(f testenv.Frame) bool { return f.ID == text }); err != nil {
						t.Error(err)
					}
					if n == each/2 {
						half <- struct{}{}
					}
				}
			})
		}
		<-half
		dora := dialAs(t, e, directory, "dora")
		got := map[string]int{}
		next := make([]int, senders)
		for len(got) < senders*each {
			text, _ := dora.Next().Fields["message"].(string)
			var s, n int
			if _, err := fmt.Sscanf(text, "%d-%d", &s, &n); err != nil {
				t.Fatal(err)
			}
			if got[text]++; got[text] > 1 {
				if inProcess {
					t.Errorf("%s comes again", text)
				}
				continue
			}
			if n != next[s] {
				t.Errorf("%s comes where %d-%d should", text, s, next[s])
			}
			next[s] = n + 1
		}
		wait.Wait()
		for _, f := range dora.Rest() {
			if text, _ := f.Fields["message"].(string); inProcess || got[text] == 0 {
				t.Errorf("dora got %s", f.Raw)
			}
		}
	})
}

// TestDialects_Burst: a directory client that sends faster than it is handled. Everything comes once, on
// the laptop in order.
func TestDialects_Burst(t *testing.T) {
	testenv.Each(t, testenv.Options{DoubleOneIn: -1}, func(t *testing.T, e *testenv.Env) {
		alice, bob := dialAs(t, e, directory, "alice"), dialAs(t, e, directory, "bob")
		for burst := range 5 {
			var want, got []string
			for n := range 4 {
				text := fmt.Sprintf("%d-%d", burst, n)
				alice.Send(`{"action":"send","message":%q,"send_to":"bob","sent_by":"alice"}`, text)
				want = append(want, mail("alice", text))
			}
			for range want {
				got = append(got, bob.Next().Raw)
			}
			if e.Host != "direct" {
				slices.Sort(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("bob got %q, want %q", got, want)
			}
			silent(t, alice, bob)
		}
	})
}
