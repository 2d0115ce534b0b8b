package dynamostore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestSessions(t *testing.T) {
	storetest.RunSessions(t, func(tb testing.TB) storetest.SessionsHarness {
		return sessionsOn(newPair(tb, dynamostore.Options{}))
	})
}

func sessionsOn(p *pair) storetest.SessionsHarness {
	return storetest.SessionsHarness{
		A: p.a, B: p.b, Slow: true,
		Reopen: func() (a, b auth.Sessions) {
			o := dynamostore.Options{Table: p.b.Table, Now: p.clock.Now, Budget: budget}
			return dynamostore.New(p.client, o), dynamostore.New(p.client, o)
		},
	}
}

// newSession is a session of an account that lives as long as it may.
func newSession(p *pair, name, account string) auth.Session {
	now := p.clock.Now()
	return auth.Session{
		Hash: auth.HashOf(name), Account: account, Device: "a browser", Made: now, Used: now,
		Until: now.Add(auth.SessionLife),
	}
}

func newLink(p *pair, name string) auth.Link {
	now := p.clock.Now()
	return auth.Link{
		Hash: auth.HashOf(name), Kind: auth.InviteLink, By: "u-1", Uses: 2, Made: now,
		Until: now.Add(time.Hour),
	}
}

// exerciseSessions calls each method of auth.Sessions.
func exerciseSessions(t *testing.T, p *pair) {
	ctx, now := t.Context(), p.clock.Now()
	ann := auth.Account{ID: "u-1", Handle: "Ann", Subject: "i#1 42", Owner: true, Since: now}
	ok(t, "PutAccount", p.a.PutAccount(ctx, ann))
	wantKind(t, "PutAccount", p.a.PutAccount(ctx, auth.Account{ID: "u-2", Handle: "ann"}), chat.Taken)
	_, err := p.a.SetAccount(ctx, "u-1", auth.AccountChange{Disabled: new(true)})
	ok(t, "SetAccount", err)
	_, err = p.a.AccountByHandle(ctx, "ann")
	ok(t, "AccountByHandle", err)
	_, err = p.a.AccountBySubject(ctx, ann.Subject)
	ok(t, "AccountBySubject", err)
	_, _, err = p.a.Accounts(ctx, "", 10)
	ok(t, "Accounts", err)
	l, n := newLink(p, "link"), newSession(p, "session", "u-1")
	ok(t, "PutLink", p.a.PutLink(ctx, l, now))
	_, err = p.a.UseLink(ctx, l.Hash, "u-1", now)
	ok(t, "UseLink", err)
	ok(t, "ReturnLink", p.a.ReturnLink(ctx, l.Hash, "u-1"))
	_, err = p.a.Links(ctx, now)
	ok(t, "Links", err)
	ok(t, "DropLink", p.a.DropLink(ctx, l.Hash))
	ok(t, "PutSession", p.a.PutSession(ctx, n, now))
	_, err = p.a.RenewSession(ctx, n.Hash, now.Add(time.Hour))
	ok(t, "RenewSession", err)
	_, err = p.a.SessionsOf(ctx, "u-1", now)
	ok(t, "SessionsOf", err)
	until := now.Add(auth.TicketLife)
	ticket := auth.Ticket{Hash: auth.HashOf("ticket"), Session: n.Hash, Until: until}
	ok(t, "PutTicket", p.a.PutTicket(ctx, ticket))
	_, err = p.a.UseTicket(ctx, ticket.Hash, now)
	ok(t, "UseTicket", err)
	ok(t, "Record", p.a.Record(ctx, auth.Entry{ID: "e", At: now, Actor: "ann", Action: "join"}))
	equal(t, "end of an entry", endOf(p.getItem(t, "AUDIT", "e")), now.Add(auth.AuditLife).Unix())
	ok(t, "DropSession", p.a.DropSession(ctx, n.Hash))
	ok(t, "Record", p.a.Record(ctx, auth.Entry{ID: "e-1", At: now, Actor: "Ann", Action: "invite"}))
	_, _, err = p.a.Audit(ctx, "", 10, p.clock.Now())
	ok(t, "Audit", err)
}

