package serve

import (
	"crypto/subtle"
	"net/http"
)

// Proxy is how a proxy in front tells who has signed in there.
type Proxy struct {
	Header string // that names the user, as Remote-User
	// SecretHeader and Secret are what the proxy shows besides, so that who can reach the server
	// past the proxy is nobody; "" for none.
	SecretHeader, Secret string
}

// strip drops the user's name unless a trusted peer says it, once, and with the secret; and the
// secret in any case. A nil Proxy drops nothing.
func (p *Proxy) strip(h http.Header, trusted bool) {
	if p == nil {
		return
	}
	names := h.Values(p.Header)
	if !trusted || len(names) != 1 || !p.knows(h.Values(p.SecretHeader)) {
		h.Del(p.Header)
	}
	if p.SecretHeader != "" {
		h.Del(p.SecretHeader)
	}
}

// knows compares the secret without telling by its time how much of it is right.
func (p *Proxy) knows(shown []string) bool {
	if p.SecretHeader == "" {
		return true
	}
	return len(shown) == 1 && subtle.ConstantTimeCompare([]byte(shown[0]), []byte(p.Secret)) == 1
}
