package serve

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chatapi"
)

// ServeHTTP answers with the pages, with what signing in asks, and gives everything else to the
// gateway. A Host that is neither loopback nor this machine's address nor allowed is refused with
// 421: it is how a page reaches a local server by a name that it rebinds (DNS rebinding).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.hostServed(w, r) {
		return
	}
	r = s.forwarded(r)
	switch {
	case s.isSignIn(r):
		s.serveSignIn(w, r)
	case s.isPage(r):
		s.pages.ServeHTTP(w, r)
	default:
		s.api.ServeHTTP(w, r)
	}
}

// hostServed refuses a request whose Host is not served here.
func (s *Server) hostServed(w http.ResponseWriter, r *http.Request) bool {
	if s.hostAllowed(r) {
		return true
	}
	const text = "this host name is not served here; see --allowed-hosts"
	http.Error(w, text, http.StatusMisdirectedRequest)
	return false
}

func (s *Server) hostAllowed(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	host = strings.ToLower(host)
	if IsLoopback(host) || slices.Contains(s.config.AllowedHosts, host) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip := net.ParseIP(host)
	return ok && ip != nil && ip.Equal(local.IP)
}

// forbidden is the message of a 403: it names what would have worked.
func (s *Server) forbidden(*http.Request) string {
	stages := strings.Join(s.config.Stages, ", /")
	return "Forbidden: connect a WebSocket to one of the stages /" + stages
}

// handle is the route of every action.
func (s *Server) handle(ctx context.Context, e chatapi.Event) (chatapi.Response, error) {
	return s.handler.Handle(ctx, e)
}
