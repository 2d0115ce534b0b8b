package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Sessions is an auth.Sessions in memory: the model that others are tested against.
type Sessions struct {
	mu       sync.Mutex
	accounts map[string]auth.Account // by id
	links    map[auth.Hash]*link
	sessions map[auth.Hash]auth.Session
	tickets  map[auth.Hash]ticket
	audit    []auth.Entry // ascending by id
}

var _ auth.Sessions = (*Sessions)(nil)

// link is a link and the accounts that have used it.
type link struct {
	auth.Link
	users map[string]bool
}

// ticket is a ticket and whether it was used.
type ticket struct {
	auth.Ticket
	used bool
}

// NewSessions makes an empty store of sessions.
func NewSessions() *Sessions {
	return &Sessions{
		accounts: map[string]auth.Account{}, links: map[auth.Hash]*link{},
		sessions: map[auth.Hash]auth.Session{}, tickets: map[auth.Hash]ticket{},
	}
}

// PutAccount implements auth.Sessions.
func (s *Sessions) PutAccount(_ context.Context, a auth.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.accounts[a.ID]; ok && have == a {
		return nil
	}
	for _, have := range s.accounts {
		switch {
		case have.ID == a.ID:
			return fail("put account", chat.Taken, "the id is in use")
		case auth.HandleKey(have.Handle) == auth.HandleKey(a.Handle):
			const text = "the handle %s is taken, or too much like one that is"
			return fail("put account", chat.Taken, text, a.Handle)
		case a.Subject != "" && have.Subject == a.Subject:
			return fail("put account", chat.Taken, "this identity has an account")
		}
	}
	s.accounts[a.ID] = a
	return nil
}

// SetAccount implements auth.Sessions.
func (s *Sessions) SetAccount(
	_ context.Context, id string, c auth.AccountChange,
) (auth.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return auth.Account{}, fail("set account", chat.NotFound, "no such account")
	}
	a = c.Apply(a)
	s.accounts[id] = a
	return a, nil
}

// Account implements auth.Sessions.
func (s *Sessions) Account(_ context.Context, id string) (auth.Account, error) {
	return s.find(func(a *auth.Account) bool { return a.ID == id })
}

// AccountByHandle implements auth.Sessions.
func (s *Sessions) AccountByHandle(_ context.Context, handle string) (auth.Account, error) {
	key := auth.HandleKey(handle)
	return s.find(func(a *auth.Account) bool { return auth.HandleKey(a.Handle) == key })
}

// AccountBySubject implements auth.Sessions.
func (s *Sessions) AccountBySubject(_ context.Context, subject string) (auth.Account, error) {
	return s.find(func(a *auth.Account) bool { return subject != "" && a.Subject == subject })
}

func (s *Sessions) find(is func(*auth.Account) bool) (auth.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if is(&a) {
			return a, nil
		}
	}
	return auth.Account{}, fail("account", chat.NotFound, "no such account")
}

// Accounts implements auth.Sessions.
func (s *Sessions) Accounts(
	_ context.Context, after string, limit int,
) (list []auth.Account, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := auth.HandleKey(after)
	for _, a := range s.accounts {
		if after == "" || auth.HandleKey(a.Handle) > from {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b auth.Account) int {
		return strings.Compare(auth.HandleKey(a.Handle), auth.HandleKey(b.Handle))
	})
	return list[:min(limit, len(list))], len(list) > limit, nil
}

// PutLink implements auth.Sessions.
func (s *Sessions) PutLink(_ context.Context, l auth.Link, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.links[l.Hash]; ok {
		return nil
	}
	live := 0
	for _, have := range s.links {
		if have.live(now) {
			live++
		}
	}
	if live >= auth.MaxLinks {
		return fail("put link", chat.Limited, "there are %d links; end some first", live)
	}
	s.links[l.Hash] = &link{l, map[string]bool{}}
	return nil
}

func (l *link) live(now time.Time) bool { return now.Before(l.Until) && len(l.users) < l.Uses }

// row is the link as it is now.
func (l *link) row() auth.Link {
	row := l.Link
	row.Used = len(l.users)
	return row
}

func noLink(op string) error { return fail(op, chat.NotFound, "this link is over, or never was one") }

// Link implements auth.Sessions.
func (s *Sessions) Link(_ context.Context, h auth.Hash, now time.Time) (auth.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[h]
	if l == nil || !l.live(now) {
		return auth.Link{}, noLink("link")
	}
	return l.row(), nil
}

