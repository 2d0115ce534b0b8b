package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// SessionsHarness is an empty store of accounts, links and sessions that is opened twice.
type SessionsHarness struct {
	A, B auth.Sessions // two instances on one store; where that cannot be, the same one
	Slow bool          // as in LogHarness
	// Reopen ends both instances without any closing, as a crash does, and opens the store again.
	// Nil: the store does not outlive its process.
	Reopen func() (a, b auth.Sessions)
}

// RunSessions runs the suite of auth.Sessions. open is called for each group of tests.
func RunSessions(t *testing.T, open func(testing.TB) SessionsHarness) {
	for _, group := range []struct {
		name string
		run  func(*sessionsTest)
	}{
		{"Accounts", testAccounts},
		{"AccountsTaken", testAccountsTaken},
		{"AccountsList", testAccountsList},
		{"Links", testLinks},
		{"LinksUsed", testLinksUsed},
		{"LinksList", testLinksList},
		{"Sessions", testSessions},
		{"SessionsOf", testSessionsOf},
		{"Tickets", testTickets},
		{"Audit", testAudit},
		{"RacingHandles", testRacingHandles},
		{"RacingUses", testRacingUses},
		{"RacingTickets", testRacingTickets},
		{"RacingChanges", testRacingChanges},
		{"Reopen", testSessionsReopen},
	} {
		t.Run(group.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			group.run(&sessionsTest{T: t, SessionsHarness: open(t), ctx: ctx, now: Start})
		})
	}
}

// sessionsTest is one group's view of the harness.
type sessionsTest struct {
	*testing.T
	SessionsHarness
	ctx context.Context
	now time.Time
}

// hash makes a hash that differs from those of other names.
func hash(name string) auth.Hash { return auth.HashOf(name) }

// account records an account on A.
func (s *sessionsTest) account(id, handle string) auth.Account {
	s.Helper()
	a := auth.Account{ID: id, Handle: handle, Since: s.now}
	ok(s, "PutAccount of "+handle, s.A.PutAccount(s.ctx, a))
	return a
}

// link records a link on A that lives an hour.
func (s *sessionsTest) link(name string, uses int) auth.Link {
	s.Helper()
	l := auth.Link{
		Hash: hash(name), Kind: auth.InviteLink, By: "u-owner", Uses: uses,
		Made: s.now, Until: s.now.Add(time.Hour),
	}
	ok(s, "PutLink of "+name, s.A.PutLink(s.ctx, l, s.now))
	return l
}

// session records a session on A.
func (s *sessionsTest) session(name, account string) auth.Session {
	s.Helper()
	n := auth.Session{
		Hash: hash(name), Account: account, Device: "a browser", Made: s.now, Used: s.now,
		Until: s.now.Add(auth.SessionLife),
	}
	ok(s, "PutSession of "+name, s.A.PutSession(s.ctx, n, s.now))
	return n
}

func testAccounts(s *sessionsTest) {
	want := auth.Account{
		ID: "u-ann", Handle: "Ann", Subject: "https://issuer.example 42", Owner: true, Since: s.now,
	}
	for range 2 { // again changes nothing
		ok(s, "PutAccount", s.A.PutAccount(s.ctx, want))
	}
	find := func(what string, read func() (auth.Account, error)) {
		s.Helper()
		got, err := read()
		ok(s, what, err)
		equal(s, what, got, want)
	}
	all := func() {
		s.Helper()
		find("Account", func() (auth.Account, error) { return s.B.Account(s.ctx, "u-ann") })
		for _, spelled := range []string{"Ann", "ann", "ANN", "a-n-n"} {
			find("AccountByHandle "+spelled, func() (auth.Account, error) {
				return s.B.AccountByHandle(s.ctx, spelled)
			})
		}
		find("AccountBySubject", func() (auth.Account, error) {
			return s.B.AccountBySubject(s.ctx, want.Subject)
		})
	}
	all()
	disable := auth.AccountChange{Disabled: new(true)}
	for _, c := range []auth.AccountChange{disable, disable, {Owner: new(false)}, {}} {
		want = c.Apply(want) // and nothing else
		find("SetAccount", func() (auth.Account, error) { return s.B.SetAccount(s.ctx, "u-ann", c) })
		all()
	}

	s.account("u-bob", "bob")
	_, err := s.A.Account(s.ctx, "u-cyd")
	wantKind(s, "Account of nobody", err, chat.NotFound)
	_, err = s.A.AccountByHandle(s.ctx, "cyd")
	wantKind(s, "AccountByHandle of nobody", err, chat.NotFound)
	for _, subject := range []string{"", "https://issuer.example 43"} { // "" is no subject of bob's
		_, err = s.A.AccountBySubject(s.ctx, subject)
		wantKind(s, "AccountBySubject "+subject, err, chat.NotFound)
	}
	_, err = s.A.SetAccount(s.ctx, "u-cyd", disable)
	wantKind(s, "SetAccount of nobody", err, chat.NotFound)
}

