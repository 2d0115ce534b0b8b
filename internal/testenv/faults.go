package testenv

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/rehearsal"
)

// Faults are what a test puts between the parts of a rehearsal. Each of them may be left out.
type Faults struct {
	// Tables stands before DynamoDB Local, Posts before the @connections API, for the functions alone.
	Tables, Posts func(next http.Handler) http.Handler
	// Deliver gives the functions the gateway's events, by calling invoke once, more often or never.
	Deliver rehearsal.Deliver
	// Freeze stops the functions' processes between events.
	Freeze bool
}

// placed are faults in their places.
type placed struct {
	tables, posts string // URLs
	target        *url.URL
	freeze        bool
	deliver       rehearsal.Deliver
}

// start puts what has an address of its own into its place.
func (f *Faults) start(tb testing.TB, e *Env, engine string) placed {
	tb.Helper()
	p := placed{target: &url.URL{Scheme: "http"}}
	if f == nil {
		return p
	}
	p.freeze, p.deliver = f.Freeze, f.Deliver
	if f.Tables != nil {
		behind, err := url.Parse(engine)
		if err != nil {
			tb.Fatal(err)
		}
		p.tables = place(e, f.Tables, behind)
	}
	if f.Posts != nil {
		p.posts = place(e, f.Posts, p.target) + "/production"
	}
	return p
}

// aim says where the stage is, before anybody posts.
func (p placed) aim(stage string) {
	p.target.Host, _, _ = strings.Cut(strings.TrimPrefix(stage, "ws://"), "/")
}

// place serves a fault before a host, and gives its URL. What was signed stays as it is.
func place(e *Env, wrap func(http.Handler) http.Handler, behind *url.URL) string {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConnsPerHost = nil, 256
	next := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = behind.Scheme, behind.Host
		r.Out.Host = r.In.Host
	}, ErrorLog: log.New(io.Discard, "", 0)} // whoever has gone need not be told
	server := httptest.NewServer(wrap(next))
	e.stop = append(e.stop, func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL
}
