package sqlitestore_test

import (
	"context"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// peopleTime is when fillPeople's people came, and when they are looked at.
var peopleTime = time.Date(2026, time.January, 1, 10, 0, 0, 0, time.UTC)

// people is all that a store can be asked for of who may sign in.
type people struct {
	Accounts []auth.Account
	Links    []auth.Link
	Sessions []auth.Session
	Audit    []auth.Entry
}

// somePeople is what fillPeople makes: an owner with two devices, a disabled member who came by a
// subject, a link of which one of two uses is left, one that nobody has used.
func somePeople() people {
	at := peopleTime.Add
	device := func(secret, account, device string, used time.Duration) auth.Session {
		return auth.Session{
			Hash: auth.HashOf(secret), Account: account, Device: device, Made: peopleTime,
			Used: at(used), Until: at(auth.SessionLife),
		}
	}
	return people{
		Accounts: []auth.Account{
			{ID: "u-1", Handle: "Ann", Owner: true, Since: peopleTime},
			{
				ID: "u-2", Handle: "bob", Subject: "https://issuer.example 42", Disabled: true,
				Since: at(time.Second),
			},
		},
		Links: []auth.Link{
			{
				Hash: auth.HashOf("link-2"), Kind: auth.InviteLink, By: "u-1", Uses: 2, Used: 1,
				Made: at(time.Minute), Until: at(auth.InviteLife),
			},
			{
				Hash: auth.HashOf("link-1"), Kind: auth.DeviceLink, Account: "u-2", Uses: 1,
				Made: peopleTime, Until: at(auth.DeviceLife),
			},
		},
		Sessions: []auth.Session{
			device("session-2", "u-1", "a phone", time.Hour),
			device("session-1", "u-1", "a browser", time.Minute),
		},
		Audit: []auth.Entry{
			{ID: "e-2", At: at(time.Second), Actor: "Ann", Action: "disable", Object: "bob"},
			{ID: "e-1", At: peopleTime, Actor: auth.Operator, Action: "make link", Object: "0123456789ab"},
		},
	}
}

// fillPeople makes somePeople.
func fillPeople(tb testing.TB, s *sqlitestore.Store) {
	tb.Helper()
	ctx, all := context.Background(), somePeople()
	for _, a := range all.Accounts {
		made := a
		made.Owner, made.Disabled = false, false
		ok(tb, s.PutAccount(ctx, made))
		_, err := s.SetAccount(ctx, a.ID, auth.AccountChange{Owner: &a.Owner, Disabled: &a.Disabled})
		ok(tb, err)
	}
	for _, l := range all.Links {
		ok(tb, s.PutLink(ctx, l, peopleTime))
	}
	_, err := s.UseLink(ctx, auth.HashOf("link-2"), "u-2", peopleTime)
	ok(tb, err)
	for _, n := range all.Sessions {
		used := n.Used
		n.Used = n.Made
		ok(tb, s.PutSession(ctx, n, peopleTime))
		_, err := s.RenewSession(ctx, n.Hash, used)
		ok(tb, err)
	}
	for _, e := range all.Audit {
		ok(tb, s.Record(ctx, e))
	}
}

// readPeople reads what fillPeople made.
func readPeople(s *sqlitestore.Store) (p people, err error) {
	ctx := context.Background()
	if p.Accounts, _, err = s.Accounts(ctx, "", 1000); err != nil {
		return p, err
	}
	for _, a := range p.Accounts {
		list, err := s.SessionsOf(ctx, a.ID, peopleTime)
		if err != nil {
			return p, err
		}
		p.Sessions = append(p.Sessions, list...)
	}
	if p.Links, err = s.Links(ctx, peopleTime); err != nil {
		return p, err
	}
	p.Audit, _, err = s.Audit(ctx, "", 1000, peopleTime)
	return p, err
}
