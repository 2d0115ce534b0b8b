package connections

import (
	"context"
	"net/http"
)

// Send sends the frames, each a text message, in order to one target. Unlike [Client.Post] it
// gives every frame the whole time for retries, so that a client which reads slowly gets all of a
// long answer. A target that is closed, or not yet open, is [ErrGone].
func (c *Client) Send(ctx context.Context, t Target, frames [][]byte) error {
	for _, f := range frames {
		if len(f) > MaxPayload {
			return ErrTooLarge
		}
	}
	for _, f := range frames {
		if err := c.sendOne(ctx, t, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) sendOne(ctx context.Context, t Target, frame []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, budget(ctx), errBudget)
	defer cancel()
	_, err := c.call(ctx, http.MethodPost, t, frame)
	return err
}
