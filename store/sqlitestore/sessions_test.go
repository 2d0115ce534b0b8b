package sqlitestore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestSessions(t *testing.T) {
	storetest.RunSessions(t, func(tb testing.TB) storetest.SessionsHarness {
		dir := tb.TempDir()
		s := open(tb, dir, sqlitestore.Options{})
		return storetest.SessionsHarness{
			A: s, B: s,
			Reopen: func() (a, b auth.Sessions) {
				dir = copyOf(tb, dir)
				s := open(tb, dir, sqlitestore.Options{})
				return s, s
			},
		}
	})
}

// TestSessions_secrets wants no secret to be in any file, where the hashes are.
func TestSessions_secrets(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := open(t, dir, sqlitestore.Options{})
	service := auth.NewService(s, time.Now, nil)
	secrets := map[string]string{}
	keep := func(what, secret string, err error) string {
		t.Helper()
		ok(t, err)
		secrets[what] = secret
		return secret
	}
	secret, _, err := service.MakeOwnerLink(ctx)
	owner := keep("owner link", secret, err)
	secret, ann, err := service.SignIn(ctx, owner, "Ann", "a browser")
	keep("session", secret, err)
	secret, _, err = service.Invite(ctx, &ann.Account, 3, 0)
	keep("invitation", secret, err)
	secret, _, err = service.AddDevice(ctx, &ann.Account, "ann")
	device := keep("device link", secret, err)
	secret, _, err = service.SignIn(ctx, device, "", "a phone")
	keep("other session", secret, err)
	secret, err = service.MakeTicket(ctx, ann)
	keep("ticket", secret, err)
	closed := copyOf(t, dir)
	backup := filepath.Join(t.TempDir(), "backup.db")
	ok(t, sqlitestore.Backup(ctx, dir, backup, noProgress))
	ok(t, open(t, closed, sqlitestore.Options{}).Close())
	for what, secret := range secrets {
		for _, in := range []string{dir, closed, filepath.Dir(backup)} {
			if files := holds(t, in, secret); len(files) > 0 {
				t.Errorf("the secret of the %s is in %v", what, files)
			}
			if hash := auth.HashOf(secret).String(); what != "ticket" && len(holds(t, in, hash)) == 0 {
				t.Errorf("the hash of the %s is in no file: does this test look where they are?", what)
			}
		}
	}
}

// TestSessions_tidy wants rows of what is over to go when others come.
func TestSessions_tidy(t *testing.T) {
	dir, ctx, now := t.TempDir(), t.Context(), peopleTime
	file := filepath.Join(dir, "confab.db")
	s := open(t, dir, sqlitestore.Options{})
	const few = 5 // fewer than one new session sweeps
	come := func(name string) {
		t.Helper()
		for i := range few {
			h := auth.HashOf(fmt.Sprint(name, i))
			ok(t, s.PutSession(ctx, auth.Session{
				Hash: h, Account: fmt.Sprint("u-", i), Made: now, Used: now, Until: now.Add(auth.SessionLife),
			}, now))
			ok(t, s.PutLink(ctx, auth.Link{Hash: h, Uses: 2, Made: now, Until: now.Add(time.Hour)}, now))
			_, err := s.UseLink(ctx, h, "u-1", now)
			ok(t, err)
			ok(t, s.Record(ctx, auth.Entry{ID: now.Format(time.RFC3339) + fmt.Sprint(i), At: now, Actor: name}))
		}
	}
	come("first")
	_, err := s.RenewSession(ctx, auth.HashOf("first0"), now.Add(time.Hour))
	ok(t, err)
	now = now.Add(auth.SessionIdle) // the first are over, but the one that was used
	come("second")
	for table, want := range map[string]int{"sessions": few + 1, "links": few, "link_uses": few} {
		if got := count(t, file, table); got != want {
			t.Errorf("%d rows of %s are left, want %d", got, table, want)
		}
	}
	if _, err := s.Session(ctx, auth.HashOf("first0"), now); err != nil {
		t.Errorf("the session that was used: %v", err)
	}
	equalInts(t, "audit entries", count(t, file, "audit"), 2*few)
	now = now.Add(auth.AuditLife - time.Second) // the first are over, and the second not
	ok(t, s.Record(ctx, auth.Entry{ID: now.Format(time.RFC3339), At: now, Actor: "third"}))
	equalInts(t, "audit entries later", count(t, file, "audit"), few+1)
	ok(t, sqlitestore.Check(ctx, dir, func(line string) { t.Error(line) }))
}

func equalInts(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%d %s, want %d", got, what, want)
	}
}

