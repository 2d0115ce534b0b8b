package dynamostore

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Messages implements chat.Log.
func (s *Store) Messages(
	ctx context.Context, room string, r chat.Range,
) (page chat.Page, err error) {
	err = s.do(ctx, "messages", func(ctx context.Context, o *op) error {
		h, err := o.head(ctx, room)
		if err != nil {
			return err
		}
		rd := &reading{op: o, head: h, limit: r.Limit}
		if r.Before == 0 {
			err = rd.forward(ctx, r.After)
		} else {
			err = rd.backward(ctx, min(r.Before, h.Seq+1), r.Before > h.Seq)
		}
		page = chat.Page{Head: h.Head, Messages: rd.messages, More: rd.more}
		return err
	})
	if err != nil {
		return chat.Page{}, err
	}
	return page, nil
}

// reading is one page in the making. A number that is missing ends it, unless the number was
// given so long ago that it may be fenced off.
type reading struct {
	*op
	head     *head
	limit    int
	size     int // of the messages so far, by JSONSize
	messages []chat.Message
	more     bool
}

// forward reads from after+1.
func (rd *reading) forward(ctx context.Context, after uint64) error {
	if after >= rd.head.Seq {
		return nil
	}
	src := rd.open(ctx, after+1, rd.head.Seq, false)
	defer src.close()
	for n := after + 1; n <= rd.head.Seq; n++ {
		if rd.full() {
			return nil
		}
		m, err := src.take(n)
		if err == nil && m == nil {
			m, err = rd.settle(ctx, n, src.upcoming(rd.head.at))
		}
		if err != nil {
			return err
		}
		if m == nil || !rd.add(m) {
			rd.more = true
			return nil
		}
	}
	return nil
}

// backward reads down from before-1. At the end of the log, where numbers may still be on their
// way, the page is what lies below the lowest of those.
func (rd *reading) backward(ctx context.Context, before uint64, atEnd bool) error {
	for before > 1 {
		missing, err := rd.down(ctx, before)
		if err != nil {
			return err
		}
		if missing == 0 || !atEnd {
			break
		}
		before, rd.messages, rd.size = missing, nil, 0
		rd.more = true
	}
	slices.Reverse(rd.messages)
	return nil
}

// down reads one page from before-1, the highest number first. It gives the number that is not
// yet settled and ended it, else 0.
func (rd *reading) down(ctx context.Context, before uint64) (missing uint64, err error) {
	src := rd.open(ctx, 1, before-1, true)
	defer src.close()
	var next time.Time // of the stored message above
	for n := before - 1; n > 0; n-- {
		if rd.full() {
			return 0, nil
		}
		m, err := src.take(n)
		switch {
		case err != nil:
			return 0, err
		case m != nil:
			next = m.at
		default:
			if next.IsZero() {
				if next, err = rd.timeAbove(ctx, n); err != nil {
					return 0, err
				}
			}
			if m, err = rd.settle(ctx, n, next); err != nil {
				return 0, err
			}
		}
		if m == nil || !rd.add(m) {
			rd.more = true
			if m == nil {
				return n, nil
			}
			return 0, nil
		}
	}
	return 0, nil
}

// timeAbove gives the time of the first stored message above n, or of the head's last number.
func (rd *reading) timeAbove(ctx context.Context, n uint64) (time.Time, error) {
	above := messagesFrom(rd.head.Room, n+1, max(n+1, rd.head.Seq))
	for it, err := range rd.query(ctx, above, querying{pageSize: 1}) {
		if err != nil {
			return time.Time{}, err
		}
		m, err := rd.readMessage(rd.head.Room, it)
		if err != nil {
			return time.Time{}, err
		}
		return m.at, nil
	}
	return rd.head.at, nil
}

// settle decides about a missing number, given when the next one was stored: older than
// chat.SettleAfter it is fenced off, unless its message arrived meanwhile. Nil: it is too early.
func (rd *reading) settle(ctx context.Context, n uint64, next time.Time) (*message, error) {
	if rd.Now().Sub(next) <= chat.SettleAfter {
		return nil, nil
	}
	return rd.fence(ctx, rd.head.Room, n)
}

// full ends the page where it has as many messages as it may.
func (rd *reading) full() bool {
	if len(rd.messages) < rd.limit {
		return false
	}
	rd.more = true
	return true
}

// add takes a message into the page, unless it makes the page too large.
func (rd *reading) add(m *message) bool {
	size := m.JSONSize()
	if len(rd.messages) > 0 && rd.size+size > chat.MaxPageBytes {
		return false
	}
	rd.messages = append(rd.messages, m.Message)
	rd.size += size
	return true
}

// source gives the stored messages of a range one by one.
type source struct {
	rd   *reading
	next func() (item, error, bool)
	stop func()
	held *message // read and not yet taken
	done bool
}

// open begins to read the stored messages with numbers from lo to hi.
func (rd *reading) open(ctx context.Context, lo, hi uint64, backward bool) *source {
	all := rd.query(ctx, messagesFrom(rd.head.Room, lo, hi), querying{
		backward: backward, pageSize: rd.limit,
	})
	next, stop := iter.Pull2(all)
	return &source{rd: rd, next: next, stop: stop}
}

func (s *source) close() { s.stop() }

// take gives message n if it is the next one that is stored, else nil.
func (s *source) take(n uint64) (*message, error) {
	if s.held == nil && !s.done {
		it, err, ok := s.next()
		if err != nil {
			return nil, err
		}
		s.done = !ok
		if ok {
			if s.held, err = s.rd.readMessage(s.rd.head.Room, it); err != nil {
				return nil, err
			}
		}
	}
	if s.held == nil || s.held.Seq != n {
		return nil, nil
	}
	m := s.held
	s.held = nil
	return m, nil
}

// upcoming gives the time of the next stored message, or where there is none the other time.
func (s *source) upcoming(other time.Time) time.Time {
	if s.held != nil {
		return s.held.at
	}
	return other
}
