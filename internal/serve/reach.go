package serve

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ParsePublicURL reads the address under which people reach the server, as https://chat.example:
// its host is served, and its own pages may connect.
func ParsePublicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	bad := err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/"
	if bad {
		return nil, fmt.Errorf("public URL %q: want a scheme and a host alone, as https://chat.example",
			text)
	}
	port := u.Port()
	u = &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Hostname())}
	if strings.Contains(u.Host, ":") {
		u.Host = "[" + u.Host + "]"
	}
	if port != "" && port != defaultPort[u.Scheme] {
		u.Host += ":" + port
	}
	return u, nil
}

var defaultPort = map[string]string{"http": "80", "https": "443"}

// ParseProxies reads networks as 10.0.0.0/8, and single addresses.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, len(list))
	for i, text := range list {
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q: want an address or a network, as 10.0.0.0/8", text)
		}
		networks[i] = network.Masked()
	}
	return networks, nil
}

// forwarded gives the request as its client sent it: what X-Forwarded-For, X-Forwarded-Proto and
// the header of proxied sign-in say counts where a trusted proxy says it, and is dropped from
// everybody else.
func (s *Server) forwarded(r *http.Request) *http.Request {
	addresses, proto := r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"]
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	trusted := err == nil && s.trusts(peer.Addr())
	if !trusted && addresses == nil && proto == nil && s.config.Proxy == nil {
		return r
	}
	told := r.Clone(r.Context())
	s.config.Proxy.strip(told.Header, trusted)
	told.Header.Del("X-Forwarded-For")
	told.Header.Del("X-Forwarded-Proto")
	if !trusted {
		return told
	}
	if client, ok := s.client(addresses); ok {
		told.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	if len(proto) > 0 && proto[len(proto)-1] == "https" && told.TLS == nil {
		told.TLS = &tls.ConnectionState{} // the proxy's, of which no more is known
	}
	return told
}

// client is the last address of X-Forwarded-For that is no trusted proxy's: those before it are
// what anybody may have written.
func (s *Server) client(forwardedFor []string) (client netip.Addr, ok bool) {
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	for _, hop := range slices.Backward(hops) {
		address, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return client, ok
		}
		client, ok = address.Unmap().WithZone(""), true
		if !s.trusts(client) {
			break
		}
	}
	return client, ok
}

func (s *Server) trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(s.config.TrustedProxies, func(network netip.Prefix) bool {
		return network.Contains(address)
	})
}

// CheckAddress refuses an address that other machines can reach, unless allowed says that they may.
func CheckAddress(addr string, allowed bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: want HOST:PORT, as 127.0.0.1:8080", addr)
	}
	if allowed || IsLoopback(host) {
		return nil
	}
	return fmt.Errorf("address %q can be reached from other machines, and what is said there can be "+
		"read on the way: give --tls-cert and --tls-key, or --acme, or listen on 127.0.0.1 behind a "+
		"TLS proxy, or say --insecure-http to do it anyway", addr)
}

// IsLoopback tells whether a host is this very machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
