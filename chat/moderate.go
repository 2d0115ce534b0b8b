package chat

import "context"

// Remove ends somebody else's membership in a room that the caller has made, or their invitation.
// settled is as LeaveRoom's. Who is removed may join a public room again.
func (s *Service) Remove(
	ctx context.Context, c Connection, name, user string,
) (head Head, u User, settled bool, err error) {
	head, err = s.member(ctx, name, c.User)
	if err != nil {
		return Head{}, User{}, false, err
	}
	if head.Owner != c.User {
		return Head{}, User{}, false, E(Forbidden, "only who made the room %s removes others", head.Name)
	}
	if u, err = s.find(ctx, "user", user); err != nil {
		return Head{}, User{}, false, err
	}
	if u.Name == c.User {
		return Head{}, User{}, false, BadField("user", "user: to go yourself, use leaveRoom")
	}
	settled, err = s.remove(ctx, head, u)
	return head, u, settled, err
}

// RemoveAny is Remove for those who may do it everywhere: who they are is the caller's to check.
func (s *Service) RemoveAny(
	ctx context.Context, name, user string,
) (head Head, u User, settled bool, err error) {
	if head, err = s.headNamed(ctx, name); err != nil {
		return Head{}, User{}, false, err
	}
	if head.Kind == LobbyRoom || head.Kind == DirectRoom {
		return Head{}, User{}, false, E(Forbidden, "nobody is removed from the lobby or a direct room")
	}
	if u, err = s.find(ctx, "user", user); err != nil {
		return Head{}, User{}, false, err
	}
	settled, err = s.remove(ctx, head, u)
	return head, u, settled, err
}

// headNamed gives the head of a room that somebody names.
func (s *Service) headNamed(ctx context.Context, name string) (Head, error) {
	room, err := RoomID(name)
	if err != nil {
		return Head{}, err
	}
	head, err := s.HeadOf(ctx, room)
	if Is(err, NotFound) {
		err = E(NotFound, "no room %s", name)
	}
	return head, err
}

func (s *Service) remove(ctx context.Context, head Head, u User) (settled bool, err error) {
	m, _, err := s.log.Member(ctx, head.Room, u.Name)
	if Is(err, NotFound) || err == nil && m.State == Left {
		return false, E(NotFound, "%s is not in the room %s", u.Name, head.Name)
	}
	if err == nil {
		err = s.log.Leave(ctx, head.Room, u.Name)
	}
	if err != nil {
		return false, err
	}
	return s.Unsubscribe(ctx, head.Room, u.Name) == nil &&
		s.conns.Note(ctx, u.Name, []string{head.Room}) == nil, nil
}

// DeleteAny takes the text of anybody's message away, for those who may do it everywhere: who they
// are is the caller's to check.
func (s *Service) DeleteAny(ctx context.Context, name string, seq uint64) (Head, Message, error) {
	head, err := s.headNamed(ctx, name)
	if err != nil {
		return Head{}, Message{}, err
	}
	m, err := s.log.Delete(ctx, head.Room, seq, "")
	if Is(err, NotFound) {
		err = E(NotFound, "no message %d in the room %s", seq, head.Name)
	}
	return head, m, err
}
