package signin

import (
	"cmp"
	"net/http"

	"github.com/confab-chat/confab/auth"
)

// The cookie of a session. The prefix has browsers take it from this very host over TLS alone
// (RFC 6265bis section 4.1.3.2); without TLS they would drop it.
const (
	sessionCookie = "confab"
	securePrefix  = "__Host-"
)

// secure tells whether the browser that asks came by TLS: here, or at a proxy in front that the
// public URL tells of.
func (d *desk) secure(r *http.Request) bool {
	return r.TLS != nil || d.Origin(r) == "https://"+r.Host
}

func (d *desk) prefixed(r *http.Request, name string) string {
	if d.secure(r) {
		return securePrefix + name
	}
	return name
}

// secretOf is the session that a request shows: as bearer, else as cookie.
func (d *desk) secretOf(r *http.Request) string {
	if secret, ok := auth.Bearer(r.Header.Get("Authorization")); ok {
		return secret
	}
	if c, err := r.Cookie(d.prefixed(r, sessionCookie)); err == nil {
		return c.Value
	}
	return ""
}

// setCookie keeps a session in the browser, where scripts cannot read it; secret "" ends that.
func (d *desk) setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	age := int(cmp.Or(d.Service.SessionLife, auth.SessionLife).Seconds())
	if secret == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: d.prefixed(r, sessionCookie), Value: secret, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: d.secure(r), SameSite: http.SameSiteLaxMode,
	})
}
