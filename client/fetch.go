package client

import (
	"time"

	"github.com/confab-chat/confab/wire"
)

const (
	pageLimit  = 200 // messages (docs/protocol.md, "history")
	maxFetches = 4   // pages that are on their way at once: 200 rooms must not ask together
)

// fetch asks for what is missing.
func (c *Client) fetch(l *link, d *dues) {
	for r := range c.late {
		at := r.due
		if r.busy.After(at) {
			at = r.busy
		}
		switch {
		case at.After(d.now):
			d.at(at)
		case !c.queue.room() || r.ready():
			c.stalled = true // it goes on when the caller has taken some
		case len(c.fetches) < maxFetches || r.fetch != "":
			c.askPage(l, r, d)
		}
	}
}

func (c *Client) askPage(l *link, r *room, d *dues) {
	c.idle(r)
	r.fetch, r.fetcher = c.requests.newID(), l
	r.busy = d.now.Add(c.o.answer)
	c.fetches[r.fetch] = r
	d.add(&action{
		Action: wire.GetHistory, ID: r.fetch, Room: r.name, After: r.shown(), Limit: pageLimit,
	})
	c.want(r, r.busy)
	d.at(r.busy)
}

// page takes a page of history; it is false where no room has asked for it.
func (c *Client) page(e wire.History, now time.Time) bool {
	r := c.fetches[e.ID]
	if r == nil {
		return false
	}
	c.idle(r)
	switch {
	case e.Epoch != r.epoch && r.epoch != "":
		c.restart(r, e.Epoch, e.FirstSeq, "the room's log is another one than before", now)
		return true
	case e.FirstSeq > r.next:
		c.restart(r, e.Epoch, e.FirstSeq, "older messages are no longer kept", now)
	}
	before := r.next
	r.epoch, r.verify, r.head = e.Epoch, false, max(r.head, e.Seq)
	for i := range e.Messages {
		c.acknowledge(&e.Messages[i])
		r.hold(e.Messages[i], true)
		c.deliver(r)
	}
	again := now
	if r.next == before {
		again = now.Add(settleFor)
	}
	c.want(r, again)
	return true
}

// unfetched deals with a page that was refused.
func (c *Client) unfetched(r *room, e wire.Failure, now time.Time) {
	c.idle(r)
	switch e.Code {
	case wire.NotFound, wire.NotMember, wire.Forbidden:
		c.leave(r.name, e.Message, now)
	default:
		r.busy = now.Add(max(settleFor, failure(e).RetryAfter))
		c.want(r, r.busy)
	}
}
