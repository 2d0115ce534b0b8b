package client

import (
	"time"

	"github.com/confab-chat/confab/wire"
)

// message takes a message that was pushed.
func (c *Client) message(m wire.Message, now time.Time) {
	r := c.rooms[m.Room]
	if r == nil {
		if r = c.discover(&m, now); r == nil {
			return
		}
	}
	if m.Epoch != "" && r.epoch != "" && m.Epoch != r.epoch {
		r.verify = true
		c.want(r, now)
		return
	}
	r.hold(m, c.queue.room())
	c.deliver(r)
	c.want(r, now.Add(holdFor))
}

// discover makes the room of a message that no list and no joining has told yet.
func (c *Client) discover(m *wire.Message, now time.Time) *room {
	if _, gone := c.left[m.Room]; gone || m.Duplicate {
		return nil // on its way when one left, or of before one came
	}
	r := newRoom(m.Room, m.Epoch, 0, now)
	c.rooms[m.Room] = r
	if c.welcomed && c.requests.joining() == 0 {
		c.beginAt(r, m.Seq)
	}
	return r
}

// beginAt begins a room that nothing tells more about than that message: a direct one with its
// first, unless it is so old that lists leave it out.
func (c *Client) beginAt(r *room, seq uint64) {
	if direct(r.name) && c.complete {
		seq = 1
	}
	r.begin(r.epoch, seq)
}

// settle begins the rooms for which nothing more can be expected to tell where.
func (c *Client) settle(now time.Time) {
	if !c.welcomed || c.requests.joining() > 0 {
		return
	}
	for _, r := range c.rooms {
		if low := r.lowest(); r.next == 0 && low > 0 {
			c.beginAt(r, low)
			c.deliver(r)
			c.want(r, now.Add(holdFor))
		}
	}
}

// deliver hands on what is next while the caller's queue has room.
func (c *Client) deliver(r *room) {
	for {
		if !c.queue.room() {
			c.stalled = true
			return
		}
		m, ok := r.release()
		if !ok {
			return
		}
		if !m.Void {
			m.Room, m.Epoch = r.name, r.epoch // tombstones have none
			c.queue.put(message(&m))
		}
	}
}

// drained goes on with what waited for the caller.
func (c *Client) drained() {
	if !c.stalled || len(c.queue.events) > c.o.buffer/2 {
		return
	}
	c.stalled = false
	now := time.Now()
	for r := range c.late {
		c.deliver(r)
		c.want(r, now)
	}
	c.poke()
}

// want fetches at that time what is missing then.
func (c *Client) want(r *room, at time.Time) {
	switch {
	case !r.behind():
		r.due = time.Time{}
		delete(c.late, r)
	case r.due.IsZero() || at.Before(r.due):
		r.due = at
		c.late[r] = true
	}
}

// idle notes that nothing is on its way for a room.
func (c *Client) idle(r *room) {
	delete(c.fetches, r.fetch)
	r.fetch, r.fetcher, r.resuming, r.busy, r.due = "", nil, nil, time.Time{}, time.Time{}
}

// heads compares the rooms with a list of one's rooms that was asked for at that time.
func (c *Client) heads(list []wire.Head, asked, now time.Time) {
	c.complete = len(list) < maxListed
	listed := make(map[string]bool, len(list))
	for _, h := range list {
		listed[h.Room] = true
		if r := c.listed(h, asked, now); r != nil {
			c.ahead(r, h, now)
		}
	}
	for name, r := range c.rooms {
		if listed[name] || !c.complete || !r.since.Before(asked) {
			r.missing = 0
		} else if r.missing++; r.missing > 1 { // once may be a list that was read too early
			c.leave(name, "no longer a member", now)
		}
	}
}

// listed gives the room of a list, a new one where it is not known.
func (c *Client) listed(h wire.Head, asked, now time.Time) *room {
	r := c.rooms[h.Room]
	if r == nil {
		if gone, ok := c.left[h.Room]; ok && !gone.Before(asked) {
			return nil
		}
		delete(c.left, h.Room)
		r = newRoom(h.Room, h.Epoch, 0, now)
		c.rooms[h.Room] = r
		if c.welcomed && !direct(h.Room) {
			c.queue.hint(Joined{h.Room, h.Seq, h.Epoch})
		}
	}
	if r.next == 0 {
		next := h.Seq + 1
		if c.welcomed && direct(h.Room) {
			next = 1
		}
		r.begin(h.Epoch, next)
		c.deliver(r)
	}
	return r
}

// ahead notes how far a room is.
func (c *Client) ahead(r *room, h wire.Head, now time.Time) {
	if r.epoch == "" {
		r.epoch = h.Epoch
	}
	if r.epoch == h.Epoch {
		r.head = max(r.head, h.Seq)
	} else {
		r.verify = true
	}
	c.want(r, now.Add(holdFor))
}

// resumed ends what a resume sends of a room by itself.
func (c *Client) resumed(l *link, e wire.Resumed, now time.Time) {
	r := c.rooms[e.Room]
	if r == nil || r.resuming != l {
		return
	}
	c.idle(r)
	r.head = max(r.head, e.Seq)
	if e.More {
		r.head = max(r.head, e.Seq+1)
	}
	c.want(r, now)
}

// resync notes that messages of a room were dropped on their way.
func (c *Client) resync(e wire.Resync, now time.Time) {
	if r := c.rooms[e.Room]; r != nil {
		r.head = max(r.head, e.Seq)
		c.want(r, now)
	}
}

// reset deals with a cursor that is void. The same answer may come twice.
func (c *Client) reset(l *link, e wire.Reset, now time.Time) {
	if r := c.rooms[e.Room]; r != nil && r.resuming == l {
		c.restart(r, e.Epoch, e.FirstSeq, e.Reason, now)
	}
}

// restart tells the caller that a room begins anew, and begins.
func (c *Client) restart(r *room, epoch string, first uint64, reason string, now time.Time) {
	c.idle(r)
	r.restart(epoch, first)
	c.queue.put(Reset{r.name, epoch, r.next, reason})
	r.verify = true
	c.want(r, now)
}

// join begins a room.
func (c *Client) join(e wire.Joined, now time.Time) {
	delete(c.left, e.Room)
	r := c.rooms[e.Room]
	if r == nil {
		r = newRoom(e.Room, e.Epoch, 0, now)
		c.rooms[e.Room] = r
	}
	if r.next == 0 {
		r.begin(e.Epoch, e.Seq+1)
		c.queue.hint(Joined{e.Room, e.Seq, e.Epoch})
		c.deliver(r)
	}
	c.ahead(r, wire.Head{Room: e.Room, Seq: e.Seq, Epoch: e.Epoch}, now)
}

// leave ends a room.
func (c *Client) leave(name, reason string, now time.Time) {
	c.left[name] = now
	r := c.rooms[name]
	if r == nil {
		return
	}
	c.idle(r)
	delete(c.late, r)
	delete(c.rooms, name)
	c.queue.hint(Left{name, reason})
}
