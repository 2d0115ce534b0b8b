package storetest

import (
	"sync"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

func (c *connTest) announce(on chat.Connections, user string, here bool) bool {
	c.Helper()
	news, err := on.Announce(c.ctx, user, here, c.Clock.Now())
	ok(c, "Announce", err)
	return news
}

func testAnnounce(c *connTest) {
	equal(c, "gone who never came", c.announce(c.A, "ann", false), false)
	for range 2 {
		equal(c, "comes", c.announce(c.A, "ann", true), true)
		equal(c, "comes again", c.announce(c.B, "ann", true), false)
		equal(c, "another comes", c.announce(c.B, "bob", true), true)
		c.Clock.Advance(chat.SubscriptionTTL / 2)
		equal(c, "comes once more", c.announce(c.A, "ann", true), false)
		c.Clock.Advance(chat.SubscriptionTTL * 3 / 4)
		equal(c, "goes", c.announce(c.B, "ann", false), true)
		equal(c, "goes again", c.announce(c.A, "ann", false), false)
		equal(c, "comes back", c.announce(c.B, "ann", true), true)
		equal(c, "goes", c.announce(c.A, "ann", false), true)
		c.announce(c.A, "bob", false)
	}
}

// testRacingAnnounce has many say the same at once: it is news to one of them.
func testRacingAnnounce(c *connTest) {
	const callers, rounds = 8, 10
	for n := range rounds {
		var news atomic.Int64
		var wait sync.WaitGroup
		for i := range callers {
			wait.Go(func() {
				on := []chat.Connections{c.A, c.B}[i%2]
				told, err := on.Announce(c.ctx, "ann", n%2 == 0, c.Clock.Now())
				if err != nil {
					c.Errorf("Announce: %v", err)
				}
				if told {
					news.Add(1)
				}
			})
		}
		wait.Wait()
		equal(c, "news", news.Load(), 1)
	}
}
