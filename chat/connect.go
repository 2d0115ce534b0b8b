package chat

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
)

// newlyOnline is the age up to which another connection of a user does not count as having been
// here before, so that two that open at once cannot each take the other for the first.
const newlyOnline = 10 * time.Second

// Connect records a connection of the user named c.User and subscribes it to the user's rooms.
// The row that is returned carries the name as first written. An id that was closed: Taken; too
// many connections of the user: Limited.
func (s *Service) Connect(ctx context.Context, c Connection) (Connection, error) {
	name, err := CleanName("name", c.User)
	if err != nil {
		return Connection{}, err
	}
	u, known, err := s.record(ctx, name)
	if err != nil {
		return Connection{}, err
	}
	c.User = u.Name
	var subscribed []Member // none yet of a new user, and catchUp finds what comes meanwhile
	if known {
		if subscribed, err = s.subscriptions(ctx, c.User); err != nil {
			return Connection{}, err
		}
	}
	if err := s.conns.Open(ctx, c, subscribed); err != nil {
		return Connection{}, err
	}
	err = s.catchUp(ctx, c.User, subscribed)
	if err == nil {
		err = s.noteArrival(ctx, c, subscribed)
	}
	if err != nil { // it is refused, and nobody will tell that it has ended
		_, closing := s.conns.Close(context.WithoutCancel(ctx), c.ID)
		return Connection{}, errors.Join(err, closing)
	}
	return c, nil
}

// subscriptions are the memberships that need a subscription: lobby and direct rooms find their
// receivers without.
func (s *Service) subscriptions(ctx context.Context, user string) ([]Member, error) {
	members, err := s.log.RoomsOf(ctx, user)
	return slices.DeleteFunc(members, func(m Member) bool {
		return m.State != Joined || m.Room == Lobby || isDirect(m.Room)
	}), err
}

func isDirect(room string) bool {
	_, _, ok := DirectUsers(room)
	return ok
}

// catchUp does for a connection what another one of the user joined or left while it was opening.
func (s *Service) catchUp(ctx context.Context, user string, subscribed []Member) error {
	now, err := s.subscriptions(ctx, user)
	if err != nil {
		return err
	}
	for _, m := range now {
		if slices.Contains(subscribed, m) {
			continue
		}
		if err := s.conns.Subscribe(ctx, m); err != nil {
			return err
		}
	}
	for _, m := range subscribed {
		if slices.Contains(roomsOf(now), m.Room) {
			continue
		}
		if err := s.conns.Unsubscribe(ctx, m.Room, user); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) noteArrival(ctx context.Context, c Connection, members []Member) error {
	if len(members) == 0 {
		return nil
	}
	all, err := s.conns.OfUser(ctx, c.User)
	if err != nil {
		return err
	}
	for _, other := range all {
		if c.ConnectedAt.Sub(other.ConnectedAt) > newlyOnline {
			return nil
		}
	}
	return s.conns.Note(ctx, c.User, roomsOf(members))
}

// noteDeparture notes that a user has no connection left.
func (s *Service) noteDeparture(ctx context.Context, user string) error {
	left, err := s.conns.OfUser(ctx, user)
	if err != nil || len(left) > 0 {
		return err
	}
	members, err := s.subscriptions(ctx, user)
	if err != nil || len(members) == 0 {
		return err
	}
	return s.conns.Note(ctx, user, roomsOf(members))
}

func roomsOf(members []Member) []string {
	rooms := make([]string, len(members))
	for i, m := range members {
		rooms[i] = m.Room
	}
	return rooms
}

// Disconnect ends a connection, once, and gives its row: later calls and unknown ids change nothing
// and give the zero Connection.
func (s *Service) Disconnect(ctx context.Context, id string) (Connection, error) {
	c, err := s.conns.Close(ctx, id)
	if Is(err, NotFound) {
		return Connection{}, nil
	}
	if err != nil {
		return Connection{}, err
	}
	return c, s.noteDeparture(ctx, c.User)
}

// Lapsed yields the connections whose time is over. See Connections.Lapsed.
func (s *Service) Lapsed(ctx context.Context) iter.Seq2[Connection, error] {
	return s.conns.Lapsed(ctx, s.now())
}

// SetName makes the connection one of the user of that name, and a named one. A user who is here on
// another connection keeps the name: Taken. Who has signed in keeps the name of its account:
// Forbidden.
func (s *Service) SetName(ctx context.Context, c Connection, name string) (Connection, error) {
	if c.Session != "" {
		return Connection{}, E(Forbidden, "you are signed in as %s, and that stays", c.User)
	}
	clean, err := CleanName("name", name)
	if err != nil {
		return Connection{}, err
	}
	u, _, err := s.record(ctx, clean)
	if err != nil || u.Name == c.User && !c.NamedAt.IsZero() {
		return c, err
	}
	members, err := s.subscriptions(ctx, u.Name)
	if err != nil {
		return Connection{}, err
	}
	renamed, err := s.conns.Rename(ctx, c.ID, u.Name, members)
	if Is(err, Taken) {
		return Connection{}, E(Taken, "the name %s is taken", u.Name)
	}
	if err != nil {
		return Connection{}, err
	}
	if err := s.catchUp(ctx, u.Name, members); err != nil {
		return Connection{}, err
	}
	if err := s.noteDeparture(ctx, c.User); err != nil {
		return Connection{}, err
	}
	return renamed, s.noteArrival(ctx, renamed, members)
}

// Announce remembers that others are told of a user's coming or going. See Connections.Announce.
func (s *Service) Announce(ctx context.Context, user string, here bool) (news bool, err error) {
	return s.conns.Announce(ctx, user, here, s.now())
}

// Find gives the row of a live connection, for a payload sent straight to it.
func (s *Service) Find(ctx context.Context, id string) (Connection, error) {
	c, err := s.conns.Get(ctx, id)
	if Is(err, NotFound) {
		return Connection{}, E(NotFound, "no open connection %q", id)
	}
	return c, err
}

// DevicesNamed lists the live connections of a user in whatever spelling of the name; who is unknown
// has none.
func (s *Service) DevicesNamed(ctx context.Context, name string) ([]Connection, error) {
	u, err := s.find(ctx, "user", name)
	if Is(err, NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.Devices(ctx, u.Name)
}

// Devices lists the live connections of a user, by the name as it is recorded.
func (s *Service) Devices(ctx context.Context, user string) ([]Connection, error) {
	return s.conns.OfUser(ctx, user)
}

// Receivers yields who gets a message of the room that was numbered under the head: those of
// Connections.Receivers but users removed before it.
func (s *Service) Receivers(ctx context.Context, h Head) iter.Seq2[Receiver, error] {
	all := s.conns.Receivers(ctx, h)
	if len(h.Removed) == 0 {
		return all
	}
	return func(yield func(Receiver, error) bool) {
		for r, err := range all {
			if err == nil && h.Outdated(r.User, r.Gen) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
