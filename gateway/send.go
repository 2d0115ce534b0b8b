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
	for len(frames) > 0 {
		n := a.fitting(frames)
		if err := c.awaitRoom(ctx, frames[:n]); err != nil {
			return err
		}
		if gone, _, err := a.Post(ctx, []connections.Target{t}, frames[:n]); err != nil {
			return err
		} else if len(gone) > 0 {
			return connections.ErrGone
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

// awaitRoom waits until the queue has room for the frames.
func (c *connection) awaitRoom(ctx context.Context, frames [][]byte) error {
	for {
		idle := c.fullFor(frames)
		if idle == nil {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fullFor gives nil when the frames fit, or else what is closed when the queue is empty.
func (c *connection) fullFor(frames [][]byte) <-chan struct{} {
	size := 0
	for _, f := range frames {
		size += len(f) + maxHeader
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.flushing || c.queue.frames+len(frames) <= c.api.cfg.MaxQueueFrames &&
		c.queue.bytes+size <= c.api.cfg.MaxQueueBytes {
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	return c.idle
}

// wakeSenders lets those go on who wait for the queue. c.mu is held.
func (c *connection) wakeSenders() {
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}
