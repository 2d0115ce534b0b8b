package signin

import (
	"net/url"
	"strconv"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/qrcode"
)

// NewLink is a link that was just made, the only time that its secret is shown.
type NewLink struct {
	Link  string    `json:"link"` // to open; the secret is its fragment, which no server log sees
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
	QR    []string  `json:"qr"` // the link as a QR code: its rows of modules, 1 is dark
}

// URL is what a person opens to use a link of a server at origin.
func URL(origin, secret string) string { return origin + "/join#" + secret }

// made answers with a link.
func (d *desk) made(v *visit, secret string, l auth.Link, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	link := URL(d.Origin(v.Request), secret)
	rows, err := qrcode.Rows(link)
	return NewLink{link, l.Hash.ID(), l.Until, rows}, err
}

func (d *desk) ownerLink(v *visit) (answer, error) {
	secret, l, err := d.Service.MakeOwnerLink(v.Context())
	return d.made(v, secret, l, err)
}

// invite makes an invitation.
func (d *desk) invite(v *visit) (answer, error) {
	var q struct {
		Uses    int   `json:"uses"`    // 0: one
		Seconds int64 `json:"seconds"` // it is good for so long; 0: a week
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	if q.Seconds < 0 || q.Seconds > int64(auth.MaxLinkLife/time.Second) {
		return nil, chat.BadField("seconds", "seconds: want 60 to %d", int64(auth.MaxLinkLife/time.Second))
	}
	life := time.Duration(q.Seconds) * time.Second
	secret, l, err := d.Service.Invite(v.Context(), v.by(), q.Uses, life)
	return d.made(v, secret, l, err)
}

// addDevice makes a link for another device.
func (d *desk) addDevice(v *visit) (answer, error) {
	var q struct {
		Handle string `json:"handle"`
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	handle, err := v.handleOf(q.Handle)
	if err != nil {
		return nil, err
	}
	secret, l, err := d.Service.AddDevice(v.Context(), v.by(), handle)
	return d.made(v, secret, l, err)
}

// Link is a live link as a list shows it.
type Link struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	Uses  int       `json:"uses"`
	Used  int       `json:"used"`
	Made  time.Time `json:"made"`
	Until time.Time `json:"until"`
}

func (d *desk) links(v *visit) (answer, error) {
	live, err := d.Service.Links(v.Context(), v.by())
	list := make([]Link, len(live))
	for i, l := range live {
		list[i] = Link{l.Hash.ID(), l.Kind.String(), l.Uses, l.Used, l.Made, l.Until}
	}
	return map[string]any{"links": list}, err
}

func (d *desk) endLink(v *visit) (answer, error) {
	var q struct {
		ID string `json:"id"`
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	return q, d.Service.EndLink(v.Context(), v.by(), q.ID)
}

// User is an account as a list shows it.
type User struct {
	Handle   string    `json:"handle"`
	Owner    bool      `json:"owner"`
	Disabled bool      `json:"disabled"`
	Since    time.Time `json:"since"`
}

func userOf(a auth.Account) User { return User{a.Handle, a.Owner, a.Disabled, a.Since} }

func (d *desk) users(v *visit) (answer, error) {
	limit, err := limitOf(v.URL.Query())
	if err != nil {
		return nil, err
	}
	accounts, more, err := d.Service.Accounts(v.Context(), v.URL.Query().Get("after"), limit)
	list := make([]User, len(accounts))
	for i, a := range accounts {
		list[i] = userOf(a)
	}
	return map[string]any{"users": list, "more": more}, err
}

// limitOf reads a page's limit.
func limitOf(q url.Values) (int, error) {
	if !q.Has("limit") {
		return chat.DefaultPage, nil
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > chat.MaxPage {
		return 0, chat.BadField("limit", "limit: want 1 to %d", chat.MaxPage)
	}
	return limit, nil
}

// disable keeps an account out and closes its sockets, or lets it in again.
func (d *desk) disable(v *visit) (answer, error) {
	var q struct {
		Handle   string `json:"handle"`
		Disabled *bool  `json:"disabled"`
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	if q.Disabled == nil {
		return nil, chat.BadField("disabled", "disabled is missing: true or false")
	}
	a, err := d.Service.Disable(v.Context(), v.by(), q.Handle, *q.Disabled)
	if err == nil && a.Disabled {
		err = d.Revoke(v.Context(), a.Handle, "", "this account is disabled")
	}
	return userOf(a), err
}

// Entry is a line of the audit log.
type Entry struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Object string    `json:"object"`
}

func (d *desk) audit(v *visit) (answer, error) {
	limit, err := limitOf(v.URL.Query())
	if err != nil {
		return nil, err
	}
	entries, more, err := d.Service.Audit(v.Context(), v.by(), v.URL.Query().Get("before"), limit)
	list := make([]Entry, len(entries))
	for i, e := range entries {
		list[i] = Entry(e)
	}
	return map[string]any{"entries": list, "more": more}, err
}

// setOwner makes an account an owner, or a member again.
func (d *desk) setOwner(v *visit) (answer, error) {
	var q struct {
		Handle string `json:"handle"`
		Owner  *bool  `json:"owner"`
	}
	if err := Read(v.Request, &q); err != nil {
		return nil, err
	}
	if q.Owner == nil {
		return nil, chat.BadField("owner", "owner is missing: true or false")
	}
	a, err := d.Service.SetOwner(v.Context(), v.by(), q.Handle, *q.Owner)
	return userOf(a), err
}
