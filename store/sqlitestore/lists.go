package sqlitestore

import (
	"context"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// Heads reads heads: see chat.Log.
func (s *Store) Heads(ctx context.Context, rooms []string) ([]chat.Head, error) {
	heads := make([]chat.Head, 0, len(rooms))
	err := s.read(ctx, "heads", func(c *conn) error {
		for _, room := range rooms {
			_, h, err := s.head(c, room)
			switch {
			case chat.Is(err, chat.NotFound):
			case err != nil:
				return err
			default:
				heads = append(heads, h)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return heads, nil
}

// head gives a room's number and its head as of the last commit, from the cache if it is there.
func (s *Store) head(c *conn, name string) (int64, chat.Head, error) {
	r, commits := s.cache.get(name)
	if r == nil {
		err := c.within("BEGIN", func() (err error) {
			r, err = s.readRoom(c, name)
			return err
		})
		if err != nil {
			return 0, chat.Head{}, err
		}
		if r != nil {
			s.cache.offer(r, commits)
		}
	}
	if r != nil {
		if h := r.shown.Load(); h != nil {
			return r.n, *h, nil
		}
	}
	return 0, chat.Head{}, chat.E(chat.NotFound, "no such room")
}

// Member tells what a user is to a room: see chat.Log.
func (s *Store) Member(ctx context.Context, room, user string) (chat.Member, chat.Head, error) {
	m := chat.Member{Room: room, User: user, State: chat.Joined}
	var h chat.Head
	err := s.read(ctx, "member", func(c *conn) (err error) {
		var found memberRow
		if !s.people.absent(keyRooms, user) {
			if found, err = readMember(c, room, user); err != nil {
				return err
			}
		}
		// The head is read after the member, so that it tells of every leave the member has seen.
		if _, h, err = s.head(c, room); err != nil || h.Kind == chat.LobbyRoom {
			return err
		}
		if m = found.member(); m.State == 0 {
			return chat.E(chat.NotFound, "no such member")
		}
		return nil
	})
	if err != nil {
		return chat.Member{}, chat.Head{}, err
	}
	return m, h, nil
}

// page collects rows until limit of them are wanted; one more tells that there are others.
func page[T any](limit int, rows []T) ([]T, bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

// Members lists who has joined: see chat.Log.
func (s *Store) Members(
	ctx context.Context, room, after string, limit int,
) (members []chat.Member, more bool, err error) {
	err = s.read(ctx, "members", func(c *conn) error {
		if _, _, err := s.head(c, room); err != nil {
			return err
		}
		return c.each("SELECT "+memberColumns+` FROM members
			WHERE room = ? AND user > ? AND state = 1 ORDER BY user LIMIT ?`, func(r row) error {
			m, err := scanMember(r)
			members = append(members, m.member())
			return err
		}, room, after, int64(limit)+1)
	})
	if err != nil {
		return nil, false, err
	}
	members, more = page(limit, members)
	return members, more, nil
}

// PublicRooms lists the public rooms but the lobby: see chat.Log.
func (s *Store) PublicRooms(
	ctx context.Context, after string, limit int,
) (rooms []chat.RoomName, more bool, err error) {
	err = s.read(ctx, "public rooms", func(c *conn) error {
		return c.each("SELECT "+roomColumns+` FROM rooms INDEXED BY rooms_public
			WHERE kind = 2 AND room > ? ORDER BY room LIMIT ?`, func(r row) error {
			found, err := scanRoom(r)
			rooms = append(rooms, chat.RoomName{Room: found.head.Room, Name: found.head.Name})
			return err
		}, after, int64(limit)+1)
	})
	if err != nil {
		return nil, false, err
	}
	rooms, more = page(limit, rooms)
	return rooms, more, nil
}

// RoomsOf lists where a user is joined or invited: see chat.Log.
func (s *Store) RoomsOf(ctx context.Context, user string) ([]chat.Member, error) {
	kept, ticket := s.people.list(user)
	if kept != nil {
		return kept, nil
	}
	rooms, err := s.readRoomsOf(ctx, user)
	s.people.offer(user, rooms, ticket)
	return rooms, err
}

// readRoomsOf is RoomsOf from the tables.
func (s *Store) readRoomsOf(ctx context.Context, user string) ([]chat.Member, error) {
	rooms := []chat.Member{{Room: chat.Lobby, User: user, State: chat.Joined}}
	if s.people.absent(keyRooms, user) {
		return rooms, nil
	}
	read := map[string]uint64{}
	err := s.read(ctx, "rooms of", func(c *conn) error {
		err := c.each("SELECT "+memberColumns+" FROM members WHERE user = ?", func(r row) error {
			m, err := scanMember(r)
			if m.state != chat.Left {
				rooms = append(rooms, m.member())
			}
			return err
		}, user)
		if err != nil {
			return err
		}
		return c.each("SELECT "+readColumns+" FROM reads WHERE user = ?", func(r row) error {
			m, err := scanRead(r)
			read[m.room] = m.seq
			return err
		}, user)
	})
	if err != nil {
		return nil, err
	}
	for i := range rooms {
		rooms[i].Read = read[rooms[i].Room]
	}
	slices.SortFunc(rooms, func(a, b chat.Member) int { return strings.Compare(a.Room, b.Room) })
	return rooms, nil
}
