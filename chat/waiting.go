package chat

import (
	"context"
	"slices"
	"time"
)

// Waiting is what others have written to a user in direct rooms above its read markers.
type Waiting struct {
	Messages []Message // the oldest first
	More     bool      // there are others: ask again after Delivered, or later if there was nothing to deliver
	passed   []Member  // the markers, as Delivered moves them
}

// Empty tells whether nothing waits, not even the user's own messages to be passed over.
func (w *Waiting) Empty() bool { return len(w.passed) == 0 }

// HasWaiting tells whether any of the user's direct rooms has numbers above its read marker.
func (s *Service) HasWaiting(ctx context.Context, user string) (bool, error) {
	unread, err := s.unread(ctx, user, nil)
	return len(unread) > 0, err
}

// Waiting gives the messages that wait for the user in some of its direct rooms; no rooms: in all.
// It gives a page of each room, of all together not many more than ResumeMax messages.
func (s *Service) Waiting(ctx context.Context, user string, rooms []string) (Waiting, error) {
	unread, err := s.unread(ctx, user, rooms)
	if err != nil {
		return Waiting{}, err
	}
	var w Waiting
	var order ageOrder
	for i, m := range unread {
		if len(w.Messages) >= ResumeMax {
			w.More = true
			break
		}
		page, err := s.log.Messages(ctx, m.Room, Range{After: m.Read, Limit: MaxPage})
		if err != nil {
			return Waiting{}, err
		}
		w.More = w.More || page.More
		if n := len(page.Messages); n > 0 {
			m.Read = page.Messages[n-1].Seq
			w.passed = append(w.passed, m)
			order.add(i, toRead(user, page.Messages))
		}
	}
	w.Messages = order.messages()
	return w, nil
}

// Turn makes the caller the only one who hands over what waits for the user. See Connections.Turn.
func (s *Service) Turn(ctx context.Context, user string) (turn string, err error) {
	return s.conns.Turn(ctx, user, s.now())
}

// EndTurn ends it, or goes on with it. See Connections.EndTurn.
func (s *Service) EndTurn(ctx context.Context, user, turn string) (again bool, err error) {
	return s.conns.EndTurn(ctx, user, turn, s.now())
}

// Delivered moves the user's read markers past what waited.
func (s *Service) Delivered(ctx context.Context, w Waiting) error {
	for _, m := range w.passed {
		if err := s.log.MarkRead(ctx, m.User, m.Room, m.Read); err != nil {
			return err
		}
	}
	return nil
}

// unread gives the user's memberships of direct rooms, of some or of all, that have messages above
// the read marker.
func (s *Service) unread(ctx context.Context, user string, rooms []string) ([]Member, error) {
	members, err := s.log.RoomsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m Member) bool {
		return m.State != Joined || !isDirect(m.Room) ||
			len(rooms) > 0 && !slices.Contains(rooms, m.Room)
	})
	states, err := s.states(ctx, members)
	if err != nil {
		return nil, err
	}
	unread := make([]Member, 0, len(states))
	for _, st := range states {
		if st.Head.Seq > max(st.Member.Read, st.Head.Cut) {
			unread = append(unread, st.Member)
		}
	}
	return unread, nil
}

// toRead leaves out voids, tombstones and what the user wrote to others.
func toRead(user string, messages []Message) []Message {
	return slices.DeleteFunc(messages, func(m Message) bool {
		return m.State != Stored || m.From == user && m.Room != DirectID(user, user)
	})
}

// ageOrder puts the messages of several rooms in the order of their age. Those of one room stay in
// the order of their numbers, whatever the clock did.
type ageOrder []aged

type aged struct {
	room int
	at   time.Time
	m    Message
}

// add adds the messages of a room, which come in the order of their numbers.
func (o *ageOrder) add(room int, messages []Message) {
	var at time.Time
	for _, m := range messages {
		if m.At.After(at) {
			at = m.At
		}
		*o = append(*o, aged{room, at, m})
	}
}

func (o ageOrder) messages() []Message {
	slices.SortStableFunc(o, func(a, b aged) int { return a.at.Compare(b.at) })
	list := make([]Message, len(o))
	for i := range o {
		list[i] = o[i].m
	}
	return list
}
