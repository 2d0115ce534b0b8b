package chat

import "context"

// Presence is who came and who went in a room since it was told last.
type Presence struct {
	Head      Head
	Online    []string
	Offline   []string
	Receivers []Receiver
}

// TakePresence gives what is to be told about the presence of noted users, as it is now, and
// forgets the notes. Rooms with more than PresenceMax connections are left out.
func (s *Service) TakePresence(ctx context.Context, tell func(Presence)) error {
	for noted, err := range s.conns.Noted(ctx) {
		if err != nil {
			return err
		}
		p, err := s.presence(ctx, noted)
		if err != nil {
			return err
		}
		if len(p.Receivers) > 0 && len(p.Receivers) <= PresenceMax {
			tell(p)
		}
	}
	return nil
}

func (s *Service) presence(ctx context.Context, noted RoomUsers) (Presence, error) {
	head, err := s.HeadOf(ctx, noted.Room)
	if Is(err, NotFound) {
		return Presence{}, nil
	}
	if err != nil {
		return Presence{}, err
	}
	p := Presence{Head: head}
	here := map[string]bool{}
	for r, err := range s.Receivers(ctx, head) {
		if err != nil {
			return Presence{}, err
		}
		here[r.User] = true
		if p.Receivers = append(p.Receivers, r); len(p.Receivers) > PresenceMax {
			break
		}
	}
	for _, user := range noted.Users {
		if here[user] {
			p.Online = append(p.Online, user)
		} else {
			p.Offline = append(p.Offline, user)
		}
	}
	return p, nil
}

// Typing tells whether the other members may be told now that the caller is writing in the room;
// at most once in TypingEvery they may.
func (s *Service) Typing(ctx context.Context, c Connection, room string) (Head, bool, error) {
	head, err := s.member(ctx, room, c.User)
	if err != nil {
		return Head{}, false, err
	}
	due, err := s.conns.Typed(ctx, c.User, s.now())
	return head, due, err
}
