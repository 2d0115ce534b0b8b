package auth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

// counted is a store that notes what it is asked.
type counted struct {
	auth.Sessions
	asked []string
}

func (c *counted) note(what string) { c.asked = append(c.asked, what) }

func (c *counted) Link(ctx context.Context, h auth.Hash, now time.Time) (auth.Link, error) {
	c.note("Link")
	return c.Sessions.Link(ctx, h, now)
}

func (c *counted) UseLink(ctx context.Context, h auth.Hash, account string, now time.Time) (auth.Link, error) {
	c.note("UseLink")
	return c.Sessions.UseLink(ctx, h, account, now)
}

func (c *counted) Account(ctx context.Context, id string) (auth.Account, error) {
	c.note("Account")
	return c.Sessions.Account(ctx, id)
}

func (c *counted) AccountByHandle(ctx context.Context, handle string) (auth.Account, error) {
	c.note("AccountByHandle")
	return c.Sessions.AccountByHandle(ctx, handle)
}

func (c *counted) PutAccount(ctx context.Context, a auth.Account) error {
	c.note("PutAccount")
	return c.Sessions.PutAccount(ctx, a)
}

func (c *counted) Session(ctx context.Context, h auth.Hash, now time.Time) (auth.Session, error) {
	c.note("Session")
	return c.Sessions.Session(ctx, h, now)
}

func (c *counted) UseTicket(ctx context.Context, h auth.Hash, now time.Time) (auth.Ticket, error) {
	c.note("UseTicket")
	return c.Sessions.UseTicket(ctx, h, now)
}

// TestS5_SameWork answers every secret that is not good with the same words after the same work, which
// is one look by the secret's hash: neither tells a guesser whether there was such a link, session or
// ticket, or whose it was. 130 bits are not guessed by their hash's bytes.
func TestS5_SameWork(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store := &counted{Sessions: memstore.NewSessions()}
	s := auth.NewService(store, func() time.Time { return now }, nil)
	ctx := t.Context()
	must := func(secret string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	invite := func(life time.Duration) string {
		secret, _, err := s.Invite(ctx, nil, 1, life)
		return must(secret, err)
	}
	used := invite(0)
	session, alice, err := s.SignIn(ctx, used, "alice", "")
	must("", err)
	device, _, err := s.AddDevice(ctx, nil, "alice") // of an account, which is looked for too
	must("", err)
	over := invite(time.Minute)
	ended, l, err := s.Invite(ctx, nil, 1, 0)
	must("", err)
	must("", s.EndLink(ctx, nil, l.Hash.ID()))
	ticket := must(s.MakeTicket(ctx, alice))
	_, err = s.UseTicket(ctx, ticket)
	must("", err)
	old, oldSigned, err := s.Open(ctx, alice.Account, "")
	must("", err)
	_, err = s.SignOut(ctx, nil, "alice", oldSigned.Session.Hash.ID())
	must("", err)
	now = now.Add(auth.DeviceLife)

	secrets := map[string]string{
		"unknown": strings.Repeat("a", 26), "empty": "", "long": strings.Repeat("a", 3000), "other case": strings.ToUpper(session),
		"used link": used, "device link that is over": device, "link that is over": over, "ended link": ended,
		"session": session, "ended session": old, "used ticket": ticket, "part of a link": invite(0)[:25],
	}
	for name, try := range map[string]struct {
		call func(secret string) error
		asks string
		good string // the kind of secret that it takes
	}{
		"look": {func(secret string) error { _, _, err := s.Look(ctx, secret); return err }, "Link", ""},
		"sign in": {func(secret string) error {
			_, _, err := s.SignIn(ctx, secret, "mallory", "")
			return err
		}, "Link", ""},
		"authenticate": {func(secret string) error { _, err := s.Authenticate(ctx, secret); return err }, "Session", "session"},
		"ticket":       {func(secret string) error { _, err := s.UseTicket(ctx, secret); return err }, "UseTicket", ""},
	} {
		var words string
		for what, secret := range secrets {
			if what == try.good {
				continue
			}
			store.asked = nil
			err := try.call(secret)
			if !chat.Is(err, chat.NotFound) {
				t.Errorf("%s with %s: %v, want %q", name, what, err, chat.NotFound)
				continue
			}
			if words == "" {
				words = err.Error()
			}
			if err.Error() != words || !slices.Equal(store.asked, []string{try.asks}) {
				t.Errorf("%s with %s: %v after %v, want %q after %s", name, what, err, store.asked, words, try.asks)
			}
		}
	}
}
