// Package signin is signing in over HTTP: what a page, `confab login` and the host's own commands
// ask for, as JSON under /auth/. The rules are those of auth.Service.
package signin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Config is what the answers are made of.
type Config struct {
	Service *auth.Service
	// Origin is where a link leads, as https://chat.example.
	Origin func(*http.Request) string
	// Revoke closes the sockets of a user that a session opened; session "" is all of them.
	Revoke func(ctx context.Context, handle, session, reason string) error
	// Remove and Delete are what owners may do in every room.
	Remove Remover
	Delete Deleter
	// Who gives the account that somebody else has signed in, and no links or sessions count; nil:
	// they do.
	Who func(*http.Request) (auth.Account, error)
	// OIDC is the issuer that signs people in; nil: links make accounts.
	OIDC *auth.OIDC
	Now  func() time.Time
	// Wait is how long a client has to wait before it may try a secret, Pace the same before it
	// may ask anything; nil: not at all.
	Wait, Pace func(r *http.Request) time.Duration

	Logger *slog.Logger
}

// desk answers requests.
type desk struct {
	Config
	visitors visitors
}

// visit is a request and who makes it.
type visit struct {
	*http.Request
	signed *auth.Signed // nil: the operator
	w      http.ResponseWriter
}

// by is the account that asks; nil is the operator.
func (v *visit) by() *auth.Account {
	if v.signed == nil {
		return nil
	}
	return &v.signed.Account
}

// answer is what a use case has to say; it becomes JSON.
type answer any

// Handler answers people and programs on the public listener: with a link, with a session in a
// cookie, or with one in the Authorization header. Requests of pages of other origins are refused.
func Handler(c Config, origins ...string) (http.Handler, error) {
	d := &desk{Config: c, visitors: visitors{now: c.Now, rows: map[auth.Hash]visitor{}}}
	mux := http.NewServeMux()
	if c.OIDC != nil {
		mux.HandleFunc("GET "+StartPath, d.limited(c.Wait, d.start))
		mux.HandleFunc("GET "+CallbackPath, d.limited(c.Wait, d.callback))
	}
	if c.Who == nil {
		mux.HandleFunc("POST /auth/look", d.limited(c.Wait, d.look))
		mux.HandleFunc("POST /auth/sign-in", d.limited(c.Wait, d.signIn))
	}
	for pattern, use := range d.routes() {
		mux.HandleFunc(pattern, d.limited(c.Pace, d.signed(use)))
	}
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return protection.Handler(mux), nil
}

// Operator answers whoever can reach its listener as the host's operator, who may do everything: it
// belongs on a socket that only the operator can open.
func Operator(c Config) http.Handler {
	d := &desk{Config: c}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/owner-link", d.operated(d.ownerLink))
	for pattern, use := range d.routes() {
		mux.HandleFunc(pattern, d.operated(use))
	}
	return mux
}

// routes are the use cases of who has signed in.
func (d *desk) routes() map[string]func(*visit) (answer, error) {
	return map[string]func(*visit) (answer, error){
		"GET /auth/me":               d.me,
		"POST /auth/ticket":          d.ticket,
		"POST /auth/sign-out":        d.signOut,
		"GET /auth/devices":          d.devices,
		"POST /auth/devices":         d.addDevice,
		"GET /auth/links":            d.links,
		"POST /auth/links":           d.invite,
		"POST /auth/links/end":       d.endLink,
		"GET /auth/users":            d.users,
		"POST /auth/users/disable":   d.disable,
		"POST /auth/users/owner":     d.setOwner,
		"GET /auth/audit":            d.audit,
		"POST /auth/rooms/remove":    d.removeMember,
		"POST /auth/messages/delete": d.deleteMessage,
	}
}

// operated runs a use case as the operator.
func (d *desk) operated(use func(*visit) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := use(&visit{Request: r, w: w})
		Reply(w, r, d.Logger, a, err)
	}
}

// signed runs a use case for who shows a session.
func (d *desk) signed(use func(*visit) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		signed, err := d.who(r)
		var a answer
		if err == nil {
			a, err = use(&visit{r, &signed, w})
		}
		Reply(w, r, d.Logger, a, err)
	}
}

// who gives who makes a request.
func (d *desk) who(r *http.Request) (auth.Signed, error) {
	if d.Who != nil {
		a, err := d.Config.Who(r)
		return auth.Signed{Account: a}, err
	}
	signed, err := d.Service.Authenticate(r.Context(), d.secretOf(r))
	if chat.Is(err, chat.NotFound) {
		err = chat.E(chat.Unauthenticated, "sign in first")
	}
	return signed, err
}

// limited runs what a client asks for as often as wait allows; nil: always.
func (d *desk) limited(
	wait func(*http.Request) time.Duration, use http.HandlerFunc,
) http.HandlerFunc {
	if wait == nil {
		return use
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if wait := wait(r); wait > 0 {
			err := chat.E(chat.Limited, "too many tries from this address")
			err.RetryAfter = wait
			Reply(w, r, d.Logger, nil, err)
			return
		}
		use(w, r)
	}
}
