package testenv_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// preload stores n messages in a room, straight into the log, and gives each number's text.
func preload(t *testing.T, e *testenv.Env, room, user string, n int) map[uint64]string {
	t.Helper()
	const writers = 50
	texts := make(map[uint64]string, n)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := w; i < n; i += writers {
				d := chat.Draft{Room: e.Name(room), From: e.Name(user), ID: fmt.Sprintf("pre-%d", i), Text: fmt.Sprintf("text %d", i), At: time.Now()}
				m, err := e.Log.Append(context.Background(), d, func(chat.Head, chat.Message) {})
				if err != nil {
					t.Errorf("preload: %v", err)
					return
				}
				mu.Lock()
				texts[m.Seq] = d.Text
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return texts
}

// resume says hello with a cursor and gives what came until resumed, in the order in which it came.
func resume(t *testing.T, c *testenv.Client, room, epoch string, seq uint64) (missed []testenv.Frame, resumed testenv.Frame) {
	t.Helper()
	c.Send(`{"action":"hello","id":"h1","resume":{%q:{"epoch":%q,"seq":%d}}}`, room, epoch, seq)
	c.Event("welcome") // first of all
	for {
		f := c.Await("a missed message or resumed", func(f testenv.Frame) bool {
			return f.Room == room && (f.Event == "message" || f.Event == "resumed" || f.Event == "reset")
		})
		if f.Event != "message" {
			return missed, f
		}
		missed = append(missed, f)
	}
}

func TestResume(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		epoch := alice.Join("tea").Epoch
		gaps := []uint64{0, 1, 100, 101, 1000, 5000}
		if e.Store == "dynamostore" { // whose resumes end at 100, and which takes a second for 500
			gaps = gaps[:5]
		}
		texts := preload(t, e, "tea", "alice", int(gaps[len(gaps)-1]))
		head := alice.Do("q", `{"action":"history","id":"q","room":"tea","limit":1}`).Seq
		for _, missing := range gaps {
			c := e.Dial(t, "alice")
			at := head - missing
			missed, resumed := resume(t, c, "tea", epoch, at)
			if want := min(missing, uint64(e.ResumeMax)); uint64(len(missed)) != want {
				t.Fatalf("%d missing: %d came, want %d", missing, len(missed), want)
			}
			resumed.Is(t, `{"event":"resumed","id":"h1","room":"tea","seq":%d,"more":%t}`,
				at+uint64(len(missed)), missing > uint64(e.ResumeMax))
			if resumed.More {
				missed = append(missed, log(t, c, "tea", resumed.Seq)...)
			}
			if uint64(len(missed)) != missing {
				t.Fatalf("%d missing: %d in all", missing, len(missed))
			}
			for _, f := range missed {
				if at++; f.Seq != at || f.Message != texts[at] || f.Epoch != epoch && !f.Void {
					t.Fatalf("%d missing: number %d is %s, stored was %q", missing, at, f.Raw, texts[at])
				}
			}
			c.Close()
		}
	})
}

func TestResume_Refused(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		tea, left := alice.Join("tea"), alice.Join("left")
		secret := bob.Join("secret")
		fill(alice, "tea", 3)
		fill(alice, "left", 3)
		alice.Do("l1", `{"action":"leaveRoom","id":"l1","room":"left"}`)

		c := e.Dial(t, "alice")
		c.Send(`{"action":"hello","id":"h1","resume":{"tea":{"epoch":"foreign","seq":1},"left":{"epoch":%q,"seq":1},`+
			`"secret":{"epoch":%q,"seq":0},"nowhere":{"epoch":"x","seq":1},"not a room":{"epoch":"x","seq":1}}}`,
			left.Epoch, secret.Epoch)
		reset := c.Event("reset")
		reset.Is(t, `{"event":"reset","id":"h1","room":"tea","epoch":%q,"firstSeq":1,"reason":"$any"}`, tea.Epoch)
		c.Send(`{"action":"hello","id":"h2","resume":{"tea":{"epoch":%q,"seq":4}}}`, tea.Epoch) // beyond the head
		c.Await("reset", func(f testenv.Frame) bool { return f.Event == "reset" && f.ID == "h2" }).Is(t,
			`{"event":"reset","id":"h2","room":"tea","epoch":%q,"firstSeq":1,"reason":"$any"}`, tea.Epoch)
		c.Send(`{"action":"hello","resume":{"TEA":{"epoch":%q,"seq":2}}}`, tea.Epoch) // without id, in other case
		c.Event("message").Is(t, `{"event":"message",%s`, item("tea", "alice", 3)[1:])
		c.Event("resumed").Is(t, `{"event":"resumed","room":"tea","seq":3,"more":false}`)

		// A room that is not one's own is left out, as if it did not exist; a reset is for one alone.
		c.Sync()
		for _, f := range c.All() {
			if f.Room != "" && f.Room != "tea" && f.Event != "removed" { // of the leaving, just before
				t.Errorf("got %s", f.Raw)
			}
		}
		quiet(t, alice, "another connection's reset", func(f testenv.Frame) bool { return f.Event == "reset" || f.Event == "resumed" })
		// After the reset the room is read from firstSeq under the new epoch.
		if all := log(t, c, "tea", uint64(reset.Fields["firstSeq"].(float64))-1); len(all) != 3 {
			t.Errorf("after the reset there are %d messages", len(all))
		}
	})
}

