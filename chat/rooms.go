package chat

import (
	"context"
	"slices"
)

// RoomState is one of a user's rooms with its head.
type RoomState struct {
	Member Member
	Head   Head
}

// Rooms gives the rooms that the user has joined, with their heads: the lobby and joined ones, then
// direct ones, at most MaxListed in all. ListRooms pages through everything.
func (s *Service) Rooms(ctx context.Context, user string) ([]RoomState, error) {
	members, err := s.log.RoomsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m Member) bool { return m.State != Joined })
	slices.SortStableFunc(members, directLast) // others cannot make the joined ones too many
	return s.states(ctx, members[:min(len(members), MaxListed)])
}

func directLast(a, b Member) int {
	switch {
	case isDirect(a.Room) == isDirect(b.Room):
		return 0
	case isDirect(a.Room):
		return 1
	}
	return -1
}

// states adds the heads. A row that a Join left behind which lost against a Leave is left out.
func (s *Service) states(ctx context.Context, members []Member) ([]RoomState, error) {
	heads := make(map[string]Head, len(members))
	for chunk := range slices.Chunk(members, MaxHeads) {
		some, err := s.log.Heads(ctx, roomsOf(chunk))
		if err != nil {
			return nil, err
		}
		for _, h := range some {
			heads[h.Room] = h
		}
	}
	states := make([]RoomState, 0, len(members))
	for _, m := range members {
		h, ok := heads[m.Room]
		if ok && (m.State != Joined || !h.Outdated(m.User, m.Gen)) {
			states = append(states, RoomState{m, h})
		}
	}
	return states, nil
}

// JoinRoom admits the caller to a room, and makes it if there is none. The head is read after the
// caller's connections are subscribed, so that nothing falls between it and the first push.
func (s *Service) JoinRoom(
	ctx context.Context, c Connection, name string, private bool,
) (Head, error) {
	room, err := RoomID(name)
	if err != nil {
		return Head{}, err
	}
	if room == Lobby || isDirect(room) {
		return s.member(ctx, name, c.User)
	}
	clean, err := CleanName("room", name)
	if err != nil {
		return Head{}, err
	}
	kind := PublicRoom
	if private {
		kind = PrivateRoom
	}
	m, _, err := s.log.Join(ctx, Join{Room: room, Name: clean, User: c.User, Kind: kind})
	switch {
	case Is(err, Taken):
		return Head{}, E(Taken, "the room %s is private, or somebody else's", clean)
	case err != nil:
		return Head{}, err
	}
	head, err := s.follow(ctx, m)
	if err != nil {
		return Head{}, err
	}
	return head, s.conns.Note(ctx, c.User, []string{room})
}

// follow makes the subscriptions of a user's connections to a room what the membership says. It
// reads the membership again afterwards, because two devices may join and leave at once, and the
// head that it gives is read after the subscription, so that nothing falls between the two.
func (s *Service) follow(ctx context.Context, m Member) (Head, error) {
	for {
		change := func() error { return s.conns.Unsubscribe(ctx, m.Room, m.User) }
		if m.State == Joined {
			change = func() error { return s.conns.Subscribe(ctx, m) }
		}
		if err := change(); err != nil {
			return Head{}, err
		}
		now, head, err := s.log.Member(ctx, m.Room, m.User)
		if Is(err, NotFound) {
			now, err = Member{Room: m.Room, User: m.User, State: Left}, nil
		}
		if err != nil {
			return Head{}, err
		}
		in := m.State == Joined
		if in == (now.State == Joined) && (!in || now.Gen == m.Gen) {
			return head, nil
		}
		m = now
	}
}

// HeadOf gives a room's head, whoever asks.
func (s *Service) HeadOf(ctx context.Context, room string) (Head, error) {
	heads, err := s.log.Heads(ctx, []string{room})
	if err != nil {
		return Head{}, err
	}
	if len(heads) == 0 {
		return Head{}, noRoom(room)
	}
	return heads[0], nil
}

// LeaveRoom ends the caller's membership or declines an invitation. settled is false when the
// subscriptions could not be ended: Unsubscribe is to be repeated later, and until then the
// room's head keeps the user from receiving.
func (s *Service) LeaveRoom(
	ctx context.Context, c Connection, name string,
) (head Head, settled bool, err error) {
	room, err := RoomID(name)
	if err != nil {
		return Head{}, false, err
	}
	if room == Lobby || isDirect(room) {
		if _, err := s.member(ctx, name, c.User); err != nil {
			return Head{}, false, err
		}
		return Head{}, false, E(Forbidden, "nobody leaves the lobby or a direct room")
	}
	_, head, err = s.log.Member(ctx, room, c.User)
	if err == nil {
		err = s.log.Leave(ctx, room, c.User)
	}
	if Is(err, NotFound) {
		err = noRoom(name)
	}
	if err != nil {
		return Head{}, false, err
	}
	settled = s.Unsubscribe(ctx, room, c.User) == nil &&
		s.conns.Note(ctx, c.User, []string{room}) == nil
	return head, settled, nil
}

// Unsubscribe ends the subscriptions of a user who has left the room. It does nothing when the user
// has joined again.
func (s *Service) Unsubscribe(ctx context.Context, room, user string) error {
	m, _, err := s.log.Member(ctx, room, user)
	if Is(err, NotFound) {
		m, err = Member{Room: room, User: user, State: Left}, nil
	}
	if err != nil || m.State == Joined {
		return err
	}
	_, err = s.follow(ctx, m)
	return err
}

// Invite records that user may join a room of the caller's.
func (s *Service) Invite(ctx context.Context, c Connection, name, user string) (Head, User, error) {
	head, err := s.member(ctx, name, c.User)
	if err != nil {
		return Head{}, User{}, err
	}
	if head.Kind == LobbyRoom || head.Kind == DirectRoom {
		return Head{}, User{}, E(Forbidden, "nobody is invited to the lobby or to a direct room")
	}
	u, err := s.find(ctx, "user", user)
	if err != nil {
		return Head{}, User{}, err
	}
	_, _, err = s.log.Join(ctx, Join{Room: head.Room, Name: head.Name, User: u.Name, By: c.User})
	return head, u, err
}
