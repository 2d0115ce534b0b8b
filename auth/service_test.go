package auth_test

import (
	"errors"
	"strings"
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

func TestService_Disable(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	session, bob := d.member("bob")
	ctx := t.Context()
	ticket, err := d.MakeTicket(ctx, bob)
	if err != nil {
		t.Fatal(err)
	}
	device, _, err := d.AddDevice(ctx, &bob.Account, "bob")
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Disable(ctx, &bob.Account, "alice", true)
	d.want("a member disables", err, chat.Forbidden)
	_, err = d.Disable(ctx, &alice.Account, "alice", true)
	d.want("an owner disables itself", err, chat.Forbidden)
	id := bob.Session.Hash.ID()
	if err := errors.Join(d.Still(ctx, "bob", id), d.Still(ctx, "bob", auth.ProxySession)); err != nil {
		t.Errorf("bob's session: %v", err)
	}
	d.want("alice's session", d.Still(ctx, "bob", alice.Session.Hash.ID()), chat.Unauthenticated)
	if a, err := d.Disable(ctx, &alice.Account, "bob", true); err != nil || !a.Disabled {
		t.Fatalf("got %v, %v", a, err)
	}
	d.want("the session of who is disabled", d.Still(ctx, "bob", id), chat.Forbidden)
	d.want("whom the proxy vouches for", d.Still(ctx, "bob", auth.ProxySession), chat.Forbidden)
	_, err = d.Authenticate(ctx, session)
	d.want("the session", err, chat.NotFound)
	_, err = d.UseTicket(ctx, ticket)
	d.want("the ticket", err, chat.NotFound)
	_, _, err = d.SignIn(ctx, device, "", "")
	d.want("the device link", err, chat.Forbidden)
	_, _, err = d.Open(ctx, auth.Account{ID: bob.Account.ID, Disabled: true}, "")
	d.want("another session", err, chat.Forbidden)
	if a, err := d.Disable(ctx, nil, "bob", false); err != nil || a.Disabled {
		t.Fatalf("got %v, %v", a, err)
	}
	if _, signed := d.signIn(device, ""); signed.Account.Handle != "bob" {
		t.Errorf("signed in as %v", signed.Account)
	}
	_, err = d.Authenticate(ctx, session)
	d.want("the old session of who is enabled again", err, chat.NotFound)
}

func TestService_SetOwner(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	_, bob := d.member("bob")
	ctx := t.Context()
	_, err := d.SetOwner(ctx, &bob.Account, "bob", true)
	d.want("a member makes itself an owner", err, chat.Forbidden)
	_, err = d.SetOwner(ctx, &alice.Account, "alice", false)
	d.want("an owner gives up", err, chat.Forbidden)
	_, err = d.SetOwner(ctx, nil, "nobody", true)
	d.want("nobody", err, chat.NotFound)
	a, err := d.SetOwner(ctx, &alice.Account, "BOB", true)
	if err != nil || !a.Owner {
		t.Fatalf("got %v, %v", a, err)
	}
	if _, _, err := d.Invite(ctx, &a, 1, 0); err != nil {
		t.Errorf("the new owner cannot invite: %v", err)
	}
	if a, err = d.SetOwner(ctx, nil, "alice", false); err != nil || a.Owner {
		t.Errorf("got %v, %v", a, err)
	}
}

// TestService_Audit reads what an owner did, without a secret in it.
func TestService_Audit(t *testing.T) {
	d := newDesk(t)
	session, alice := d.owner("alice")
	ctx := t.Context()
	link, _, err := d.Invite(ctx, &alice.Account, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, bob := d.signIn(link, "bob")
	if _, err := d.Disable(ctx, &alice.Account, "bob", true); err != nil {
		t.Fatal(err)
	}
	_, _, err = d.Audit(ctx, &bob.Account, "", 10)
	d.want("a member reads the audit log", err, chat.Forbidden)
	list, more, err := d.Audit(ctx, &alice.Account, "", 100)
	if err != nil || more {
		t.Fatalf("more %v, %v", more, err)
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, e.Actor+" "+e.Action)
	}
	const want = "alice disable, bob sign in, bob join, alice make invite link, alice sign in, alice join, " +
		"operator make owner link"
	sorted := map[string]bool{} // those of one instant come in any order
	for _, line := range lines {
		sorted[line] = true
	}
	for line := range strings.SplitSeq(want, ", ") {
		if !sorted[line] {
			t.Errorf("no entry %q among %q", line, lines)
		}
	}
	for _, e := range list {
		for _, secret := range []string{session, second, link} {
			if strings.Contains(e.Object+e.Action+e.Actor+e.ID, secret) {
				t.Errorf("the entry %v holds a secret", e)
			}
		}
	}
}

func TestService_Open_device(t *testing.T) {
	d := newDesk(t)
	_, alice := d.owner("alice")
	_, signed, err := d.Open(t.Context(), alice.Account, "Mozilla\x1b[31m\n\u202e"+strings.Repeat("x", 300))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := signed.Session.Device, "Mozilla[31m"+strings.Repeat("x", 189); got != want {
		t.Errorf("the device is %q, want %q", got, want)
	}
}
