package sqlitestore

import (
	"context"
	"sync"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Bounds of the tickets in memory.
const (
	maxTickets  = 65_536 // more are refused with Unavailable
	fewTickets  = 1_024  // that nobody looks through for those that are over
	ticketGrows = 2      // times as many as were left are looked through again
)

// tickets are in memory only: whose process ends asks for another, and no backup has one.
type tickets struct {
	mu   sync.Mutex
	rows map[auth.Hash]ticket
	most int // that there are before those that are over are removed
}

// ticket is a ticket and whether it was used.
type ticket struct {
	auth.Ticket
	used bool
}

func newTickets() *tickets { return &tickets{rows: map[auth.Hash]ticket{}, most: fewTickets} }

// PutTicket records a ticket: see auth.Sessions.
func (s *Store) PutTicket(_ context.Context, t auth.Ticket) error {
	k := s.tickets
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.rows[t.Hash]; ok {
		return nil
	}
	if len(k.rows) >= maxTickets {
		k.tidy(s.now())
	}
	if len(k.rows) >= maxTickets {
		return &chat.Error{
			Kind: chat.Unavailable, Op: "put ticket", Message: "too many tickets are waiting",
			RetryAfter: auth.TicketLife,
		}
	}
	k.rows[t.Hash] = ticket{Ticket: t}
	return nil
}

// UseTicket finds a ticket and ends it: see auth.Sessions.
func (s *Store) UseTicket(_ context.Context, h auth.Hash, now time.Time) (auth.Ticket, error) {
	k := s.tickets
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rows) >= k.most {
		k.tidy(now)
	}
	t, ok := k.rows[h]
	if !ok || t.used || !now.Before(t.Until) {
		return auth.Ticket{}, named("use ticket", chat.E(chat.NotFound, "this ticket is over"))
	}
	k.rows[h] = ticket{t.Ticket, true} // and stays, so that the same one is not put again
	return t.Ticket, nil
}

// tidy removes the tickets that are over.
func (k *tickets) tidy(now time.Time) {
	for h, t := range k.rows {
		if !now.Before(t.Until) {
			delete(k.rows, h)
		}
	}
	k.most = max(fewTickets, ticketGrows*len(k.rows))
}