func testAccountsTaken(s *sessionsTest) {
	first := auth.Account{ID: "u-1", Handle: "william", Subject: "i 1", Since: s.now}
	ok(s, "PutAccount", s.A.PutAccount(s.ctx, first))
	for name, a := range map[string]auth.Account{
		"same id":         {ID: "u-1", Handle: "other", Since: s.now},
		"same handle":     {ID: "u-2", Handle: "william", Since: s.now},
		"other case":      {ID: "u-2", Handle: "William", Since: s.now},
		"a look-alike":    {ID: "u-2", Handle: "wi11iam", Since: s.now},
		"vv for w":        {ID: "u-2", Handle: "vvilliam", Since: s.now},
		"with separators": {ID: "u-2", Handle: "will.iam", Since: s.now},
		"same subject":    {ID: "u-2", Handle: "zoe", Subject: "i 1", Since: s.now},
	} {
		wantKind(s, name, s.B.PutAccount(s.ctx, a), chat.Taken)
	}
	got, err := s.B.AccountBySubject(s.ctx, "i 1")
	ok(s, "AccountBySubject", err)
	equal(s, "the account", got, first)
	for _, handle := range []string{"zoe", "other"} { // what was refused left nothing behind
		_, err := s.B.AccountByHandle(s.ctx, handle)
		wantKind(s, "AccountByHandle "+handle, err, chat.NotFound)
		s.account("u-"+handle, handle)
	}
}

func testAccountsList(s *sessionsTest) {
	var want []auth.Account
	for _, handle := range []string{"Ann", "bea", "Cyd", "dan", "eve"} {
		want = append(want, s.account("u-"+handle, handle))
	}
	for _, limit := range []int{1, 2, 5, 200} {
		got := paged(s, limit, func(row auth.Account) string { return row.Handle },
			func(after string) ([]auth.Account, bool, error) { return s.B.Accounts(s.ctx, after, limit) })
		equal(s, fmt.Sprintf("accounts by %d", limit), got, want)
	}
}

func testLinks(s *sessionsTest) {
	want := s.link("one", 2)
	ok(s, "PutLink again", s.B.PutLink(s.ctx, want, s.now))
	device := auth.Link{
		Hash: hash("device"), Kind: auth.DeviceLink, Account: "u-ann", Uses: 1,
		Made: s.now, Until: s.now.Add(auth.DeviceLife),
	}
	ok(s, "PutLink", s.A.PutLink(s.ctx, device, s.now))
	for _, l := range []auth.Link{want, device} {
		got, err := s.B.Link(s.ctx, l.Hash, l.Until.Add(-time.Millisecond))
		ok(s, "Link", err)
		equal(s, "link", got, l)
		_, err = s.B.Link(s.ctx, l.Hash, l.Until)
		wantKind(s, "Link at its end", err, chat.NotFound)
		_, err = s.B.UseLink(s.ctx, l.Hash, "u-bob", l.Until)
		wantKind(s, "UseLink at its end", err, chat.NotFound)
	}
	_, err := s.B.Link(s.ctx, hash("none"), s.now)
	wantKind(s, "Link of none", err, chat.NotFound)
	_, err = s.B.UseLink(s.ctx, hash("none"), "u-bob", s.now)
	wantKind(s, "UseLink of none", err, chat.NotFound)
	for range 2 {
		ok(s, "DropLink", s.B.DropLink(s.ctx, want.Hash))
	}
	_, err = s.A.UseLink(s.ctx, want.Hash, "u-bob", s.now)
	wantKind(s, "UseLink of a dropped one", err, chat.NotFound)
	ok(s, "ReturnLink of a dropped one", s.A.ReturnLink(s.ctx, want.Hash, "u-bob"))
	_, err = s.A.Link(s.ctx, want.Hash, s.now)
	wantKind(s, "Link of a dropped one", err, chat.NotFound)
}

