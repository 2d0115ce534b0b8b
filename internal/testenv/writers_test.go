package testenv_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// Twenty write at once in several rooms: every client's view of every room of its is the log, and
// where the host keeps order nothing needs to be fetched.
func TestWriters_Order(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		const writers, each = 20, 8
		rooms := []string{"red", "green", "blue", "lobby"}
		before := map[string]uint64{"lobby": lobby(t, e)}
		clients := make([]*testenv.Client, writers)
		for i := range clients {
			clients[i] = e.Dial(t, fmt.Sprintf("writer%d", i))
			clients[i].Join(rooms[i%3])
			clients[i].Join(rooms[(i+1)%3])
		}
		var wait sync.WaitGroup
		for w, c := range clients {
			wait.Go(func() {
				mine := []string{rooms[w%3], rooms[(w+1)%3], "lobby"}
				for i := range each {
					id := fmt.Sprintf("w%d-%d", w, i)
					if err := say(c, mine[i%3], id, "text "+id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		settle(clients)
		for r, room := range rooms {
			member := clients[r%3]
			stored := log(t, member, room, before[room])
			checkSenders(t, stored)
			for w, c := range clients {
				if room != "lobby" && room != rooms[w%3] && room != rooms[(w+1)%3] {
					quiet(t, c, "a message of a room it is not in", event("message", room))
					continue
				}
				awaitHead(e, c, room, before[room]+uint64(len(stored)))
				shown, fetched, err := c.View(room, before[room])
				if err != nil {
					t.Fatal(err)
				}
				compare(t, shown, stored)
				if e.Host == "direct" {
					checkArrival(t, c, room, fetched)
				}
			}
		}
	})
}

// settle waits until no event of these clients is handled any more, the repeated ones too: a late
// repetition may cost a number.
func settle(clients []*testenv.Client) {
	for _, c := range clients {
		c.Sync()
	}
}

// checkSenders tells whether the messages of each sender stand in the order of sending: w2-0, w2-1, …
func checkSenders(t *testing.T, stored []testenv.Frame) {
	t.Helper()
	last := map[string]int{}
	for _, f := range stored {
		if f.Void {
			continue
		}
		var writer, n int
		if _, err := fmt.Sscanf(f.ID, "w%d-%d", &writer, &n); err != nil {
			t.Fatalf("%s: %v", f.Raw, err)
		}
		if before, ok := last[f.From]; ok && n <= before {
			t.Errorf("%s is stored after number %d of its sender", f.Raw, before)
		}
		last[f.From] = n
	}
}

// checkArrival tells whether a connection got the room's messages all and in order.
func checkArrival(t *testing.T, c *testenv.Client, room string, fetched int) {
	t.Helper()
	if fetched > 0 {
		t.Errorf("%s had to fetch %d messages of %s", c.User, fetched, room)
	}
	var last uint64
	for _, f := range c.All() {
		if f.Event == "message" && f.Room == room {
			if f.Seq <= last {
				t.Errorf("%s got number %d of %s after %d", c.User, f.Seq, room, last)
			}
			last = f.Seq
		}
	}
}

// Fifty write at once in one room: its numbers are dense, and nothing is there twice or missing.
func TestWriters_OneRoom(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		const writers, each = 50, 3
		clients := make([]*testenv.Client, writers)
		for i := range clients {
			clients[i] = e.Dial(t, fmt.Sprintf("writer%d", i))
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
		stored := log(t, clients[0], "tea", 0) // fails at a hole
		checkSenders(t, stored)
		ids := map[string]int{}
		for _, f := range stored {
			if !f.Void {
				ids[f.ID]++
			}
		}
		if len(ids) != writers*each {
			t.Errorf("%d messages are stored, %d were acknowledged", len(ids), writers*each)
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s is stored %d times", id, n)
			}
		}
		if e.Store != "dynamostore" && len(stored) != writers*each {
			t.Errorf("%d numbers were given for %d messages", len(stored), writers*each)
		}
	})
}
