package signin

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Paths of signing in at an issuer, which has to know the second one.
const (
	StartPath    = "/auth/oidc/start"
	CallbackPath = "/auth/oidc/callback"
)

// Bounds of what has begun at an issuer and not ended.
const (
	beginLife = 10 * time.Minute // to sign in there, and to choose a handle then
	maxBegun  = 10_000           // people at it at once
)

// beginCookie tells the browser that has begun from others, to which its answer is worth nothing.
const beginCookie = "confab-oidc"

// visitors are those who have begun to sign in at the issuer. They are in memory: who is at it
// when the server stops begins again.
type visitors struct {
	now func() time.Time

	mu   sync.Mutex
	rows map[auth.Hash]visitor // by the state of the flow, then by the secret for choosing a handle
}

// visitor is somebody in one browser.
type visitor struct {
	browser  auth.Hash
	until    time.Time
	redirect string
	flow     auth.Flow
	who      auth.Claimant // once the issuer has said who it is
}

// put remembers a visitor under a secret. Too many: Limited.
func (s *visitors) put(secret string, v visitor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.rows) >= maxBegun {
		for h, old := range s.rows {
			if !now.Before(old.until) {
				delete(s.rows, h)
			}
		}
	}
	if len(s.rows) >= maxBegun {
		return chat.E(chat.Limited, "too many people sign in just now; try again")
	}
	v.until = now.Add(beginLife)
	s.rows[auth.HashOf(secret)] = v
	return nil
}

// get finds a visitor of this very browser; take forgets it besides.
func (s *visitors) get(secret, browser string, take bool) (visitor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := auth.HashOf(secret)
	v, ok := s.rows[h]
	if !ok || v.browser != auth.HashOf(browser) || !s.now().Before(v.until) {
		return visitor{}, false
	}
	if take {
		delete(s.rows, h)
	}
	return v, true
}

// browserOf is the secret by which a browser is known that has begun; "" is none.
func (d *desk) browserOf(r *http.Request) string {
	c, err := r.Cookie(d.prefixed(r, beginCookie))
	if err != nil || len(c.Value) < len(rand.Text()) {
		return ""
	}
	return c.Value
}

// start sends the browser to the issuer.
func (d *desk) start(w http.ResponseWriter, r *http.Request) {
	browser := d.browserOf(r) // another window of it may be at it
	if browser == "" {
		browser = rand.Text()
	}
	redirect := d.Origin(r) + CallbackPath
	page, flow, err := d.OIDC.Begin(r.Context(), redirect)
	if err == nil {
		err = d.visitors.put(flow.State, visitor{
			browser: auth.HashOf(browser), redirect: redirect, flow: flow,
		})
	}
	if err != nil {
		d.say(w, r, err)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: d.prefixed(r, beginCookie), Value: browser, Path: "/", MaxAge: int(beginLife.Seconds()),
		HttpOnly: true, Secure: d.secure(r), SameSite: http.SameSiteLaxMode,
	})
	leadTo(w, r, page)
}

// callback is where the issuer sends the browser back to: it signs in who has an account, and
// lets others choose a handle.
func (d *desk) callback(w http.ResponseWriter, r *http.Request) {
	page, err := d.arrive(w, r)
	if err != nil {
		d.say(w, r, err)
		return
	}
	leadTo(w, r, page)
}

// arrive gives the page to go on with.
func (d *desk) arrive(w http.ResponseWriter, r *http.Request) (string, error) {
	browser, answer := d.browserOf(r), r.URL.Query()
	v, ok := d.visitors.get(answer.Get("state"), browser, true)
	if !ok {
		const text = "this sign-in was not begun in this browser, or is over; try again"
		return "", chat.E(chat.Unauthenticated, text)
	}
	who, err := d.OIDC.Finish(r.Context(), v.redirect, answer, v.flow)
	if err != nil {
		return "", err
	}
	a, err := d.Service.Claimed(r.Context(), who)
	if chat.Is(err, chat.NotFound) && who.Handle != "" {
		a, err = d.Service.Claim(r.Context(), who, who.Handle)
	}
	switch {
	case chat.Is(err, chat.NotFound), chat.Is(err, chat.Taken):
		secret := rand.Text()
		err = d.visitors.put(secret, visitor{browser: auth.HashOf(browser), who: who})
		return "/join#" + secret, err
	case err != nil:
		return "", err
	}
	session, _, err := d.Service.Open(r.Context(), a, r.UserAgent())
	if err != nil {
		return "", err
	}
	return "/", d.enter(w, r, session)
}

// claim makes the account of a visitor who has chosen a handle, and signs the browser in.
func (d *desk) claim(
	r *http.Request, secret, handle string,
) (session string, signed auth.Signed, err error) {
	v, ok := d.visitor(r, secret)
	if !ok {
		return "", auth.Signed{}, chat.E(chat.NotFound, "this sign-in is over; try again")
	}
	a, err := d.Service.Claim(r.Context(), v.who, handle)
	if err != nil {
		return "", auth.Signed{}, err
	}
	d.visitors.get(secret, d.browserOf(r), true)
	return d.Service.Open(r.Context(), a, r.UserAgent())
}

// visitor finds who is about to choose a handle.
func (d *desk) visitor(r *http.Request, secret string) (visitor, bool) {
	if d.OIDC == nil {
		return visitor{}, false
	}
	v, ok := d.visitors.get(secret, d.browserOf(r), false)
	return v, ok && v.who.Subject != ""
}

// leadTo sends a browser to another page, and tells that one nothing of this.
func leadTo(w http.ResponseWriter, r *http.Request, page string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// say answers a browser with the sentence of an error, as text.
func (d *desk) say(w http.ResponseWriter, r *http.Request, err error) {
	status, f := failed(w, r, d.Logger, err)
	if status != http.StatusInternalServerError {
		d.Logger.WarnContext(r.Context(), "not signed in", "op", r.Pattern, "error", err)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	http.Error(w, f.Error+"\n\nTo try again: "+d.Origin(r)+StartPath, status)
}