func testLinksUsed(s *sessionsTest) {
	l := s.link("two", 2)
	use := func(account string, want int) {
		s.Helper()
		got, err := s.B.UseLink(s.ctx, l.Hash, account, s.now)
		ok(s, "UseLink by "+account, err)
		l.Used = want
		equal(s, "link", got, l)
	}
	use("u-ann", 1)
	use("u-ann", 1) // the same attempt, repeated
	use("u-bob", 2)
	use("u-bob", 2) // also where it is used up by that
	_, err := s.A.UseLink(s.ctx, l.Hash, "u-cyd", s.now)
	wantKind(s, "UseLink of a used one", err, chat.NotFound)
	_, err = s.A.Link(s.ctx, l.Hash, s.now)
	wantKind(s, "Link of a used one", err, chat.NotFound)
	for range 2 {
		ok(s, "ReturnLink", s.A.ReturnLink(s.ctx, l.Hash, "u-ann"))
	}
	ok(s, "ReturnLink by who never used it", s.A.ReturnLink(s.ctx, l.Hash, "u-eve"))
	use("u-cyd", 2)
	_, err = s.A.UseLink(s.ctx, l.Hash, "u-dan", s.now)
	wantKind(s, "UseLink of a used one", err, chat.NotFound)
}

func testLinksList(s *sessionsTest) {
	used := s.link("used", 1)
	_, err := s.A.UseLink(s.ctx, used.Hash, "u-ann", s.now)
	ok(s, "UseLink", err)
	dropped := s.link("dropped", 1)
	ok(s, "DropLink", s.A.DropLink(s.ctx, dropped.Hash))
	old := s.link("old", 1)
	s.now = s.now.Add(time.Minute)
	young := s.link("young", 3)
	_, err = s.A.UseLink(s.ctx, young.Hash, "u-ann", s.now)
	ok(s, "UseLink", err)
	young.Used = 1
	list, err := s.B.Links(s.ctx, s.now)
	ok(s, "Links", err)
	equal(s, "links", list, []auth.Link{young, old})
	list, err = s.B.Links(s.ctx, old.Until)
	ok(s, "Links", err)
	equal(s, "links when one is over", list, []auth.Link{young})
	if s.Slow {
		return
	}
	for i := range auth.MaxLinks - 2 {
		s.link(fmt.Sprint("more ", i), 1)
	}
	last := auth.Link{Hash: hash("last"), Uses: 1, Until: old.Until.Add(time.Hour)}
	err = s.A.PutLink(s.ctx, last, s.now)
	wantKind(s, "PutLink beyond MaxLinks", err, chat.Limited)
	ok(s, "PutLink when one is over", s.A.PutLink(s.ctx, last, old.Until))
}

func testSessions(s *sessionsTest) {
	want := s.session("one", "u-ann")
	ok(s, "PutSession again", s.B.PutSession(s.ctx, want, s.now))
	live := func(at time.Time) {
		s.Helper()
		got, err := s.B.Session(s.ctx, want.Hash, at)
		ok(s, "Session", err)
		equal(s, "session", got, want)
	}
	over := func(at time.Time) {
		s.Helper()
		_, err := s.B.Session(s.ctx, want.Hash, at)
		wantKind(s, "Session", err, chat.NotFound)
		_, err = s.B.RenewSession(s.ctx, want.Hash, at)
		wantKind(s, "RenewSession", err, chat.NotFound)
	}
	renew := func(at time.Time) {
		s.Helper()
		got, err := s.A.RenewSession(s.ctx, want.Hash, at)
		ok(s, "RenewSession", err)
		equal(s, "session", got, want)
	}
	idle := s.now.Add(auth.SessionIdle)
	live(idle.Add(-time.Millisecond))
	over(idle)
	want.Used = s.now.Add(time.Hour)
	renew(want.Used)
	renew(s.now) // never back
	live(idle)
	for at := want.Used; at.Before(want.Until.Add(-auth.SessionIdle)); { // used until its last day
		at = at.Add(auth.SessionIdle - time.Hour)
		want.Used = at
		renew(at)
	}
	live(want.Until.Add(-time.Millisecond))
	over(want.Until)
	for range 2 {
		ok(s, "DropSession", s.A.DropSession(s.ctx, want.Hash))
	}
	over(want.Used)
	_, err := s.A.Session(s.ctx, hash("none"), s.now)
	wantKind(s, "Session of none", err, chat.NotFound)
}

