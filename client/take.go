package client

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/confab-chat/confab/wire"
)

const (
	version = 1 // of docs/protocol.md

	holdFor   = 300 * time.Millisecond // docs/protocol.md, "The flow"
	settleFor = time.Second            // docs/protocol.md, "history": numbers that are not stored yet
	early     = 3 * time.Second        // until the first heartbeat: on AWS a young connection may miss a push
	maxListed = 400                    // rooms of welcome and pong (docs/protocol.md, "ping")
)

// take deals with one event of a link.
func (c *Client) take(l *link, e wire.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch e := e.(type) {
	case wire.Welcome:
		c.welcome(l, e, now)
	case wire.Message:
		c.acknowledge(&e)
		c.message(e, now)
	case wire.Resumed:
		c.resumed(l, e, now)
	case wire.Reset:
		c.reset(l, e, now)
	case wire.History:
		if !c.page(e, now) {
			c.requests.answer(e.ID, e)
		}
	case wire.Pong:
		c.pong(l, e, now)
	case wire.Resync:
		c.resync(e, now)
	case wire.Reconnect:
		l.turnAt, l.leave = now.Add(time.Duration(e.AfterMs)*time.Millisecond), true
	case wire.Failure:
		c.failed(l, e, now)
	default:
		c.other(e, now)
	}
	c.poke()
}

// other deals with what needs no link.
func (c *Client) other(e wire.Event, now time.Time) {
	switch e := e.(type) {
	case wire.Joined:
		c.join(e, now)
	case wire.Gone:
		c.leave(e.Room, "", now)
	case wire.Removed:
		c.leave(e.Room, e.Reason, now)
	case wire.Named:
		c.rename(e.User, now)
	default:
		if h := hint(e); h != nil {
			c.queue.hint(h)
		}
	}
	c.requests.answer(answered(e), e)
	c.settle(now)
}

// poke lets the writer look for what is due.
func (c *Client) poke() {
	if c.link != nil {
		c.link.poke()
	}
}

// welcome makes the link the one that is written to.
func (c *Client) welcome(l *link, e wire.Welcome, now time.Time) {
	if !l.welcomed.IsZero() {
		return
	}
	if err := c.outbox.belongs(e.User, c.user); err != nil {
		l.fail(fmt.Errorf("%w: %q", err, e.User))
		return
	}
	if e.Protocol > version {
		l.fail(fmt.Errorf("%w: it speaks version %d, this is %d", ErrProtocol, e.Protocol, version))
		return
	}
	l.welcomed = now
	l.pipeline = max(1, e.Pipeline)
	l.heartbeat = time.Duration(max(1, e.HeartbeatSeconds)) * time.Second
	if h := c.o.heartbeat; h > 0 {
		l.heartbeat = min(l.heartbeat, h)
	}
	l.pingAt = now.Add(min(l.heartbeat, early))
	if life := time.Duration(e.MaxConnectionSeconds) * time.Second; life > 0 {
		l.turnAt = now.Add(life*3/4 + rand.N(life*17/100)) // 75 to 92 % (docs/protocol.md, "Close codes")
	}
	c.user, c.link = e.User, l
	heads := make([]wire.Head, len(e.Rooms))
	for i, r := range e.Rooms {
		heads[i] = wire.Head{Room: r.Room, Seq: r.Seq, Epoch: r.Epoch}
	}
	c.heads(heads, l.pinged, now)
	c.welcomed = true
	c.settle(now)
	if c.state != Online {
		c.state, c.told = Online, false
		c.queue.hint(Connected{e.User, e.ConnectionID, e.Notice})
	}
	close(l.ready)
}

// pong deals with the answer to a heartbeat.
func (c *Client) pong(l *link, e wire.Pong, now time.Time) {
	if e.ID == l.ping && e.ID != "" {
		l.ping, l.pingAt = "", l.pinged.Add(l.heartbeat)
		c.heads(e.Rooms, l.pinged, now)
	}
}

// failed deals with an action that failed.
func (c *Client) failed(l *link, e wire.Failure, now time.Time) {
	switch r := c.fetches[e.ID]; {
	case e.ID == "":
	case e.ID == helloID:
		if l.welcomed.IsZero() {
			l.fail(failure(e))
		}
	case e.ID == l.ping:
		l.ping, l.pingAt = "", now.Add(min(l.heartbeat, early)) // it lives, and may do better then
	case r != nil:
		c.unfetched(r, e, now)
	case c.outbox.find(e.ID) != nil:
		c.refused(c.outbox.find(e.ID), failure(e), now)
	default:
		c.requests.answer(e.ID, e)
		c.settle(now)
	}
}

// lost is called when nothing of a link runs any more.
func (c *Client) lost(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.requests.lost(l)
	for _, r := range c.rooms {
		if r.resuming == l || r.fetch != "" && r.fetcher == l {
			c.idle(r)
			c.want(r, now)
		}
	}
	if c.link == l {
		c.link, c.typing = nil, nil
	}
	c.poke()
}

// answered gives the id of the request that an event answers.
func answered(e wire.Event) string {
	switch e := e.(type) {
	case wire.Joined:
		return e.ID
	case wire.Gone:
		return e.ID
	case wire.Invited:
		return e.ID
	case wire.MemberRemoved:
		return e.ID
	case wire.MessageDeleted:
		return e.ID
	case wire.ReadMarker:
		return e.ID
	case wire.Rooms:
		return e.ID
	case wire.Members:
		return e.ID
	case wire.Users:
		return e.ID
	case wire.Sent:
		return e.ID
	case wire.Named:
		return e.ID
	}
	return ""
}
