package signin

import (
	"net/http"

	"github.com/confab-chat/confab/auth"
)

// The cookie of a session. The prefix has browsers take it from this very host over TLS alone
// (RFC 6265bis section 4.1.3.2); without TLS they would drop it.
const (
	plainCookie  = "confab"
	secureCookie = "__Host-confab"
)

// secure tells whether the browser that asks came by TLS: here, or at a proxy in front that the public
// URL tells of.
func (d *desk) secure(r *http.Request) bool {
	return r.TLS != nil || d.Origin(r) == "https://"+r.Host
}

func (d *desk) cookieName(r *http.Request) string {
	if d.secure(r) {
		return secureCookie
	}
	return plainCookie
}

// secretOf is the session that a request shows: as bearer, else as cookie.
func (d *desk) secretOf(r *http.Request) string {
	if secret, ok := auth.Bearer(r.Header.Get("Authorization")); ok {
		return secret
	}
	if c, err := r.Cookie(d.cookieName(r)); err == nil {
		return c.Value
	}
	return ""
}

// setCookie keeps a session in the browser, where scripts cannot read it; secret "" ends that.
func (d *desk) setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	age := int(auth.SessionLife.Seconds())
	if secret == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: d.cookieName(r), Value: secret, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: d.secure(r), SameSite: http.SameSiteLaxMode,
	})
}
