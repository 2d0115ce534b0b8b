package auth

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/confab-chat/confab/chat"
)

// Limits of asking an issuer.
const (
	issuerTimeout = 10 * time.Second // for an answer
	issuerAnswer  = 1 << 20          // bytes of it
	askAgain      = 10 * time.Second // at least so long after a time that did not help
)

// issuer is what an OIDC issuer says of itself, asked when it is needed first.
type issuer struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	known *metadata
	tried time.Time
}

// metadata is the part of an issuer's configuration that is used (OpenID Connect Discovery 1.0,
// section 3).
type metadata struct {
	oauth2.Endpoint
	Keys   string `json:"jwks_uri"`
	Leave  string `json:"end_session_endpoint"` // "": it has none
	Revoke string `json:"revocation_endpoint"`  // "": it has none (RFC 8414 section 2)
	Issues bool   `json:"authorization_response_iss_parameter_supported"`
	// How a client shows its secret; none: client_secret_basic.
	Methods []string `json:"token_endpoint_auth_methods_supported"`
}

// newIssuer checks the URL: without TLS only an issuer on this very machine is one.
func newIssuer(address string, client *http.Client, now func() time.Time) (*issuer, error) {
	if err := checkIssuerURL(address); err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{}
	}
	bounded := *client
	bounded.Timeout = issuerTimeout
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	bounded.Transport = shortAnswers{client.Transport}
	return &issuer{url: address, client: &bounded, now: now}, nil
}

func checkIssuerURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("issuer %q: want a URL, as https://accounts.example", address)
	}
	ip := net.ParseIP(u.Hostname())
	own := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !own) {
		const text = "issuer %q: want https, so that nobody on the way can answer for it"
		return fmt.Errorf(text, address)
	}
	return nil
}

// shortAnswers ends answers that have no end.
type shortAnswers struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, issuerAnswer), response.Body}
	}
	return response, err
}

// context is one in which the libraries ask by the issuer's client.
func (i *issuer) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, i.client)
}

// metadata gives what the issuer says of itself. It is asked again no sooner than askAgain after it
// did not answer: Unavailable.
func (i *issuer) metadata(ctx context.Context) (*metadata, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		return i.known, nil
	}
	now := i.now()
	if now.Sub(i.tried) < askAgain && !now.Before(i.tried) {
		return nil, unanswered(nil)
	}
	i.tried = now
	provider, err := oidc.NewProvider(i.context(ctx), i.url)
	if err != nil {
		return nil, unanswered(err)
	}
	var m metadata
	if err := provider.Claims(&m); err != nil {
		return nil, unanswered(err)
	}
	m.Endpoint = provider.Endpoint()
	m.AuthStyle = oauth2.AuthStyleInHeader
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, "client_secret_basic") {
		m.AuthStyle = oauth2.AuthStyleInParams
	}
	for _, address := range []string{m.Keys, m.AuthURL, m.TokenURL} {
		if err := checkIssuerURL(address); address != "" && err != nil {
			return nil, unanswered(err)
		}
	}
	i.known = &m
	return i.known, nil
}

func unanswered(cause error) error {
	const text = "the issuer that signs people in does not answer as it should; try again"
	e := chat.E(chat.Unavailable, text)
	e.Op, e.RetryAfter, e.Err = "issuer", askAgain, cause
	return e
}
