package auth_test

import (
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

// desk is a service with a store and a clock of its own.
type desk struct {
	*testing.T
	*auth.Service
	store *memstore.Sessions
	now   time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, store: memstore.NewSessions(), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	d.Service = auth.NewService(d.store, func() time.Time { return d.now }, nil)
	return d
}

func (d *desk) want(what string, err error, kind chat.Kind) {
	d.Helper()
	if !chat.Is(err, kind) {
		d.Errorf("%s: got %v, want %q", what, err, kind)
	}
}

// owner makes the first account.
func (d *desk) owner(handle string) (string, auth.Signed) {
	d.Helper()
	link, _, err := d.MakeOwnerLink(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	return d.signIn(link, handle)
}

func (d *desk) signIn(link, handle string) (string, auth.Signed) {
	d.Helper()
	session, signed, err := d.SignIn(d.Context(), link, handle, "a browser")
	if err != nil {
		d.Fatal(err)
	}
	return session, signed
}

// member makes an account by an invitation of the operator.
func (d *desk) member(handle string) (string, auth.Signed) {
	d.Helper()
	link, _, err := d.Invite(d.Context(), nil, 0, 0)
	if err != nil {
		d.Fatal(err)
	}
	return d.signIn(link, handle)
}

func TestService_SignIn(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	link, l, err := d.MakeOwnerLink(ctx)
	if err != nil || l.Until != d.now.Add(time.Hour) || l.Uses != 1 {
		t.Fatalf("got %v, %v, want a link for one use and one hour", l, err)
	}
	if len(link) < 26 { // 128 bits in base32
		t.Errorf("the link has %d characters: less than 128 bits", len(link))
	}
	for range 3 { // previews
		if _, _, err := d.Look(ctx, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"", "admin", "a b", "аlice"} {
		_, _, err := d.SignIn(ctx, link, bad, "")
		d.want("handle "+bad, err, chat.Invalid)
	}
	session, signed := d.signIn(link, "Alice")
	if a := signed.Account; a.Handle != "Alice" || !a.Owner || a.ID == "" || a.ID == a.Handle {
		t.Errorf("got %+v, want an owner with an opaque id", a)
	}
	got, err := d.Authenticate(ctx, session)
	if err != nil || got != signed {
		t.Errorf("got %v, %v, want %v", got, err, signed)
	}
	for name, secret := range map[string]string{"used": link, "wrong": link + "a", "empty": "", "a session": session} {
		_, _, err := d.SignIn(ctx, secret, "mallory", "")
		d.want("link "+name, err, chat.NotFound)
		_, _, err = d.Look(ctx, secret)
		d.want("look at link "+name, err, chat.NotFound)
	}
	_, err = d.Authenticate(ctx, link)
	d.want("a link as session", err, chat.NotFound)
}

// TestService_SignIn_taken leaves the invitation to be used with another handle.
func TestService_SignIn_taken(t *testing.T) {
	d := newDesk(t)
	d.owner("alice")
	link, _, err := d.Invite(t.Context(), nil, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, handle := range []string{"alice", "ALICE", "a1ice", "al.ice"} {
		_, _, err := d.SignIn(t.Context(), link, handle, "")
		d.want(handle, err, chat.Taken)
	}
	if _, signed := d.signIn(link, "bob"); signed.Account.Owner {
		t.Error("who was invited owns the server")
	}
	_, _, err = d.SignIn(t.Context(), link, "cyd", "")
	d.want("the second use of a link for one", err, chat.NotFound)
}

func TestService_Invite(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	_, bob := d.member("bob")
	ctx := t.Context()
	_, _, err := d.Invite(ctx, &bob.Account, 1, time.Hour)
	d.want("a member invites", err, chat.Forbidden)
	for _, c := range []struct {
		uses int
		life time.Duration
	}{{-1, 0}, {auth.MaxUses + 1, 0}, {1, time.Second}, {1, auth.MaxLinkLife + 1}} {
		_, _, err := d.Invite(ctx, &alice.Account, c.uses, c.life)
		d.want("a bad invitation", err, chat.Invalid)
	}
	link, _, err := d.Invite(ctx, &alice.Account, 2, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	d.signIn(link, "cyd")
	d.signIn(link, "dan")
	_, _, err = d.SignIn(ctx, link, "eve", "")
	d.want("the third use", err, chat.NotFound)

	link, l, err := d.Invite(ctx, &alice.Account, 2, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Links(ctx, &bob.Account)
	d.want("a member lists links", err, chat.Forbidden)
	d.want("a member ends a link", d.EndLink(ctx, &bob.Account, l.Hash.ID()), chat.Forbidden)
	list, err := d.Links(ctx, &alice.Account)
	if err != nil || len(list) != 1 || list[0] != l {
		t.Errorf("links %v, %v, want %v", list, err, l)
	}
	if err := d.EndLink(ctx, &alice.Account, l.Hash.ID()); err != nil {
		t.Fatal(err)
	}
	_, _, err = d.SignIn(ctx, link, "eve", "")
	d.want("a link that was ended", err, chat.NotFound)
	d.want("ending it again", d.EndLink(ctx, &alice.Account, l.Hash.ID()), chat.NotFound)
}

func TestService_AddDevice(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	_, bob := d.member("bob")
	ctx := t.Context()
	for name, by := range map[string]*auth.Account{"himself": &bob.Account, "an owner": &alice.Account, "the operator": nil} {
		link, l, err := d.AddDevice(ctx, by, "Bob")
		if err != nil || l.Until != d.now.Add(10*time.Minute) {
			t.Fatalf("%s: %v, %v, want a link of 10 minutes", name, l, err)
		}
		if _, handle, err := d.Look(ctx, link); err != nil || handle != "bob" {
			t.Errorf("%s: the link shows %q, %v", name, handle, err)
		}
		if _, signed := d.signIn(link, "whatever"); signed.Account != bob.Account {
			t.Errorf("%s: signed in as %v", name, signed.Account)
		}
		_, _, err = d.SignIn(ctx, link, "", "")
		d.want("the link again", err, chat.NotFound)
	}
	_, _, err := d.AddDevice(ctx, &bob.Account, "alice")
	d.want("a device for somebody else", err, chat.Forbidden)
	_, _, err = d.AddDevice(ctx, nil, "nobody")
	d.want("a device for nobody", err, chat.NotFound)
	link, _, err := d.AddDevice(ctx, nil, "bob")
	if err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(10 * time.Minute)
	_, _, err = d.SignIn(ctx, link, "", "")
	d.want("after 10 minutes", err, chat.NotFound)
}

func TestService_Authenticate_renews(t *testing.T) {
	d := newDesk(t)
	session, _ := d.owner("alice")
	for range 400 { // days: used every day, and yet over after a year
		d.now = d.now.Add(24 * time.Hour)
		_, err := d.Authenticate(t.Context(), session)
		if days := d.now.Sub(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)) / (24 * time.Hour); days >= 365 {
			d.want("after a year", err, chat.NotFound)
		} else if err != nil {
			t.Fatalf("day %d: %v", days, err)
		}
	}
	session, _ = d.member("bob")
	d.now = d.now.Add(30 * 24 * time.Hour)
	_, err := d.Authenticate(t.Context(), session)
	d.want("after 30 idle days", err, chat.NotFound)
}

func TestService_UseTicket(t *testing.T) {
	d := newDesk(t)
	session, alice := d.owner("alice")
	ctx := t.Context()
	newTicket := func() string {
		ticket, err := d.MakeTicket(ctx, alice)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	ticket := newTicket()
	if got, err := d.UseTicket(ctx, ticket); err != nil || got != alice {
		t.Errorf("got %v, %v, want %v", got, err, alice)
	}
	_, err := d.UseTicket(ctx, ticket)
	d.want("a used ticket", err, chat.NotFound)
	_, err = d.UseTicket(ctx, session)
	d.want("a session as ticket", err, chat.NotFound)
	_, err = d.Authenticate(ctx, newTicket())
	d.want("a ticket as session", err, chat.NotFound)
	late := newTicket()
	d.now = d.now.Add(30 * time.Second)
	_, err = d.UseTicket(ctx, late)
	d.want("a ticket after 30 s", err, chat.NotFound)
	stale := newTicket()
	if _, err := d.SignOut(ctx, &alice.Account, "alice", alice.Session.Hash.ID()); err != nil {
		t.Fatal(err)
	}
	_, err = d.UseTicket(ctx, stale)
	d.want("a ticket of a session that was signed out", err, chat.NotFound)
}

func TestService_SignOut(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	first, bob := d.member("bob")
	_, cyd := d.member("cyd")
	ctx := t.Context()
	_, err := d.SignOut(ctx, &cyd.Account, "bob", bob.Session.Hash.ID())
	d.want("somebody else's device", err, chat.Forbidden)
	_, err = d.Devices(ctx, &cyd.Account, "bob")
	d.want("somebody else's devices", err, chat.Forbidden)
	_, err = d.SignOut(ctx, &bob.Account, "bob", cyd.Session.Hash.ID())
	d.want("a device that is not bob's", err, chat.NotFound)
	ended, err := d.SignOut(ctx, &alice.Account, "BOB", bob.Session.Hash.ID())
	if err != nil || ended.Session.Hash != bob.Session.Hash || ended.Account.Handle != "bob" {
		t.Errorf("got %v, %v", ended, err)
	}
	_, err = d.Authenticate(ctx, first)
	d.want("the session", err, chat.NotFound)
}

func TestService_SignOutEverywhere(t *testing.T) {
	d := newDesk(t)
	kept, alice := d.owner("alice")
	first, bob := d.member("bob")
	_, cyd := d.member("cyd")
	ctx := t.Context()
	device, _, err := d.AddDevice(ctx, &bob.Account, "bob")
	if err != nil {
		t.Fatal(err)
	}
	second, _ := d.signIn(device, "")
	_, _, err = d.SignOutEverywhere(ctx, &cyd.Account, "bob")
	d.want("somebody else", err, chat.Forbidden)
	if a, ended, err := d.SignOutEverywhere(ctx, &alice.Account, "B0B"); err != nil || ended != 2 || a.Handle != "bob" {
		t.Errorf("ended %d of %s, %v; want 2 of bob", ended, a.Handle, err)
	}
	for _, session := range []string{first, second} {
		_, err = d.Authenticate(ctx, session)
		d.want("a session", err, chat.NotFound)
	}
	if _, err = d.Authenticate(ctx, kept); err != nil {
		t.Errorf("the session of alice: %v", err)
	}
}
