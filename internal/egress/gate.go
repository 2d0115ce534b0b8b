package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Service is an AWS service that is answered here.
type Service struct {
	Hosts   string // a regular expression of its hosts, as [ExecuteAPI]
	Handler http.Handler
}

// Config is what a gate is made of. Dir is needed.
type Config struct {
	// Dir is a private folder, which must be there: certificates and scripts are put into it.
	// Programs that use the gate read them.
	Dir string
	// Services are asked in their order.
	Services []Service
	// Fallback takes the calls of AWS hosts that no service has, as an emulator's URL; nil: none
	// does.
	Fallback *url.URL
	// Open lets those calls out to AWS itself.
	Open bool
	// Refused is told of each call that was refused; it must not block.
	Refused func(r *http.Request, sentence string)
	// Dial opens the connections to hosts that are not AWS's; default: as the machine does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Gate is a proxy on loopback for programs that are to think that they are on AWS.
type Gate struct {
	*Authority
	cfg      Config
	hosts    []*regexp.Regexp // of cfg.Services
	all      *regexp.Regexp   // of AWS
	listener net.Listener
	secure   *branch
	servers  [2]*http.Server
	forward  *httputil.ReverseProxy
}

// Open makes a gate and has it listen at a free port of 127.0.0.1.
func Open(cfg Config) (*Gate, error) {
	authority, err := NewAuthority()
	if err != nil {
		return nil, err
	}
	g := &Gate{Authority: authority, cfg: cfg, all: regexp.MustCompile(anyHost())}
	for _, s := range cfg.Services {
		pattern, err := regexp.Compile(s.Hosts)
		if err != nil {
			return nil, err
		}
		g.hosts = append(g.hosts, pattern)
	}
	if g.cfg.Dial == nil {
		g.cfg.Dial = dialBy(http.ProxyFromEnvironment)
	}
	if err := g.writeFiles(); err != nil {
		return nil, err
	}
	if g.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	g.serve()
	return g, nil
}

// writeFiles puts into the folder what programs read: nothing of it is secret.
func (g *Gate) writeFiles() error {
	own := g.PEM()
	for name, text := range map[string][]byte{
		authorityFile: own, bundleFile: append(systemRoots(), own...), preloadFile: preload,
	} {
		if err := os.WriteFile(filepath.Join(g.cfg.Dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serve answers both kinds of clients on the one port: those that ask a proxy, and those that speak
// TLS at once, as if the gate were the host that they mean.
func (g *Gate) serve() {
	plain, secure := Split(g.listener)
	g.secure = secure.(*branch)
	g.forward = &httputil.ReverseProxy{
		Rewrite:  g.rewrite,
		ErrorLog: log.New(io.Discard, "", 0), // the caller is told
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			g.refuse(w, r, fmt.Sprintf("%s was not reached: %v.", r.Host, err))
		},
	}
	quiet := log.New(io.Discard, "", 0) // handshakes that failed are the clients' to tell
	g.servers[0] = &http.Server{
		Handler: http.HandlerFunc(g.proxy), ReadHeaderTimeout: firstByte, ErrorLog: quiet,
	}
	g.servers[1] = &http.Server{
		Handler: http.HandlerFunc(g.dispatch), ReadHeaderTimeout: firstByte, ErrorLog: quiet,
		TLSConfig: g.TLS(), IdleTimeout: time.Minute,
	}
	go func() { _ = g.servers[0].Serve(plain) }()             // it ends with Close
	go func() { _ = g.servers[1].ServeTLS(secure, "", "") }() // the same
}

// Addr is where the gate listens, as "127.0.0.1:40123".
func (g *Gate) Addr() string { return g.listener.Addr().String() }

// Close ends the gate and the connections of who called services. Tunnels end with their clients.
func (g *Gate) Close() error {
	return errors.Join(g.servers[0].Close(), g.servers[1].Close())
}

// dispatch gives a call of an AWS host to the service that has it.
func (g *Gate) dispatch(w http.ResponseWriter, r *http.Request) {
	host := hostOf(r.Host)
	for i, pattern := range g.hosts {
		if pattern.MatchString(host) {
			g.cfg.Services[i].Handler.ServeHTTP(w, r)
			return
		}
	}
	g.Elsewhere(w, r, NotServed(r.Host))
}

// Elsewhere answers a call that nothing here serves: by the fallback, by AWS where the gate is
// open, else with a sentence that says why not.
func (g *Gate) Elsewhere(w http.ResponseWriter, r *http.Request, why string) {
	if g.cfg.Fallback != nil || g.cfg.Open {
		g.forward.ServeHTTP(w, r)
		return
	}
	g.refuse(w, r, why)
}

// rewrite sends a call on with the host it was signed for.
func (g *Gate) rewrite(r *httputil.ProxyRequest) {
	target := g.cfg.Fallback
	if target == nil {
		target = &url.URL{Scheme: "https", Host: r.In.Host}
	}
	r.SetURL(target)
	r.Out.Host = r.In.Host
}

// diverts tells whether connections to a host end here. An open gate takes only what it has a
// service for.
func (g *Gate) diverts(host string) bool {
	if !g.cfg.Open || g.cfg.Fallback != nil {
		return g.all.MatchString(host)
	}
	for _, pattern := range g.hosts {
		if pattern.MatchString(host) {
			return true
		}
	}
	return false
}

// proxy answers CONNECT (RFC 9110, section 9.3.6).
func (g *Gate) proxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy of confab run knows CONNECT only", http.StatusMethodNotAllowed)
		return
	}
	if g.diverts(hostOf(r.Host)) {
		if conn, ok := hijack(w); ok {
			g.secure.deliver(conn)
		}
		return
	}
	g.tunnel(w, r)
}

// hijack takes over the connection of a CONNECT and says that it is open.
func hijack(w http.ResponseWriter) (net.Conn, bool) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return nil, false
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		conn.Close()
		return nil, false
	}
	return &replayed{Conn: conn, first: rest(buffered.Reader)}, true
}

// rest is what a reader has read ahead.
func rest(r *bufio.Reader) []byte {
	ahead, _ := r.Peek(r.Buffered()) // so many are there
	return ahead
}
