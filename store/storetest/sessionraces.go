package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// racing runs n calls at once, half on each instance, and gives how many succeeded. Every other one
// must fail with the kind.
func (s *sessionsTest) racing(n int, kind chat.Kind, call func(i int, on auth.Sessions) error) int {
	s.Helper()
	var calls sync.WaitGroup
	var succeeded atomic.Int32
	for i := range n {
		on := s.A
		if i%2 == 1 {
			on = s.B
		}
		calls.Go(func() {
			switch err := call(i, on); {
			case err == nil:
				succeeded.Add(1)
			case !chat.Is(err, kind):
				s.Errorf("call %d: %v, want kind %q", i, err, kind)
			}
		})
	}
	calls.Wait()
	return int(succeeded.Load())
}

func testRacingHandles(s *sessionsTest) {
	handles := []string{"Alice", "alice", "a1ice", "ALICE", "al1ce", "a.lice"}
	n := s.racing(12, chat.Taken, func(i int, on auth.Sessions) error {
		return on.PutAccount(s.ctx, auth.Account{
			ID: fmt.Sprint("u-", i), Handle: handles[i%len(handles)], Since: s.now,
		})
	})
	equal(s, "accounts of one handle", n, 1)
	list, _, err := s.A.Accounts(s.ctx, "", 20)
	ok(s, "Accounts", err)
	equal(s, "accounts in the list", len(list), 1)
}

func testRacingUses(s *sessionsTest) {
	l := s.link("three", 3)
	n := s.racing(20, chat.NotFound, func(i int, on auth.Sessions) error {
		_, err := on.UseLink(s.ctx, l.Hash, fmt.Sprint("u-", i), s.now)
		return err
	})
	equal(s, "uses of a link for three", n, 3)
}

func testRacingTickets(s *sessionsTest) {
	t := auth.Ticket{Hash: hash("one"), Session: hash("session"), Until: s.now.Add(auth.TicketLife)}
	ok(s, "PutTicket", s.A.PutTicket(s.ctx, t))
	n := s.racing(20, chat.NotFound, func(_ int, on auth.Sessions) error {
		_, err := on.UseTicket(s.ctx, t.Hash, s.now)
		return err
	})
	equal(s, "uses of a ticket", n, 1)
}

// testRacingChanges disables and demotes at once: neither takes the other back.
func testRacingChanges(s *sessionsTest) {
	for i := range 10 {
		id := fmt.Sprint("u-", i)
		a := auth.Account{ID: id, Handle: fmt.Sprint("ann", i), Owner: true, Since: s.now}
		ok(s, "PutAccount", s.A.PutAccount(s.ctx, a))
		changes := []auth.AccountChange{{Disabled: new(true)}, {Owner: new(false)}}
		s.racing(2, chat.Taken, func(i int, on auth.Sessions) error {
			_, err := on.SetAccount(s.ctx, id, changes[i])
			return err
		})
		got, err := s.A.Account(s.ctx, id)
		ok(s, "Account", err)
		a.Owner, a.Disabled = false, true
		equal(s, "disabled and demoted", got, a)
	}
}

func testSessionsReopen(s *sessionsTest) {
	if s.Reopen == nil {
		return // the store does not outlive its process
	}
	account, session, link := s.account("u-ann", "ann"), s.session("one", "u-ann"), s.link("one", 2)
	_, err := s.A.UseLink(s.ctx, link.Hash, "u-bob", s.now)
	ok(s, "UseLink", err)
	link.Used = 1
	entry := auth.Entry{ID: "1", At: s.now, Actor: "ann", Action: "invite", Object: "x"}
	ok(s, "Record", s.A.Record(s.ctx, entry))
	s.A, s.B = s.SessionsHarness.Reopen()
	gotAccount, err := s.A.AccountByHandle(s.ctx, "ann")
	ok(s, "AccountByHandle", err)
	equal(s, "account", gotAccount, account)
	gotSession, err := s.A.Session(s.ctx, session.Hash, s.now)
	ok(s, "Session", err)
	equal(s, "session", gotSession, session)
	gotLink, err := s.B.Link(s.ctx, link.Hash, s.now)
	ok(s, "Link", err)
	equal(s, "link", gotLink, link)
	entries, _, err := s.B.Audit(s.ctx, "", 10, s.now)
	ok(s, "Audit", err)
	equal(s, "entries", entries, []auth.Entry{entry})
}
