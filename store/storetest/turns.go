package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/confab-chat/confab/chat"
)

func testTurn(c *connTest) {
	turn := func(on chat.Connections, user string) string {
		c.Helper()
		turn, err := on.Turn(c.ctx, user, c.Clock.Now())
		ok(c, "Turn", err)
		return turn
	}
	end := func(user, turn string, again bool) {
		c.Helper()
		got, err := c.B.EndTurn(c.ctx, user, turn, c.Clock.Now())
		ok(c, "EndTurn", err)
		equal(c, "again", got, again)
	}
	first := turn(c.A, "ann")
	if first == "" {
		c.Fatal("nobody has the turn, and it is not given")
	}
	if turn(c.A, "bob") == "" {
		c.Error("another user's turn is not given")
	}
	end("ann", first, false)
	second := turn(c.B, "ann")
	equal(c, "while it is held", turn(c.A, "ann"), "")
	equal(c, "while it is held", turn(c.B, "ann"), "")
	end("ann", second, true) // two wanted it
	equal(c, "while it goes on", turn(c.A, "ann"), "")
	end("ann", second, true)
	end("ann", second, false)
	end("ann", second, false) // as a repetition
	end("ann", "another's", false)

	lost := turn(c.A, "ann") // who has it dies
	c.Clock.Advance(chat.TurnMax - time.Millisecond)
	equal(c, "before its time is over", turn(c.B, "ann"), "")
	c.Clock.Advance(time.Millisecond)
	next := turn(c.B, "ann")
	if next == "" {
		c.Fatal("a turn has no end")
	}
	end("ann", lost, false) // late, and without harm to the next one
	equal(c, "after the late end", turn(c.A, "ann"), "")
	c.Clock.Advance(chat.TurnMax - time.Millisecond)
	end("ann", next, true)
	c.Clock.Advance(chat.TurnMax - time.Millisecond)
	equal(c, "while it goes on", turn(c.A, "ann"), "")
	end("ann", next, true)
	end("ann", next, false)
}

// testRacingTurns has many want a turn at once, each for a piece of work that is there before it asks.
// One at a time does work, and none is left undone.
func testRacingTurns(c *connTest) {
	const workers, each = 8, 10
	var waiting, working atomic.Int64
	work := func(on chat.Connections) {
		waiting.Add(1)
		turn, err := on.Turn(c.ctx, "ann", c.Clock.Now())
		if err != nil {
			c.Errorf("Turn: %v", err)
		}
		for again := turn != ""; again; {
			if working.Add(1) > 1 {
				c.Error("two have the turn")
			}
			waiting.Store(0)
			working.Add(-1)
			if again, err = on.EndTurn(c.ctx, "ann", turn, c.Clock.Now()); err != nil {
				c.Errorf("EndTurn: %v", err)
			}
		}
	}
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			on := []chat.Connections{c.A, c.B}[w%2]
			for range each {
				work(on)
			}
		})
	}
	wait.Wait()
	equal(c, "work left undone", waiting.Load(), 0)
}
