package chatapi

import (
	"context"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// removeMember removes somebody from a room of the caller's.
func (h *Handler) removeMember(ctx context.Context, r *request) error {
	head, u, settled, err := h.Service.Remove(ctx, r.conn, r.Room, r.User)
	if err == nil {
		err = h.tellRemoved(ctx, r, head, u, settled, r.conn.User)
	}
	if err != nil {
		return err
	}
	if err := h.note(ctx, r.conn.User, "remove from room", u.Name+" "+head.Name); err != nil {
		return err
	}
	return h.reply(ctx, r, wire.MemberRemoved{ID: r.ID, Room: head.Name, User: u.Name})
}

// tellRemoved ends the subscriptions of somebody who was removed, where that is still to do, and
// tells their connections.
func (h *Handler) tellRemoved(
	ctx context.Context, r *request, head chat.Head, u chat.User, settled bool, by string,
) error {
	if !settled {
		task := Task{Kind: TaskUnsubscribe, Room: head.Room, User: u.Name}
		if err := h.Deferrer.Later(ctx, task); err != nil {
			return err
		}
	}
	h.tellDevices(ctx, r, u.Name, wire.Removed{Room: head.Name, Reason: "removed by " + by})
	return nil
}

// note writes into the audit log, where there is one.
func (h *Handler) note(ctx context.Context, user, action, object string) error {
	if h.Note == nil {
		return nil
	}
	return h.Note(ctx, user, action, object)
}

// RemoveMember removes a user from any room, for those who may do it everywhere, and gives both as
// they are written; by is what the user is told.
func (h *Handler) RemoveMember(ctx context.Context, by, room, user string) (string, string, error) {
	head, u, settled, err := h.Service.RemoveAny(ctx, room, user)
	if err == nil {
		err = h.tellRemoved(ctx, &request{}, head, u, settled, by)
	}
	return head.Name, u.Name, err
}

// DeleteMessage takes the text of anybody's message away, for those who may do it everywhere, tells
// the room's members that by has done so, and gives the room as it is written.
func (h *Handler) DeleteMessage(ctx context.Context, by, room string, seq uint64) (string, error) {
	head, m, err := h.Service.DeleteAny(ctx, room, seq)
	if err != nil {
		return "", err
	}
	h.spread(ctx, push{
		head: head, event: wire.MessageDeleted{Room: head.Name, Seq: m.Seq, By: by},
	})
	return head.Name, nil
}