func testSessionsOf(s *sessionsTest) {
	first := s.session("first", "u-ann")
	s.now = s.now.Add(time.Minute)
	second := s.session("second", "u-ann")
	s.session("other", "u-bob")
	dropped := s.session("dropped", "u-ann")
	ok(s, "DropSession", s.A.DropSession(s.ctx, dropped.Hash))
	s.now = s.now.Add(time.Minute)
	first.Used = s.now
	_, err := s.A.RenewSession(s.ctx, first.Hash, s.now)
	ok(s, "RenewSession", err)
	list, err := s.B.SessionsOf(s.ctx, "u-ann", s.now)
	ok(s, "SessionsOf", err)
	equal(s, "sessions", list, []auth.Session{first, second})
	list, err = s.B.SessionsOf(s.ctx, "u-ann", second.Ends())
	ok(s, "SessionsOf", err)
	equal(s, "sessions when one is over", list, []auth.Session{first})
	list, err = s.B.SessionsOf(s.ctx, "u-cyd", s.now)
	ok(s, "SessionsOf", err)
	equal(s, "sessions of nobody", list, nil)
	for i := range auth.MaxSessions - 2 {
		s.session(fmt.Sprint("more ", i), "u-ann")
	}
	n := auth.Session{
		Hash: hash("last"), Account: "u-ann", Made: s.now, Used: s.now, Until: s.now.Add(time.Hour),
	}
	wantKind(s, "PutSession beyond MaxSessions", s.B.PutSession(s.ctx, n, s.now), chat.Limited)
	ok(s, "DropSession", s.A.DropSession(s.ctx, first.Hash))
	ok(s, "PutSession when one is over", s.B.PutSession(s.ctx, n, s.now))
}

func testTickets(s *sessionsTest) {
	ticket := func(name string) auth.Ticket {
		t := auth.Ticket{Hash: hash(name), Session: hash("session"), Until: s.now.Add(auth.TicketLife)}
		ok(s, "PutTicket", s.A.PutTicket(s.ctx, t))
		return t
	}
	want := ticket("one")
	got, err := s.B.UseTicket(s.ctx, want.Hash, want.Until.Add(-time.Millisecond))
	ok(s, "UseTicket", err)
	equal(s, "ticket", got, want)
	_, err = s.A.UseTicket(s.ctx, want.Hash, s.now)
	wantKind(s, "UseTicket again", err, chat.NotFound)
	ok(s, "PutTicket again", s.A.PutTicket(s.ctx, want))
	_, err = s.A.UseTicket(s.ctx, want.Hash, s.now)
	wantKind(s, "UseTicket of one that was put again", err, chat.NotFound)
	late := ticket("late")
	_, err = s.A.UseTicket(s.ctx, late.Hash, late.Until)
	wantKind(s, "UseTicket at its end", err, chat.NotFound)
	_, err = s.A.UseTicket(s.ctx, hash("none"), s.now)
	wantKind(s, "UseTicket of none", err, chat.NotFound)
}

func testAudit(s *sessionsTest) {
	var want []auth.Entry
	for i := range 5 {
		e := auth.Entry{
			ID: fmt.Sprintf("2026-%d", i), At: s.now.Add(time.Duration(i) * time.Second),
			Actor: "ann", Action: "invite", Object: fmt.Sprint("link ", i),
		}
		ok(s, "Record", s.A.Record(s.ctx, e))
		want = append([]auth.Entry{e}, want...)
	}
	ok(s, "Record again", s.B.Record(s.ctx, want[2]))
	for _, limit := range []int{1, 2, 5, 200} {
		got := paged(s, limit, func(row auth.Entry) string { return row.ID },
			func(before string) ([]auth.Entry, bool, error) { return s.B.Audit(s.ctx, before, limit, s.now) })
		equal(s, fmt.Sprintf("entries by %d", limit), got, want)
	}
	for _, c := range []struct {
		after time.Duration // the oldest entry
		want  []auth.Entry
	}{
		{auth.AuditLife - time.Millisecond, want},
		{auth.AuditLife, want[:4]},
		{auth.AuditLife + 2*time.Second, want[:2]},
		{auth.AuditLife + time.Hour, nil},
	} {
		now := s.now.Add(c.after)
		for _, limit := range []int{1, 2, 200} {
			got := paged(s, limit, func(row auth.Entry) string { return row.ID },
				func(before string) ([]auth.Entry, bool, error) { return s.A.Audit(s.ctx, before, limit, now) })
			equal(s, fmt.Sprintf("entries by %d after %v", limit, c.after), got, c.want)
		}
	}
	late := auth.Entry{
		ID: "2027-0", At: s.now.Add(auth.AuditLife + time.Second), Actor: "ann", Action: "invite", Object: "late",
	}
	ok(s, "Record", s.B.Record(s.ctx, late)) // and it drops what is over
	list, _, err := s.A.Audit(s.ctx, "", 10, late.At)
	ok(s, "Audit", err)
	equal(s, "entries", list, append([]auth.Entry{late}, want[:3]...))
}
