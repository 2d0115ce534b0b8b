package signin

import (
	"net/http"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Found is what a link is good for.
type Found struct {
	Kind   string    `json:"kind"`             // owner, invite, device, or issuer: who comes from there
	Handle string    `json:"handle,omitempty"` // of a device link
	Until  time.Time `json:"until"`
}

// look tells what a link is good for. It changes nothing: previews may do it.
func (d *desk) look(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Link string `json:"link"`
	}
	err := Read(r, &q)
	var found Found
	if v, ok := d.visitor(r, q.Link); err == nil && ok {
		found.Kind, found.Until = "issuer", v.until
	} else if err == nil {
		var l auth.Link
		l, found.Handle, err = d.Service.Look(r.Context(), q.Link)
		if err == nil {
			found.Kind, found.Until = l.Kind.String(), l.Until
		}
	}
	Reply(w, r, d.Logger, found, err)
}

// Person is who is signed in.
type Person struct {
	Handle  string `json:"handle"`
	Owner   bool   `json:"owner"`
	Device  string `json:"device,omitempty"`  // id of the session; none where a proxy signs in
	Session string `json:"session,omitempty"` // its secret, for programs
}

func personOf(s auth.Signed) Person {
	p := Person{Handle: s.Account.Handle, Owner: s.Account.Owner}
	if s.Session.Hash != (auth.Hash{}) {
		p.Device = s.Session.Hash.ID()
	}
	return p
}

// signIn uses a link. A page asks for a cookie, a program gets the session itself.
func (d *desk) signIn(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Link   string `json:"link"`
		Handle string `json:"handle"`
		Cookie bool   `json:"cookie"`
	}
	if err := Read(r, &q); err != nil {
		Reply(w, r, d.Logger, nil, err)
		return
	}
	use := d.useLink
	if _, ok := d.visitor(r, q.Link); ok {
		use, q.Cookie = d.claim, true
	}
	secret, signed, err := use(r, q.Link, q.Handle)
	if err != nil {
		Reply(w, r, d.Logger, nil, err)
		return
	}
	who := personOf(signed)
	if !q.Cookie {
		who.Session = secret
		Reply(w, r, d.Logger, who, nil)
		return
	}
	Reply(w, r, d.Logger, who, d.enter(w, r, secret))
}

func (d *desk) useLink(
	r *http.Request, secret, handle string,
) (session string, signed auth.Signed, err error) {
	return d.Service.SignIn(r.Context(), secret, handle, r.UserAgent())
}

// enter gives a browser its session.
func (d *desk) enter(w http.ResponseWriter, r *http.Request, session string) error {
	d.setCookie(w, r, session)
	return d.leave(r)
}

// leave ends the session of a browser that is about to get another one: nobody would have it.
func (d *desk) leave(r *http.Request) error {
	before, err := d.Service.Authenticate(r.Context(), d.secretOf(r))
	if err != nil {
		return nil //nolint:nilerr // there is none, or it is over
	}
	return d.end(r, &before.Account, before.Account.Handle, before.Session.Hash.ID())
}

// end ends a session and closes its sockets.
func (d *desk) end(r *http.Request, by *auth.Account, handle, id string) error {
	ended, err := d.Service.SignOut(r.Context(), by, handle, id)
	if err != nil {
		return err
	}
	return d.Revoke(r.Context(), ended.Account.Handle, id, signedOut)
}

// needAccount refuses what makes no sense for the operator.
func (v *visit) needAccount() error {
	if v.signed == nil {
		return chat.E(chat.Invalid, "the operator has no session")
	}
	return nil
}

// needSession refuses what makes no sense for whom a proxy has signed in.
func (v *visit) needSession() error {
	if err := v.needAccount(); err != nil {
		return err
	}
	if v.signed.Session.Hash == (auth.Hash{}) {
		return chat.E(chat.Invalid, "the proxy has signed you in: there is no session here")
	}
	return nil
}

func (d *desk) me(v *visit) (answer, error) {
	if err := v.needAccount(); err != nil {
		return nil, err
	}
	return personOf(*v.signed), nil
}

// ticket gives a ticket for one socket.
func (d *desk) ticket(v *visit) (answer, error) {
	if err := v.needSession(); err != nil {
		return nil, err
	}
	secret, err := d.Service.MakeTicket(v.Context(), *v.signed)
	return map[string]string{"ticket": secret}, err
}

// handleOf is the account that a request is about: its own, where it names none.
func (v *visit) handleOf(named string) (string, error) {
	switch {
	case named != "":
		return named, nil
	case v.signed != nil:
		return v.signed.Account.Handle, nil
	}
	return "", chat.BadField("handle", "handle is missing: whose?")
}

// SignedOut is what has ended.
type SignedOut struct {
	Device  string `json:"device,omitempty"`
	Devices int    `json:"devices,omitempty"` // how many, where it was all of them
	// Leave is the issuer's page on which people sign out there too.
	Leave string `json:"leave,omitempty"`
}

func (d *desk) leaveURL(v *visit) string {
	if d.OIDC == nil || v.signed == nil {
		return ""
	}
	return d.OIDC.LeaveURL(v.Context(), d.Origin(v.Request)+"/")
}

// signedOut is what the sockets of a session that has ended are told.
const signedOut = "signed out"

// signOut ends a session, its own where none is named, or all of them, and closes their sockets.
func (d *desk) signOut(v *visit) (answer, error) {
	var q struct {
		Handle     string `json:"handle"`
		Device     string `json:"device"`
		Everywhere bool   `json:"everywhere"`
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	handle, err := v.handleOf(q.Handle)
	if err != nil {
		return nil, err
	}
	if q.Everywhere {
		a, ended, err := d.Service.SignOutEverywhere(v.Context(), v.by(), handle)
		if err == nil {
			err = d.Revoke(v.Context(), a.Handle, "", signedOut)
		}
		if v.signed != nil && v.signed.Account.ID == a.ID {
			d.setCookie(v.w, v.Request, "")
		}
		return SignedOut{Devices: ended, Leave: d.leaveURL(v)}, err
	}
	if q.Device == "" && v.signed != nil && q.Handle == "" {
		q.Device = v.signed.Session.Hash.ID()
	}
	err = d.end(v.Request, v.by(), handle, q.Device)
	if err == nil && v.signed != nil && v.signed.Session.Hash.ID() == q.Device {
		d.setCookie(v.w, v.Request, "")
	}
	return SignedOut{Device: q.Device, Leave: d.leaveURL(v)}, err
}

// Device is a session as a list shows it.
type Device struct {
	ID     string    `json:"id"`
	Device string    `json:"device"`
	Made   time.Time `json:"made"`
	Used   time.Time `json:"used"`
	Here   bool      `json:"here,omitempty"` // the one that asks
}

func (d *desk) devices(v *visit) (answer, error) {
	handle, err := v.handleOf(v.URL.Query().Get("handle"))
	if err != nil {
		return nil, err
	}
	sessions, err := d.Service.Devices(v.Context(), v.by(), handle)
	list := make([]Device, len(sessions))
	for i, n := range sessions {
		here := v.signed != nil && v.signed.Session.Hash == n.Hash
		list[i] = Device{n.Hash.ID(), n.Device, n.Made, n.Used, here}
	}
	return map[string]any{"devices": list}, err
}
