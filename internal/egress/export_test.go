package egress

import (
	"crypto/x509"
	"net/http"
)

// DialBy opens connections by a proxy.
var DialBy = dialBy

// Proxy answers a request to the gate as to a proxy.
func (g *Gate) Proxy(w http.ResponseWriter, r *http.Request) { g.proxy(w, r) }

// Forge has the authority's key sign for a name that it issues no certificate for.
func (a *Authority) Forge(name string) ([]byte, error) {
	return sign(&x509.Certificate{DNSNames: []string{name}}, a.certificate, a.key, a.key)
}