// TestSessions_pages has every Query give one item at a time, and reads what takes many.
func TestSessions_pages(t *testing.T) {
	p := newPair(t, dynamostore.Options{}, func(ctx context.Context, input any, next request) (any, error) {
		if in, ok := input.(*dynamodb.QueryInput); ok {
			short := *in
			short.Limit = aws.Int32(1)
			input = &short
		}
		return next(ctx, input)
	})
	ctx, now := t.Context(), p.clock.Now()
	for i := range 5 {
		name := fmt.Sprintf("x%d", i)
		ok(t, "PutAccount", p.b.PutAccount(ctx, auth.Account{ID: "u-" + name, Handle: name, Since: now}))
		ok(t, "PutLink", p.b.PutLink(ctx, newLink(p, name), now))
		ok(t, "PutSession", p.b.PutSession(ctx, newSession(p, name, "u-x0"), now))
		ok(t, "Record", p.b.Record(ctx, auth.Entry{ID: name, At: now}))
	}
	accounts, more, err := p.a.Accounts(ctx, "", 4)
	ok(t, "Accounts", err)
	equal(t, "accounts, and that there are more", []any{len(accounts), more}, []any{4, true})
	links, err := p.a.Links(ctx, now)
	ok(t, "Links", err)
	equal(t, "links", len(links), 5)
	sessions, err := p.a.SessionsOf(ctx, "u-x0", now)
	ok(t, "SessionsOf", err)
	equal(t, "sessions", len(sessions), 5)
	entries, more, err := p.a.Audit(ctx, "x4", 3, p.clock.Now())
	ok(t, "Audit", err)
	equal(t, "entries, and that there are more", []any{len(entries), more}, []any{3, true})
}

// TestSessions_secrets wants no secret to be in any item, where the hashes are.
func TestSessions_secrets(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	ctx := t.Context()
	service := auth.NewService(p.a, p.clock.Now, nil)
	owner, _, err := service.MakeOwnerLink(ctx)
	ok(t, "MakeOwnerLink", err)
	session, signed, err := service.SignIn(ctx, owner, "Ann", "a browser")
	ok(t, "SignIn", err)
	ticket, err := service.MakeTicket(ctx, signed)
	ok(t, "MakeTicket", err)
	table, err := p.client.Scan(ctx, &dynamodb.ScanInput{TableName: &p.b.Table})
	ok(t, "Scan", err)
	var all strings.Builder
	for _, it := range table.Items {
		for name, v := range it {
			fmt.Fprintln(&all, name, text(v))
		}
	}
	for what, secret := range map[string]string{"link": owner, "session": session, "ticket": ticket} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the secret of the %s is in the table", what)
		}
		if !strings.Contains(all.String(), auth.HashOf(secret).String()) {
			t.Errorf("the hash of the %s is not in the table", what)
		}
	}
}

// TestSessions_halfMade has a PutAccount die after each of its requests: what is left is one account or
// none, whichever way one looks, is finished by a repetition, and keeps nobody from anything for long.
func TestSessions_halfMade(t *testing.T) {
	now := storetest.Start
	ann := auth.Account{ID: "u-1", Handle: "Ann", Subject: "i 42", Since: now}
	for name, c := range map[string]struct {
		next  auth.Account // made a minute later
		taken bool         // then the first cannot be made
	}{
		"the same again":   {ann, false},
		"another's handle": {auth.Account{ID: "u-2", Handle: "a.n.n", Since: now}, true},
		"another's issuer": {auth.Account{ID: "u-2", Handle: "bob", Subject: "i 42", Since: now}, true},
		"the same id":      {auth.Account{ID: "u-1", Handle: "bob", Since: now}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; dies(t, n, ann, c.next, c.taken); n++ {
				if n > 10 {
					t.Fatal("it never ended")
				}
			}
		})
	}
}

