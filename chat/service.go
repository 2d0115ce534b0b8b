package chat

import (
	"context"
	"time"
)

// Service has the use cases. It holds configuration only: any number of services, in any number
// of processes, may work on the same stores.
//
// The caller of a use case is the row of its connection, as Touch gave it: who speaks is never
// taken from what is said.
type Service struct {
	// LobbyOff refuses messages to the lobby, where each is posted to everyone. Set it before use.
	LobbyOff bool

	log   Log
	conns Connections
	now   func() time.Time
}

// NewService makes the use cases on two stores and a clock.
func NewService(log Log, conns Connections, now func() time.Time) *Service {
	return &Service{log: log, conns: conns, now: now}
}

// Touch counts an action of a connection and gives its row. See Connections.Touch.
func (s *Service) Touch(ctx context.Context, id string, p Pulse) (Connection, error) {
	return s.conns.Touch(ctx, id, s.now(), p)
}

// RoomID gives the id of a room that a client names: the lobby when it names none, a direct
// room's id unchanged, else the folded name.
func RoomID(name string) (string, error) {
	if name == "" {
		return Lobby, nil
	}
	if _, _, ok := DirectUsers(name); ok {
		return name, nil
	}
	clean, err := CleanName("room", name)
	if err != nil {
		return "", err
	}
	return Fold(clean), nil
}

// member gives the head of a room that the user has joined. Left is NotMember; everything else,
// an invitation too, is NotFound: no such room and not yours are the same answer.
func (s *Service) member(ctx context.Context, name, user string) (Head, error) {
	room, err := RoomID(name)
	if err != nil {
		return Head{}, err
	}
	m, head, err := s.log.Member(ctx, room, user)
	switch {
	case Is(err, NotFound), err == nil && m.State == Invited:
		return Head{}, noRoom(name)
	case err != nil:
		return Head{}, err
	case m.State == Left:
		return Head{}, E(NotMember, "you have left the room %s", name)
	}
	return head, nil
}

func noRoom(name string) error {
	if name == "" {
		name = Lobby
	}
	return E(NotFound, "no room %s that you are a member of", name)
}

// find gives the user of that name in any case.
func (s *Service) find(ctx context.Context, field, name string) (User, error) {
	clean, err := CleanName(field, name)
	if err != nil {
		return User{}, err
	}
	u, err := s.log.User(ctx, clean)
	if Is(err, NotFound) {
		return User{}, E(NotFound, "no user %s", clean)
	}
	return u, err
}

// record gives the user of that name, and makes it if it was not known: nobody had the name.
func (s *Service) record(ctx context.Context, name string) (u User, known bool, err error) {
	u, err = s.log.User(ctx, name)
	if !Is(err, NotFound) {
		return u, true, err
	}
	u = User{Name: name, Since: s.now()}
	err = s.log.PutUser(ctx, u)
	if Is(err, Taken) { // another spelling was faster
		u, err = s.log.User(ctx, name)
		return u, true, err
	}
	return u, false, err
}