// TestSessions_tickets fills the memory for tickets.
func TestSessions_tickets(t *testing.T) {
	clock := storetest.NewClock()
	s := open(t, t.TempDir(), sqlitestore.Options{Now: clock.Now})
	put := func(name string) error {
		until := clock.Now().Add(auth.TicketLife)
		return s.PutTicket(t.Context(), auth.Ticket{Hash: auth.HashOf(name), Until: until})
	}
	for i := range 65_536 {
		ok(t, put(fmt.Sprint(i)))
	}
	wantKind(t, put("one more"), chat.Unavailable)
	ok(t, put("7")) // which is there
	clock.Advance(auth.TicketLife)
	ok(t, put("one more"))
	if got := s.Tickets(); got != 1 {
		t.Errorf("%d tickets are kept, want the one that is not over", got)
	}
	for i := range 2_000 {
		ok(t, put(fmt.Sprint("more ", i)))
	}
	_, err := s.UseTicket(t.Context(), auth.HashOf("none"), clock.Now().Add(auth.TicketLife))
	wantKind(t, err, chat.NotFound)
	if got := s.Tickets(); got != 0 {
		t.Errorf("%d tickets are kept, want none: all are over", got)
	}
}

// TestRestore_people wants accounts, sessions and the audit log to be as they were, and no link to
// come back.
func TestRestore_people(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := open(t, dir, sqlitestore.Options{})
	fillPeople(t, s)
	file, fresh := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "restored")
	ok(t, sqlitestore.Backup(ctx, dir, file, noProgress))
	ok(t, sqlitestore.Restore(ctx, file, fresh))
	ok(t, sqlitestore.Check(ctx, fresh, func(line string) { t.Error(line) }))
	restored := open(t, fresh, sqlitestore.Options{})
	got, err := readPeople(restored)
	ok(t, err)
	want := somePeople()
	want.Links = nil
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	for _, l := range somePeople().Links {
		_, err := restored.UseLink(ctx, l.Hash, "u-2", peopleTime) // who had used it, too
		wantKind(t, err, chat.NotFound)
		ok(t, restored.PutLink(ctx, l, peopleTime))
	}
	ok(t, sqlitestore.Check(ctx, fresh, func(line string) { t.Error(line) }))
}

// TestCheck_people damages the tables of who may sign in.
func TestCheck_people(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	fillPeople(t, s)
	ok(t, s.Close())
	link, session := auth.HashOf("link-2"), auth.HashOf("session-1")
	for statement, want := range map[string]string{
		"UPDATE accounts SET owner = 1 WHERE id = 'u-2'":          `the account "u-2" fails its CRC`,
		"UPDATE accounts SET disabled = 0 WHERE id = 'u-2'":       `the account "u-2" fails its CRC`,
		"UPDATE accounts SET subject = 'i 43' WHERE id = 'u-2'":   `the account "u-2" fails its CRC`,
		"UPDATE accounts SET key = 'bab' WHERE id = 'u-2'":        `the account "u-2" fails its CRC`,
		"DELETE FROM accounts WHERE id = 'u-2'":                   `accounts (NOT INDEXED) has 1 rows`,
		"UPDATE links SET uses = 9 WHERE made_by = 'u-1'":         `the link ` + link.ID() + ` fails its CRC`,
		"UPDATE links SET until = until + 1 WHERE made_by='u-1'":  `the link ` + link.ID() + ` fails its CRC`,
		"DELETE FROM link_uses":                                   `link_uses (NOT INDEXED) has 0 rows`,
		"UPDATE link_uses SET account = 'u-9'":                    `a use of the link ` + link.String(),
		"UPDATE sessions SET account = 'u-2' WHERE device <> ''":  `of the account "u-2" fails its CRC`,
		"UPDATE sessions SET used = 0 WHERE device='a browser'":   `the session ` + session.ID() + ` of`,
		"UPDATE sessions SET hash = 'x' WHERE device='a browser'": `of the account "u-1" fails its CRC`,
		"DELETE FROM sessions WHERE device = 'a browser'":         `sessions (NOT INDEXED) has 1 rows`,
		"UPDATE audit SET actor = 'bob' WHERE id = 'e-2'":         `the audit entry "e-2" fails its CRC`,
		"DELETE FROM audit WHERE id = 'e-1'":                      `audit (NOT INDEXED) has 1 rows`,
		"DROP INDEX sessions_account":                             `the table definitions are not those`,
	} {
		copied := copyOf(t, dir)
		execSQL(t, filepath.Join(copied, "confab.db"), statement)
		var lines []string
		err := sqlitestore.Check(t.Context(), copied, func(line string) { lines = append(lines, line) })
		wantKind(t, err, chat.Corrupt)
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("after %s: reported %q, want %q", statement, lines, want)
		}
		if _, err := sqlitestore.Open(copied, sqlitestore.Options{}); !chat.Is(err, chat.Corrupt) {
			t.Errorf("after %s: Open gave %v, want kind %q", statement, err, chat.Corrupt)
		}
	}
}

// TestSessions_damageWhileOpen wants damage that is read to end writing, and other reads to go on.
func TestSessions_damageWhileOpen(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := open(t, dir, sqlitestore.Options{})
	fillPeople(t, s)
	execSQL(t, filepath.Join(dir, "confab.db"), "UPDATE accounts SET owner = 1 WHERE id = 'u-2'")
	_, err := s.AccountByHandle(ctx, "bob")
	wantKind(t, err, chat.Corrupt)
	wantKind(t, s.PutAccount(ctx, auth.Account{ID: "u-3", Handle: "cyd"}), chat.Corrupt)
	_, err = s.AccountByHandle(ctx, "ann")
	ok(t, err)
}