// UseLink implements auth.Sessions.
func (s *Sessions) UseLink(
	_ context.Context, h auth.Hash, account string, now time.Time,
) (auth.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[h]
	if l == nil || !now.Before(l.Until) || !l.users[account] && !l.live(now) {
		return auth.Link{}, noLink("use link")
	}
	l.users[account] = true
	return l.row(), nil
}

// ReturnLink implements auth.Sessions.
func (s *Sessions) ReturnLink(_ context.Context, h auth.Hash, account string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.links[h]; l != nil {
		delete(l.users, account)
	}
	return nil
}

// Links implements auth.Sessions.
func (s *Sessions) Links(_ context.Context, now time.Time) ([]auth.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []auth.Link
	for _, l := range s.links {
		if l.live(now) {
			list = append(list, l.row())
		}
	}
	slices.SortFunc(list, func(a, b auth.Link) int {
		return cmp.Or(b.Made.Compare(a.Made), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

// DropLink implements auth.Sessions.
func (s *Sessions) DropLink(_ context.Context, h auth.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, h)
	return nil
}

// PutSession implements auth.Sessions.
func (s *Sessions) PutSession(_ context.Context, n auth.Session, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sessions[n.Hash]; ok {
		return nil
	}
	if live := len(s.sessionsOf(n.Account, now)); live >= auth.MaxSessions {
		return fail("put session", chat.Limited, "%d devices are signed in; sign one out first", live)
	}
	s.sessions[n.Hash] = n
	return nil
}

func noSession(op string) error { return fail(op, chat.NotFound, "this session is over") }

// Session implements auth.Sessions.
func (s *Sessions) Session(_ context.Context, h auth.Hash, now time.Time) (auth.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.sessions[h]
	if !ok || !now.Before(n.Ends()) {
		return auth.Session{}, noSession("session")
	}
	return n, nil
}

// RenewSession implements auth.Sessions.
func (s *Sessions) RenewSession(_ context.Context, h auth.Hash, now time.Time) (auth.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.sessions[h]
	if !ok || !now.Before(n.Ends()) {
		return auth.Session{}, noSession("renew session")
	}
	if now.After(n.Used) {
		n.Used = now
	}
	s.sessions[h] = n
	return n, nil
}

// SessionsOf implements auth.Sessions.
func (s *Sessions) SessionsOf(
	_ context.Context, account string, now time.Time,
) ([]auth.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessionsOf(account, now), nil
}

func (s *Sessions) sessionsOf(account string, now time.Time) (list []auth.Session) {
	for _, n := range s.sessions {
		if n.Account == account && now.Before(n.Ends()) {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b auth.Session) int {
		return cmp.Or(b.Used.Compare(a.Used), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list
}

// DropSession implements auth.Sessions.
func (s *Sessions) DropSession(_ context.Context, h auth.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, h)
	return nil
}

// PutTicket implements auth.Sessions.
func (s *Sessions) PutTicket(_ context.Context, t auth.Ticket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tickets[t.Hash]; !ok {
		s.tickets[t.Hash] = ticket{Ticket: t}
	}
	return nil
}

// UseTicket implements auth.Sessions.
func (s *Sessions) UseTicket(_ context.Context, h auth.Hash, now time.Time) (auth.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, old := range s.tickets {
		if !now.Before(old.Until) {
			delete(s.tickets, hash)
		}
	}
	t, ok := s.tickets[h]
	if !ok || t.used {
		return auth.Ticket{}, fail("use ticket", chat.NotFound, "this ticket is over")
	}
	s.tickets[h] = ticket{t.Ticket, true}
	return t.Ticket, nil
}

// Record implements auth.Sessions.
func (s *Sessions) Record(_ context.Context, e auth.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = slices.DeleteFunc(s.audit, func(old auth.Entry) bool { return isOver(&old, e.At) })
	at, found := slices.BinarySearchFunc(s.audit, e.ID, byID)
	if !found {
		s.audit = slices.Insert(s.audit, at, e)
	}
	return nil
}

func byID(e auth.Entry, id string) int { return strings.Compare(e.ID, id) }

func isOver(e *auth.Entry, now time.Time) bool { return now.Sub(e.At) >= auth.AuditLife }

// Audit implements auth.Sessions.
func (s *Sessions) Audit(
	_ context.Context, before string, limit int, now time.Time,
) (list []auth.Entry, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range slices.Backward(s.audit) {
		switch {
		case before != "" && e.ID >= before, isOver(&e, now):
		case len(list) == limit:
			return list, true, nil
		default:
			list = append(list, e)
		}
	}
	return list, false, nil
}