// Twenty writers go on while a client resumes: nothing falls between history and live.
func TestResume_WhileWriting(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		const writers, each, resumes = 20, 8, 5
		reader := e.Dial(t, "reader")
		epoch := reader.Join("tea").Epoch
		senders := make([]*testenv.Client, writers)
		for i := range senders {
			senders[i] = e.Dial(t, fmt.Sprintf("writer%d", i))
			senders[i].Join("tea")
		}
		var wait sync.WaitGroup
		for w, c := range senders {
			wait.Go(func() {
				for i := range each {
					id := fmt.Sprintf("w%d-%d", w, i)
					if err := say(c, "tea", id, "text "+id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		type resumer struct {
			c    *testenv.Client
			from uint64
		}
		var all []resumer
		for range resumes {
			// Somewhere in the middle of the writing: some messages are missed, some come live.
			seen := reader.Await("a message", func(f testenv.Frame) bool { return f.Event == "message" && f.Seq > uint64(len(all)*20) })
			c := e.Dial(t, "reader")
			from := seen.Seq - min(seen.Seq, 15)
			c.Send(`{"action":"hello","id":"h1","resume":{"tea":{"epoch":%q,"seq":%d}}}`, epoch, from)
			all = append(all, resumer{c, from})
		}
		wait.Wait()
		stored := log(t, reader, "tea", 0)
		for _, r := range all {
			r.c.Seen("resumed", event("resumed", "tea"))
			awaitHead(e, r.c, "tea", uint64(len(stored)))
			shown, fetched, err := r.c.View("tea", r.from)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, shown, stored[r.from:])
			if e.Host == "direct" && fetched > 0 {
				t.Errorf("%d messages fell between history and live", fetched)
			}
		}
	})
}

// awaitHead awaits the push of a room's last message where every push arrives.
func awaitHead(e *testenv.Env, c *testenv.Client, room string, head uint64) {
	if e.Host == "direct" {
		c.Seen("the last message", func(f testenv.Frame) bool {
			return f.Event == "message" && f.Room == room && f.Seq == head
		})
	}
}

// say sends a message and awaits its acknowledgement; it may be called from any goroutine.
func say(c *testenv.Client, room, id, text string) error {
	err := c.TrySend(fmt.Sprintf(`{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, id, room, text))
	if err != nil {
		return err
	}
	f, err := c.TryAwait(60*time.Second, func(f testenv.Frame) bool { return f.ID == id })
	if err == nil && f.Event != "message" {
		err = fmt.Errorf("%s says %s: %s", c.User, id, f.Raw)
	}
	return err
}

// compare tells whether a client showed what is stored.
func compare(t *testing.T, shown, stored []testenv.Frame) {
	t.Helper()
	if len(shown) != len(stored) {
		t.Fatalf("%d messages are shown, %d are stored", len(shown), len(stored))
	}
	for i := range stored {
		s, w := shown[i], stored[i]
		if s.Seq != w.Seq || s.From != w.From || s.Message != w.Message || s.ID != w.ID || s.Void != w.Void {
			t.Fatalf("shown is %s, stored %s", s.Raw, w.Raw)
		}
	}
}
