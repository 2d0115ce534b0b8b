package gateway

import (
	"context"

	"github.com/confab-chat/confab/connections"
)

// Send sends the frames, each a text message, in order to one target. Unlike [API.Post] it drops
// nothing: while the target's queue has no room it waits, until the connection ends
// (connections.ErrGone; a client that takes nothing is closed after StallTimeout) or ctx does.
func (a *API) Send(ctx context.Context, t connections.Target, frames [][]byte) error {
	if !a.own(t) {
		client, err := a.remote.client(a, t.Endpoint)
		if err != nil {
			return err
		}
		return client.Send(ctx, t, frames)
	}
	c := a.lookup(t.ID)
	if c == nil {
		return connections.ErrGone
	}
	for _, f := range frames {
		if len(f) > connections.MaxPayload {
			return connections.ErrTooLarge
		}
	}
	for len(frames) > 0 {
		n := a.fitting(frames)
		if err := c.send(ctx, frames[:n]); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// fitting gives how many of the frames an empty queue has room for, at least one.
func (a *API) fitting(frames [][]byte) int {
	size := 0
	for i, f := range frames {
		size += len(f) + maxHeader
		if i > 0 && (i >= a.cfg.MaxQueueFrames || size > a.cfg.MaxQueueBytes) {
			return i
		}
	}
	return len(frames)
}

// maxHeader is the most bytes that a server's frame has besides its payload, and a message of
// MaxMessage bytes has four frames.
const maxHeader = 4 * 10

// send writes frames that an empty queue has room for, once this one has.
func (c *connection) send(ctx context.Context, frames [][]byte) error {
	b := newBatch()
	defer b.release()
	for _, f := range frames {
		b.text(f)
	}
	for {
		result, room := c.postIfRoom(b)
		if room == nil {
			return c.count(result, b)
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// postIfRoom posts b when nothing of it would be dropped; else it gives what is closed when there
// is room again.
func (c *connection) postIfRoom(b *batch) (outcome, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != open:
		return gone, nil
	case !c.flushing || c.queue.fits(b, &c.api.cfg):
		return c.write(b, true), nil
	case c.room == nil:
		c.room = make(chan struct{})
	}
	return dropped, c.room
}

// fits tells whether a queue has room for all of b.
func (q *queue) fits(b *batch, limits *Config) bool {
	return q.frames+len(b.ends) <= limits.MaxQueueFrames && q.bytes+len(b.bytes) <= limits.MaxQueueBytes
}

// count counts what was sent.
func (c *connection) count(result outcome, b *batch) error {
	if result == gone {
		return connections.ErrGone
	}
	c.active.Store(c.api.now())
	c.api.stats.sent(1, b)
	return nil
}

// wakeSenders lets those go on who wait for the queue. c.mu is held.
func (c *connection) wakeSenders() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// wakeIfHalfFree does so when half of the queue is free, and lets a pong go on. c.mu is held.
func (c *connection) wakeIfHalfFree() {
	limits := &c.api.cfg
	if c.queue.frames > limits.MaxQueueFrames/2 || c.queue.bytes > limits.MaxQueueBytes/2 {
		return
	}
	c.wakeSenders()
	c.sendLastPong()
}
