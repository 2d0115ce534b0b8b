package dynamostore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

// member is a chat.Member as it is stored: in the room's partition, where it decides, and in the
// user's, where it is a list.
type member struct {
	chat.Member           // with the Gen of the row, whatever its state
	at          time.Time // when the row was written last
}

// readMember reads a room's member row; nil where there is none.
func (o *op) readMember(room, user string, it item) (*member, error) {
	if it == nil {
		return nil, nil
	}
	r := row{it: it}
	m := &member{
		Member: chat.Member{
			Room: room, User: user, State: chat.MemberState(r.uint(attrState)),
			InvitedBy: r.str(attrInviter), Gen: r.uint(attrGen), Read: r.uint(attrRead),
		},
		at: r.time(attrAt),
	}
	return m, r.err(o.Table)
}

// shown is the member as callers know it. One whom the head has removed has left, though its row
// may not say so yet.
func (m *member) shown(h *head) chat.Member {
	shown := m.Member
	if shown.State == chat.Joined && h != nil && h.Outdated(m.User, m.Gen) {
		shown.State = chat.Left
	}
	if shown.State != chat.Joined {
		shown.Gen = 0
	}
	return shown
}

// state is what a user is to a room; 0 without a row.
func (m *member) state(h *head) chat.MemberState {
	if m == nil {
		return 0
	}
	return m.shown(h).State
}

// roomAndMembers reads a room and some of its member rows. The head is nil without the room, and
// so is each member without a row.
func (o *op) roomAndMembers(
	ctx context.Context, room string, users ...string,
) (*head, []*member, error) {
	keys := []key{headKey(room)}
	for _, user := range users {
		if k := memberKey(room, user); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	found, err := o.getAll(ctx, keys...)
	if err != nil {
		return nil, nil, err
	}
	h, err := o.headOf(ctx, room, found[headKey(room)])
	if err != nil {
		return nil, nil, err
	}
	members := make([]*member, len(users))
	for i, user := range users {
		if members[i], err = o.readMember(room, user, found[memberKey(room, user)]); err != nil {
			return nil, nil, err
		}
	}
	return h, members, nil
}

// Member implements chat.Log.
func (s *Store) Member(
	ctx context.Context, room, user string,
) (m chat.Member, h chat.Head, err error) {
	err = s.do(ctx, "member", func(ctx context.Context, o *op) error {
		head, rows, err := o.roomAndMembers(ctx, room, user)
		switch {
		case err != nil:
			return err
		case head == nil:
			return noRoom(room)
		case room == chat.Lobby:
			m = inLobby(user)
		case rows[0] == nil:
			return noMember(room, user)
		default:
			m = rows[0].shown(head)
		}
		h = head.Head
		return nil
	})
	return m, h, err
}

func noMember(room, user string) error {
	return chat.E(chat.NotFound, "%s is no member of the room %s", user, room)
}

// inLobby is everyone's membership there.
func inLobby(user string) chat.Member {
	return chat.Member{Room: chat.Lobby, User: user, State: chat.Joined}
}

// Members implements chat.Log.
func (s *Store) Members(
	ctx context.Context, room, after string, limit int,
) (members []chat.Member, more bool, err error) {
	err = s.do(ctx, "members", func(ctx context.Context, o *op) error {
		h, err := o.head(ctx, room)
		if err != nil {
			return err
		}
		listed := prefixed(roomPK(room), memberPrefix, after)
		rows := o.query(ctx, listed, querying{pageSize: limit + 1})
		for it, err := range rows {
			if err != nil {
				return err
			}
			user := strings.TrimPrefix(keyOf(it).sk, memberPrefix)
			m, err := o.readMember(room, user, it)
			if err != nil {
				return err
			}
			if m.state(h) != chat.Joined {
				continue
			}
			if more = len(members) == limit; more {
				return nil
			}
			members = append(members, m.shown(h))
		}
		return nil
	})
	return members, more, err
}

// RoomsOf implements chat.Log. A user who was leaving and joining at once may be shown a
// membership that the room's head has outdated: chat.Head.Outdated tells.
func (s *Store) RoomsOf(ctx context.Context, user string) (rooms []chat.Member, err error) {
	err = s.do(ctx, "rooms of a user", func(ctx context.Context, o *op) error {
		rows, err := o.userRooms(ctx, user)
		if err != nil {
			return err
		}
		lobby := inLobby(user)
		for _, m := range rows {
			switch {
			case m.Room == chat.Lobby:
				lobby.Read = m.Read
			case m.State == chat.Joined || m.State == chat.Invited:
				rooms = append(rooms, m.shown(nil))
			}
		}
		rooms = append(rooms, lobby)
		slices.SortFunc(rooms, func(a, b chat.Member) int { return strings.Compare(a.Room, b.Room) })
		return nil
	})
	return rooms, err
}

// userRooms reads the user's rows of rooms, also of those left, which keep their read marker.
func (o *op) userRooms(ctx context.Context, user string) (rows []*member, err error) {
	for it, err := range o.query(ctx, prefixed(userPK(user), roomPrefix, ""), querying{}) {
		if err != nil {
			return nil, err
		}
		m, err := o.readMember(strings.TrimPrefix(keyOf(it).sk, roomPrefix), user, it)
		if err != nil {
			return nil, err
		}
		rows = append(rows, m)
	}
	return rows, nil
}

// MarkRead implements chat.Log.
func (s *Store) MarkRead(ctx context.Context, user, room string, seq uint64) error {
	return s.do(ctx, "mark read", func(ctx context.Context, o *op) error {
		_, _, err := o.update(ctx, userRoomKey(user, room), change{
			update: "SET r = :seq",
			when:   "attribute_not_exists(r) OR r < :seq",
			values: item{":seq": num(seq)},
		})
		return err
	})
}
