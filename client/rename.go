package client

import (
	"context"
	"time"

	"github.com/confab-chat/confab/wire"
)

// SetName goes on as another user, in open mode: with that user's rooms, told by Joined and Left. It
// waits until the outbox is empty, because a message belongs to who it was written as. Errors:
// ErrTaken while somebody else has the name, ErrForbidden where one is signed in.
func (c *Client) SetName(ctx context.Context, name string) error {
	if err := c.acquire(ctx, c.outbox.adding); err != nil { // nothing is queued meanwhile
		return err
	}
	defer func() { <-c.outbox.adding }()
	if err := c.Flush(ctx); err != nil {
		return err
	}
	_, err := c.request(ctx, action{Action: wire.SetName, Name: name}, true)
	return err
}

// rename makes the client another user, whose rooms a new connection tells.
func (c *Client) rename(user string, now time.Time) {
	if user == c.user {
		return
	}
	c.user, c.name, c.welcomed = user, user, false
	if c.link != nil {
		c.link.turnAt = now
	}
}