// dies has a PutAccount die after n requests, and another follow. It is false when there are fewer.
func dies(t *testing.T, n int, first, next auth.Account, taken bool) bool {
	t.Helper()
	p, ctx := newPair(t, dynamostore.Options{}), t.Context()
	_, err := p.a.Links(ctx, p.clock.Now()) // so that the schema is known
	ok(t, "Links", err)
	p.crasher.arm(n)
	err = p.a.PutAccount(ctx, first)
	p.crasher.arm(0)
	if err == nil {
		return false
	}
	made := len(sameEverywhere(t, p, first, next)) == 1
	p.clock.Advance(time.Minute)
	err = p.b.PutAccount(ctx, next)
	if made && taken {
		wantKind(t, "PutAccount after one that was done", err, chat.Taken)
	} else {
		ok(t, "PutAccount after one that died", err)
		if taken {
			wantKind(t, "the first again", p.a.PutAccount(ctx, first), chat.Taken)
		}
	}
	equal(t, "accounts", len(sameEverywhere(t, p, first, next)), 1)
	return true
}

// sameEverywhere wants accounts to be found in each way or in none, and gives them.
func sameEverywhere(t *testing.T, p *pair, all ...auth.Account) []auth.Account {
	t.Helper()
	ctx := t.Context()
	list, _, err := p.b.Accounts(ctx, "", 10)
	ok(t, "Accounts", err)
	for _, a := range all {
		listed := slices.Contains(list, a)
		byID, _ := p.b.Account(ctx, a.ID) // which may be the other's
		equal(t, "found by the id "+a.ID, byID == a, listed)
		byHandle, _ := p.b.AccountByHandle(ctx, a.Handle)
		equal(t, "found by the handle "+a.Handle, byHandle == a, listed)
		bySubject, _ := p.b.AccountBySubject(ctx, a.Subject)
		equal(t, "found by the subject "+a.Subject, bySubject == a, listed && a.Subject != "")
		if !listed && byHandle.ID != "" && !slices.Contains(list, byHandle) {
			t.Errorf("the handle %s leads to %v, which is not in the list", a.Handle, byHandle)
		}
	}
	return list
}

// TestSessions_racingDrop ends a session between the read and the write of a RenewSession: it stays over.
func TestSessions_racingDrop(t *testing.T) {
	var p *pair
	p = newPair(t, dynamostore.Options{}, func(ctx context.Context, input any, next request) (any, error) {
		if in, ok := input.(*dynamodb.UpdateItemInput); ok && strings.HasPrefix(pk(in.Key), "H#") {
			if err := p.b.DropSession(ctx, auth.HashOf("session")); err != nil {
				t.Error(err)
			}
		}
		return next(ctx, input)
	})
	ctx, later := t.Context(), p.clock.Now().Add(time.Hour)
	n := newSession(p, "session", "u-1")
	ok(t, "PutSession", p.a.PutSession(ctx, n, p.clock.Now()))
	_, err := p.a.RenewSession(ctx, n.Hash, later)
	wantKind(t, "RenewSession", err, chat.NotFound)
	_, err = p.b.Session(ctx, n.Hash, later)
	wantKind(t, "Session", err, chat.NotFound)
	if it := p.getItem(t, "H#"+n.Hash.String(), "SESSION"); it != nil {
		t.Errorf("the session came back: %v", it)
	}
}

// TestSessions_expiry looks at when a session's items may be removed, and that none stays behind.
func TestSessions_expiry(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	ctx, now := t.Context(), p.clock.Now()
	n := newSession(p, "session", "u-1")
	ok(t, "PutSession", p.a.PutSession(ctx, n, now))
	hash := n.Hash.String()
	end := func() int64 { return endOf(p.getItem(t, "H#"+hash, "SESSION")) }
	equal(t, "end of a session", end(), now.Add(auth.SessionIdle).Unix())
	later := now.Add(auth.SessionIdle - time.Hour)
	_, err := p.a.RenewSession(ctx, n.Hash, later)
	ok(t, "RenewSession", err)
	equal(t, "and when it is used", end(), later.Add(auth.SessionIdle).Unix())
	equal(t, "of its line in the list", endOf(p.getItem(t, "A#u-1", "S#"+hash)), n.Until.Unix())
	ok(t, "DropSession", p.a.DropSession(ctx, n.Hash))
	for _, k := range [][2]string{{"H#" + hash, "SESSION"}, {"A#u-1", "S#" + hash}} {
		if it := p.getItem(t, k[0], k[1]); it != nil {
			t.Errorf("after DropSession there is %v", it)
		}
	}
}
