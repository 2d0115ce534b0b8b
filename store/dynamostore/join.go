package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// Join implements chat.Log. Its writes are, in this order: the head of a room that is made and its
// row in the list of public rooms, the member, the user's room.
func (s *Store) Join(ctx context.Context, j chat.Join) (m chat.Member, h chat.Head, err error) {
	err = s.do(ctx, "join", func(ctx context.Context, o *op) error {
		for {
			head, now, err := o.joinOnce(ctx, j)
			if err != nil {
				return err
			}
			if now != nil {
				m, h = now.shown(nil), head.Head
				return nil
			}
		}
	})
	return m, h, err
}

// joinOnce admits or invites, unless the membership changes at the same time: then the member is
// nil, and it is to be done again.
func (o *op) joinOnce(ctx context.Context, j chat.Join) (*head, *member, error) {
	users := []string{j.User}
	if j.By != "" {
		users = append(users, j.By)
	}
	h, rows, err := o.roomAndMembers(ctx, j.Room, users...)
	if err != nil {
		return nil, nil, err
	}
	if h != nil && h.Kind == chat.LobbyRoom {
		return h, &member{Member: inLobby(j.User)}, nil
	}
	if h, err = o.roomToJoin(ctx, j, h); err != nil {
		return nil, nil, err
	}
	old := rows[0]
	want := chat.Member{Room: j.Room, User: j.User, State: chat.Joined, Gen: h.Gen}
	if j.By != "" {
		err = mayInvite(j, rows[1].state(h))
		want.State, want.InvitedBy = chat.Invited, j.By
	} else {
		err = o.mayJoin(ctx, j, h, old.state(h))
	}
	if err != nil {
		return nil, nil, err
	}
	if old.state(h) == chat.Joined {
		want = old.Member // its rows may not be complete
	} else if done, err := o.putMember(ctx, want, old); err != nil || !done {
		return nil, nil, err
	}
	if err := o.putUserRoom(ctx, want); err != nil {
		return nil, nil, err
	}
	return o.confirm(ctx, want)
}

// roomToJoin makes the room if it is absent and the join says so, and completes what an earlier
// maker has begun.
func (o *op) roomToJoin(ctx context.Context, j chat.Join, h *head) (*head, error) {
	if h == nil {
		if j.By != "" || j.Kind == 0 {
			return nil, noRoom(j.Room)
		}
		if err := o.mayJoinOneMore(ctx, j.User, j.Kind); err != nil {
			return nil, err
		}
		owner := j.User
		if j.Kind == chat.DirectRoom {
			owner = ""
		}
		var err error
		if h, err = o.makeHead(ctx, j.Room, j.Name, j.Kind, owner); err != nil {
			return nil, err
		}
	}
	if h.Kind == chat.PublicRoom && !h.listed {
		return h, o.list(ctx, h)
	}
	return h, nil
}

// list writes a public room's row in the list, and then in the head that this is done.
func (o *op) list(ctx context.Context, h *head) error {
	it := publicRoomKey(h.Room).item()
	it[attrName] = str(h.Name)
	if _, _, err := o.put(ctx, it, change{}); err != nil {
		return err
	}
	_, _, err := o.update(ctx, headKey(h.Room), change{
		update: "SET li = :yes", when: exists, values: item{":yes": yes()},
	})
	return err
}

func mayInvite(j chat.Join, inviter chat.MemberState) error {
	switch inviter {
	case chat.Joined:
		return nil
	case chat.Left:
		return chat.E(chat.NotMember, "%s has left the room %s", j.By, j.Room)
	}
	return noMember(j.Room, j.By)
}

// mayJoin tells whether a user of that state may join the room.
func (o *op) mayJoin(ctx context.Context, j chat.Join, h *head, state chat.MemberState) error {
	mine := h.Owner == j.User
	switch {
	case j.Kind == chat.PrivateRoom && !mine:
		return chat.E(chat.Taken, "the room %s is somebody else's", j.Room)
	case state == chat.Joined:
		return nil
	case h.Kind == chat.PrivateRoom && !mine && state != chat.Invited:
		return chat.E(chat.Taken, "the room %s is private", j.Room)
	}
	return o.mayJoinOneMore(ctx, j.User, h.Kind)
}

// mayJoinOneMore holds a user to chat.MaxRooms, but for what joins at the same instant.
func (o *op) mayJoinOneMore(ctx context.Context, user string, kind chat.RoomKind) error {
	if kind == chat.DirectRoom {
		return nil
	}
	rows, err := o.userRooms(ctx, user)
	if err != nil {
		return err
	}
	joined := 0
	for _, m := range rows {
		if _, _, direct := chat.DirectUsers(m.Room); m.State == chat.Joined && !direct {
			joined++
		}
	}
	if joined >= chat.MaxRooms {
		return chat.E(chat.Limited, "%s is in %d rooms, the limit", user, joined)
	}
	return nil
}

// putMember writes the room's row of a member in the place of the row that was read, or of none.
// done is false when there is another row by now.
func (o *op) putMember(ctx context.Context, m chat.Member, old *member) (done bool, err error) {
	it := memberKey(m.Room, m.User).item()
	it[attrState] = num(m.State)
	it[attrGen] = num(m.Gen)
	it[attrAt] = millis(o.Now())
	setStr(it, attrInviter, m.InvitedBy)
	c := change{when: isAbsent}
	if old != nil {
		c = change{when: "s = :s AND g = :g", values: item{":s": num(old.State), ":g": num(old.Gen)}}
	}
	found, done, err := o.put(ctx, it, c)
	if err != nil || done {
		return done, err
	}
	now, err := o.readMember(m.Room, m.User, found)
	return now != nil && now.Member == m, err // an answer was lost: it is our own
}

// putUserRoom lists a room with its member, unless a later generation of the membership is there.
func (o *op) putUserRoom(ctx context.Context, m chat.Member) error {
	c := change{
		update: "SET s = :s, g = :g",
		when:   "attribute_not_exists(g) OR g <= :g",
		values: item{":s": num(m.State), ":g": num(m.Gen)},
	}
	if m.State == chat.Invited {
		c.update += ", inv = :inv"
		c.values[":inv"] = str(m.InvitedBy)
	} else {
		c.update += " REMOVE inv"
	}
	_, _, err := o.update(ctx, userRoomKey(m.User, m.Room), c)
	return err
}

// confirm reads the head once more after a membership is written: a Leave at the same time may
// have outdated it, before it found the user's room to take away.
func (o *op) confirm(ctx context.Context, m chat.Member) (*head, *member, error) {
	h, err := o.head(ctx, m.Room)
	if err != nil {
		return nil, nil, err
	}
	if m.State == chat.Joined && h.Outdated(m.User, m.Gen) {
		return nil, nil, o.leaveUserRoom(ctx, m)
	}
	return h, &member{Member: m}, nil
}
