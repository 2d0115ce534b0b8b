package chat

import (
	"context"
	"slices"
	"strings"
)

// RoomRow is a row of the list of rooms: one's own with its head, an invitation, or the name of
// a public room.
type RoomRow struct {
	Name      string
	Head      *Head  // of one's own rooms
	InvitedBy string // of invitations
	id        string
}

// PageOf checks a client's limit; 0 is the default.
func PageOf(limit int) (int, error) {
	if limit == 0 {
		return DefaultPage, nil
	}
	if limit < 1 || limit > MaxPage {
		return 0, BadField("limit", "limit: want 1 to %d", MaxPage)
	}
	return limit, nil
}

// ListRooms lists the caller's rooms and invitations and the public rooms, ascending, from after
// (exclusive).
func (s *Service) ListRooms(
	ctx context.Context, c Connection, after string, limit int,
) ([]RoomRow, bool, error) {
	limit, err := PageOf(limit)
	if err != nil {
		return nil, false, err
	}
	if !strings.HasPrefix(after, "@") {
		after = Fold(after)
	}
	rows, err := s.ownRows(ctx, c.User, after)
	if err != nil {
		return nil, false, err
	}
	public, more, err := s.log.PublicRooms(ctx, after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, r := range public {
		if !slices.ContainsFunc(rows, func(own RoomRow) bool { return own.id == r.Room }) {
			rows = append(rows, RoomRow{Name: r.Name, id: r.Room})
		}
	}
	slices.SortFunc(rows, func(a, b RoomRow) int { return strings.Compare(a.id, b.id) })
	if len(rows) > limit {
		return rows[:limit], true, nil
	}
	return rows, more, nil
}

// ownRows lists the rooms a user is in or invited to, from after.
func (s *Service) ownRows(ctx context.Context, user, after string) ([]RoomRow, error) {
	members, err := s.log.RoomsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m Member) bool { return m.Room <= after })
	states, err := s.states(ctx, members)
	if err != nil {
		return nil, err
	}
	rows := make([]RoomRow, 0, len(states))
	for _, st := range states {
		row := RoomRow{Name: st.Head.Name, id: st.Head.Room}
		if st.Member.State == Invited {
			row.InvitedBy = st.Member.InvitedBy
		} else {
			row.Head = &st.Head
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Person is a user and whether it is here.
type Person struct {
	User   string
	Name   string // what it is shown as besides; "" for nothing
	Online bool
}

// ListUsers lists the known users ascending by name, from after (exclusive).
func (s *Service) ListUsers(ctx context.Context, after string, limit int) ([]Person, bool, error) {
	limit, err := PageOf(limit)
	if err != nil {
		return nil, false, err
	}
	users, more, err := s.log.Users(ctx, after, limit)
	if err != nil {
		return nil, false, err
	}
	online, _, err := s.conns.Online(ctx, after, limit)
	if err != nil {
		return nil, false, err
	}
	people := make([]Person, len(users))
	for i, u := range users {
		_, here := slices.BinarySearch(online, u.Name)
		people[i] = Person{User: u.Name, Online: here}
	}
	people, err = s.shown(ctx, people)
	return people, more, err
}

// ListMembers lists the members of a room of the caller's, ascending, from after (exclusive).
func (s *Service) ListMembers(
	ctx context.Context, c Connection, room, after string, limit int,
) (Head, []Person, bool, error) {
	limit, err := PageOf(limit)
	if err != nil {
		return Head{}, nil, false, err
	}
	head, err := s.member(ctx, room, c.User)
	if err != nil {
		return Head{}, nil, false, err
	}
	if head.Kind == LobbyRoom {
		people, more, err := s.ListUsers(ctx, after, limit)
		return head, people, more, err
	}
	members, more, err := s.log.Members(ctx, head.Room, after, limit)
	if err != nil {
		return Head{}, nil, false, err
	}
	here, err := s.here(ctx, head)
	if err != nil {
		return Head{}, nil, false, err
	}
	people := make([]Person, len(members))
	for i, m := range members {
		people[i] = Person{User: m.User, Online: here[m.User]}
	}
	people, err = s.shown(ctx, people)
	return head, people, more, err
}

// here gives the users with a live connection that gets the room's messages.
func (s *Service) here(ctx context.Context, h Head) (map[string]bool, error) {
	users := map[string]bool{}
	for r, err := range s.Receivers(ctx, h) {
		if err != nil {
			return nil, err
		}
		users[r.User] = true
	}
	return users, nil
}
