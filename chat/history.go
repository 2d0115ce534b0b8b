package chat

import "context"

// History gives a page of a room that the caller has joined.
func (s *Service) History(ctx context.Context, c Connection, room string, r Range) (Page, error) {
	head, err := s.member(ctx, room, c.User)
	if err != nil {
		return Page{}, err
	}
	if r.Limit == 0 {
		r.Limit = DefaultPage
	}
	if r.Limit < 1 || r.Limit > MaxPage {
		return Page{}, BadField("limit", "limit: want 1 to %d", MaxPage)
	}
	return s.log.Messages(ctx, head.Room, r)
}

// Read moves the caller's read marker forward, at most to the head, and gives the room's head
// and where the marker is then: further on than seq, if another device was faster.
func (s *Service) Read(ctx context.Context, c Connection, room string, seq uint64) (Head, uint64, error) {
	head, err := s.member(ctx, room, c.User)
	if err != nil {
		return Head{}, 0, err
	}
	seq = min(seq, head.Seq)
	if err := s.log.MarkRead(ctx, c.User, head.Room, seq); err != nil {
		return Head{}, 0, err
	}
	rooms, err := s.log.RoomsOf(ctx, c.User)
	for _, m := range rooms {
		if m.Room == head.Room {
			seq = max(seq, m.Read)
		}
	}
	return head, seq, err
}

// Cursor is how far a client has read a room's log.
type Cursor struct {
	Room  string // as the client names it
	Epoch string
	Seq   uint64
}

// Missed is what a resume gives of one room.
type Missed struct {
	Head Head
	// Reset is not empty when the cursor cannot be resumed; it says why.
	Reset string
	// Seq is the last number that was sent, More tells that there are others.
	Seq  uint64
	More bool
}

// Resume sends the caller what it missed of a room after the cursor, page by page, at most limit
// messages. A room the caller is not in is left out as if it did not exist: ok is false.
func (s *Service) Resume(
	ctx context.Context, c Connection, cur Cursor, limit int, send func(Page) error,
) (m Missed, ok bool, err error) {
	head, err := s.member(ctx, cur.Room, c.User)
	switch KindOf(err) {
	case NotFound, NotMember, Invalid:
		return Missed{}, false, nil
	}
	if err != nil {
		return Missed{}, false, err
	}
	m = Missed{Head: head, Seq: cur.Seq}
	switch {
	case cur.Epoch != head.Epoch:
		m.Reset = "the room's log is another one than that of the cursor"
	case cur.Seq > head.Seq:
		m.Reset = "the cursor is beyond the room's log"
	default:
		err = s.sendMissed(ctx, &m, limit, send)
	}
	return m, true, err
}

func (s *Service) sendMissed(
	ctx context.Context, m *Missed, limit int, send func(Page) error,
) error {
	m.More = m.Seq < m.Head.Seq
	for m.More && limit > 0 {
		page, err := s.log.Messages(ctx, m.Head.Room, Range{After: m.Seq, Limit: min(limit, MaxPage)})
		if err != nil {
			return err
		}
		if page.Head.Cut > m.Seq { // it may have been cut meanwhile
			m.Head, m.Reset = page.Head, "messages after the cursor are not kept any more"
			return nil
		}
		m.More = page.More
		if len(page.Messages) == 0 {
			return nil
		}
		if err := send(page); err != nil {
			return err
		}
		limit -= len(page.Messages)
		m.Seq = page.Messages[len(page.Messages)-1].Seq
	}
	return nil
}
