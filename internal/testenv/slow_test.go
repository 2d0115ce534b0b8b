package testenv_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

// A client that does not read loses pushes, is told so when it reads again, and finds everything in
// the log; the others do not wait for it.
func TestSlowReader(t *testing.T) {
	for _, store := range []string{"memstore", "sqlitestore"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			clock := clock{frozen: time.Now()} // nobody is silent or stalled for too long, however busy the machine
			e := testenv.Start(t, "direct", store, testenv.Options{QueueFrames: 16, WriteBuffer: 32 << 10, Now: clock.now})
			alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
			alice.Join("tea")
			bob.Join("tea")
			member := e.Dial(t, "slow")
			member.Join("tea")
			member.Close()
			slow, read := e.DialPaused(t, "slow")
			text := strings.Repeat("x", 16000)
			n := 0 // until the sockets' buffers and the queue are full
			for ; e.Dropped() < 10 && n < 2000; n++ {
				alice.Say("tea", fmt.Sprintf("m%d", n), text)
				bob.Await("the message", func(f testenv.Frame) bool { return f.Seq == uint64(n+1) })
			}
			read()
			got := slow.Await("resync", event("resync", "tea"))
			got.Is(t, `{"event":"resync","room":"tea","seq":"$n"}`)
			pushed := slow.Count(event("message", "tea"))
			if pushed == n || pushed == 0 {
				t.Fatalf("%d of %d messages were pushed to a client that does not read", pushed, n)
			}
			if got.Seq != uint64(n) {
				t.Errorf("resync says the head is %d, want %d", got.Seq, n)
			}
			// The queue drained before resync came: what is pushed now arrives.
			alice.Say("tea", "last", "last")
			slow.Await("a later message", message("tea", "last"))
			shown, fetched, err := slow.View("tea", 0)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, shown, log(t, bob, "tea", 0))
			if fetched != n-pushed {
				t.Errorf("%d were dropped and %d fetched", n-pushed, fetched)
			}
		})
	}
}
