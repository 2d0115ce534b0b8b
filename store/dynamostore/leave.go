package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// Leave implements chat.Log. Its writes are, in this order: the member, which ends the right to
// send; the head, which stops the Appends on their way and the receiving; the user's room.
func (s *Store) Leave(ctx context.Context, room, user string) error {
	return s.do(ctx, "leave", func(ctx context.Context, o *op) error {
		for {
			done, err := o.leaveOnce(ctx, room, user)
			if err != nil || done {
				return err
			}
		}
	})
}

// leaveOnce ends a membership. done is false when it changes at the same time.
func (o *op) leaveOnce(ctx context.Context, room, user string) (done bool, err error) {
	h, rows, err := o.roomAndMembers(ctx, room, user)
	switch {
	case err != nil:
		return false, err
	case h == nil:
		return false, noRoom(room)
	case rows[0] == nil:
		return false, noMember(room, user)
	}
	m := rows[0]
	if m.State != chat.Left {
		left := chat.Member{Room: room, User: user, State: chat.Left, Gen: m.Gen}
		if done, err := o.putMember(ctx, left, m); err != nil || !done {
			return false, err
		}
	} else if h.Outdated(user, m.Gen) || o.Now().Sub(m.at) >= chat.SubscriptionTTL {
		return true, o.leaveUserRoom(ctx, m.Member) // removed already
	}
	if h, err = o.remove(ctx, room, user); err != nil {
		return false, err
	}
	if err := o.leaveUserRoom(ctx, m.Member); err != nil {
		return false, err
	}
	return true, o.prune(ctx, h)
}

// leaveUserRoom takes the room from the user's list, unless a later membership stands there. The
// row stays for the read marker.
func (o *op) leaveUserRoom(ctx context.Context, m chat.Member) error {
	_, _, err := o.update(ctx, userRoomKey(m.User, m.Room), change{
		update: "SET s = :left REMOVE inv",
		when:   "g <= :g AND s <> :left",
		values: item{":left": num(chat.Left), ":g": num(m.Gen)},
	})
	return err
}
