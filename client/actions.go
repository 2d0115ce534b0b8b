package client

import (
	"context"
	"encoding/json"

	"github.com/confab-chat/confab/wire"
)

// Join enters a room, and makes it if there is none of that name. Its messages come from then on, as
// Events. Errors: ErrTaken for a private room that one is not invited to.
func (c *Client) Join(ctx context.Context, room string) error {
	_, err := c.request(ctx, action{Action: wire.JoinRoom, Room: room}, false)
	return err
}

// CreatePrivate makes a room that others enter by invitation only. Errors: ErrTaken where
// somebody else has a room of that name.
func (c *Client) CreatePrivate(ctx context.Context, room string) error {
	_, err := c.request(ctx, action{Action: wire.JoinRoom, Room: room, Private: true}, false)
	return err
}

// Leave leaves a room, or declines an invitation. Errors: ErrForbidden for the lobby and for rooms of
// two users.
func (c *Client) Leave(ctx context.Context, room string) error {
	_, err := c.request(ctx, action{Action: wire.LeaveRoom, Room: room}, false)
	return err
}

// Invite lets a user join a room that one is in.
func (c *Client) Invite(ctx context.Context, room, user string) error {
	_, err := c.request(ctx, action{Action: wire.Invite, Room: room, User: user}, false)
	return err
}

// Remove removes somebody from a room that one has made, or takes an invitation back.
func (c *Client) Remove(ctx context.Context, room, user string) error {
	_, err := c.request(ctx, action{Action: wire.RemoveMember, Room: room, User: user}, false)
	return err
}

// Delete removes the text of a message, for its author and for the room's owner.
func (c *Client) Delete(ctx context.Context, room string, seq uint64) error {
	_, err := c.request(ctx, action{Action: wire.DeleteMessage, Room: room, Seq: seq}, false)
	return err
}

// MarkRead says how far one has read a room. It never moves back.
func (c *Client) MarkRead(ctx context.Context, room string, seq uint64) error {
	_, err := c.request(ctx, action{Action: wire.MarkRead, Room: room, Seq: seq}, false)
	return err
}

// SendPayload sends any JSON straight to a connection, which is not stored. Errors: ErrBadField when
// it is no JSON, ErrTooLarge when the action has more than 128 KiB, ErrNotFound when the connection is
// not open, ErrUnknownOutcome when one's own was lost meanwhile.
func (c *Client) SendPayload(ctx context.Context, connectionID, operationType string, payload json.RawMessage) error {
	_, err := c.request(ctx, action{
		Action: wire.SendDirect, ConnectionID: connectionID, OperationType: operationType, Message: payload,
	}, true)
	return err
}

// maxTyping is how many notes of typing wait while the line is busy; more are dropped.
const maxTyping = 4

// Typing tells the other members of a room that one is writing, at most every 5 seconds. There is no
// answer. Errors: ErrOffline.
func (c *Client) Typing(room string) error {
	frame, err := (&action{Action: wire.SetTyping, Room: room}).encode()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return ErrOffline
	}
	if len(c.typing) < maxTyping {
		c.typing = append(c.typing, frame)
	}
	c.poke()
	return nil
}
