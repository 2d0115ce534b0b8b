package serve

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chatapi"
)

//go:embed index.html
var indexHTML string

var index = template.Must(template.New("index").Parse(indexHTML))

// ServeHTTP answers GET / with a small page and gives everything else to the gateway. A Host that
// is neither loopback nor this machine's address nor allowed is refused with 421: it is how a page
// reaches a local server by a name that it rebinds (DNS rebinding).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.hostServed(w, r) {
		return
	}
	r = s.forwarded(r)
	switch {
	case s.isSignIn(r):
		s.signIn.ServeHTTP(w, r)
	case r.URL.Path == "/" && r.Header.Get("Upgrade") == "":
		s.page.ServeHTTP(w, r)
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
	if isLoopback(host) || slices.Contains(s.config.AllowedHosts, host) {
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

// welcomePage says what runs here.
func welcomePage(version string, stages []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
			return
		}
		var page bytes.Buffer
		data := struct {
			Version, Host string
			Stages        []string
		}{version, r.Host, stages}
		if err := index.Execute(&page, data); err != nil {
			http.Error(w, "the page broke", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "+
			"frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(page.Bytes()) // the client may be gone
	})
}
