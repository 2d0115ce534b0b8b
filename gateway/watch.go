package gateway

import (
	"time"
)

// now is the time since the API was made, never 0.
func (a *API) now() int64 { return int64(a.cfg.Now().Sub(a.started)) + 1 }

// tickOf gives how often connections are looked at: a quarter of the shortest time that matters.
func tickOf(c *Config) time.Duration {
	tick := lingerTimeout
	for _, d := range []time.Duration{
		c.PingAfter, c.DropAfter, c.IdleTimeout, c.MaxDuration,
		c.StallTimeout,
	} {
		if d > 0 {
			tick = min(tick, d)
		}
	}
	return max(tick/4, 5*time.Millisecond)
}

// watch looks at all connections' times until stop is closed: one goroutine for all of them, which
// exists while there is a connection.
func (a *API) watch(stop <-chan struct{}) {
	ticker := time.NewTicker(a.tick)
	defer ticker.Stop()
	var due []*connection
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		now := a.now()
		due = due[:0]
		a.mu.RLock()
		for _, c := range a.conns {
			if c.due(now) != notDue {
				due = append(due, c)
			}
		}
		a.mu.RUnlock()
		for i, c := range due {
			c.act(c.due(now), now)
			due[i] = nil
		}
	}
}

// duty is what the time asks for.
type duty uint8

const (
	notDue duty = iota
	dueKill
	dueDuration
	dueSilent
	dueSlow
	dueStalled
	dueIdle
	duePing
)

// due tells what the time asks for; it only reads.
func (c *connection) due(now int64) duty {
	cfg := &c.api.cfg
	over := func(since int64, limit time.Duration) bool {
		return limit > 0 && since > 0 && now-since >= int64(limit)
	}
	if by := c.closeBy.Load(); by > 0 {
		if now >= by {
			return dueKill
		}
		return notDue
	}
	heard := c.heard.Load()
	switch {
	case over(int64(c.since.Sub(c.api.started))+1, cfg.MaxDuration):
		return dueDuration
	case over(heard, cfg.DropAfter) && !c.in.full.Load():
		return dueSilent
	case over(c.begun.Load(), MessageTimeout):
		return dueSlow
	case over(c.progress.Load(), cfg.StallTimeout):
		return dueStalled
	case over(c.lastSign(heard), cfg.IdleTimeout):
		return dueIdle
	case over(max(heard, c.pinged.Load()), cfg.PingAfter) && !c.in.full.Load():
		return duePing
	}
	return notDue
}

// lastSign is when the connection was last in use, for the idle time-out.
func (c *connection) lastSign(heard int64) int64 {
	if c.api.cfg.Knobs.IdleCountsControlFrames {
		return max(c.active.Load(), heard)
	}
	return c.active.Load()
}

// act does it.
func (c *connection) act(d duty, now int64) {
	switch d {
	case dueKill:
		c.kill()
	case dueDuration:
		c.end(&closing{1001, "Going away", CauseDuration}, false)
	case dueSilent:
		c.end(&closing{1006, "Connection closed abnormally", CauseSilent}, true)
		c.kill()
	case dueSlow:
		c.end(&closing{1008, "Message took too long", CauseSlow}, true)
	case dueStalled:
		c.end(&closing{1013, "Client reads too slowly", CauseStalled}, true)
	case dueIdle:
		c.end(&closing{1001, "Going away", CauseIdle}, false)
	case duePing:
		c.pinged.Store(now)
		c.ping()
	}
}
