package auth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

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
	d.want("the device link", err, chat.NotFound)
	_, _, err = d.Open(ctx, auth.Account{ID: bob.Account.ID, Disabled: true}, "")
	d.want("another session", err, chat.Forbidden)
	if a, err := d.Disable(ctx, nil, "bob", false); err != nil || a.Disabled {
		t.Fatalf("got %v, %v", a, err)
	}
	_, _, err = d.SignIn(ctx, device, "", "")
	d.want("the device link of who is enabled again", err, chat.NotFound)
	_, err = d.Authenticate(ctx, session)
	d.want("the old session of who is enabled again", err, chat.NotFound)
}

// TestService_linksEnd ends the links by which somebody could come back, or let others in.
func TestService_linksEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end           func(d *desk) error
		device, guest chat.Kind // of bob's two links afterwards
	}{
		"disabled":              {disableBob, chat.NotFound, chat.NotFound},
		"no owner any more":     {demoteBob, chat.NotFound, chat.NotFound},
		"signed out everywhere": {signBobOut, chat.NotFound, chat.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			_, alice := d.owner("alice")
			_, bob := d.owner("bob")
			device, _, err := d.AddDevice(t.Context(), &alice.Account, "bob")
			guest, _, err2 := d.Invite(t.Context(), &bob.Account, 5, 0)
			other, _, err3 := d.Invite(t.Context(), &alice.Account, 5, 0)
			if err := errors.Join(err, err2, err3, c.end(d)); err != nil {
				t.Fatal(err)
			}
			_, _, err = d.SignIn(t.Context(), device, "", "")
			d.want("bob's device link", err, c.device)
			_, _, err = d.SignIn(t.Context(), guest, "", "")
			d.want("bob's invitation", err, c.guest)
			if _, signed := d.signIn(other, "cyd"); signed.Account.Handle != "cyd" {
				t.Error("alice's invitation has ended too")
			}
		})
	}
}

func disableBob(d *desk) error {
	_, err := d.Disable(d.Context(), nil, "bob", true)
	return err
}

func demoteBob(d *desk) error {
	_, err := d.SetOwner(d.Context(), nil, "bob", false)
	return err
}

func signBobOut(d *desk) error {
	_, _, err := d.SignOutEverywhere(d.Context(), nil, "bob")
	return err
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
