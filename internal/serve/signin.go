package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/signin"
)

// How often one address may try a link, and ask anything about accounts.
const (
	triesPerSecond = 5
	asksPerSecond  = 50
)

// wireSignIn makes what accounts need. Without Config.Sessions there are none: the server is open.
func (s *Server) wireSignIn() error {
	c := s.config
	if err := c.checkMakers(); err != nil {
		return err
	}
	if c.Sessions == nil {
		return nil
	}
	s.desk = auth.NewService(c.Sessions, c.Now, nil)
	s.desk.SessionLife = c.SessionLife
	if err := s.wireIssuer(); err != nil {
		return err
	}
	s.signInConfig = signin.Config{
		Service: s.desk, Origin: s.origin, OIDC: s.oidc, Now: c.Now, Logger: c.Logger,
		Remove: s.remove, Delete: s.deleteMessage,
		Revoke: func(ctx context.Context, handle, session, reason string) error {
			return s.handler.Revoke(ctx, handle, session, reason)
		},
		Wait: newAddressLimiter(triesPerSecond, c.Now).wait,
		Pace: newAddressLimiter(asksPerSecond, c.Now).wait,
	}
	if c.Proxy != nil {
		s.desk.Maker = auth.ProxyMaker
		s.signInConfig.Who = func(r *http.Request) (auth.Account, error) {
			return s.proxy().Account(r.Context(), r.Header.Get(c.Proxy.Header))
		}
	}
	var err error
	s.signIn, err = signin.Handler(s.signInConfig, c.AllowedOrigins...)
	return err
}

// wireIssuer makes what signs people in at an issuer.
func (s *Server) wireIssuer() (err error) {
	if s.config.OIDC == nil {
		return nil
	}
	s.desk.Maker = auth.IssuerMaker
	c := *s.config.OIDC
	c.Now = s.config.Now
	s.oidc, err = auth.NewOIDC(c)
	return err
}

// checkMakers tells whether sign-in by somebody else has what it needs.
func (c *Config) checkMakers() error {
	switch {
	case c.OIDC != nil && (c.Sessions == nil || c.Proxy != nil):
		return errors.New(
			"serve: sign-in by an issuer needs accounts, and no proxy that does it too")
	case c.Proxy == nil:
		return nil
	case c.Sessions == nil || len(c.TrustedProxies) == 0 || c.Proxy.Header == "":
		return errors.New("serve: sign-in by a proxy needs a header, trusted proxies and accounts")
	case (c.Proxy.SecretHeader == "") != (c.Proxy.Secret == ""):
		return errors.New("serve: the secret of a proxy and its header go together")
	}
	return nil
}

// identify is how a connection is known; nil stands for open mode.
func (s *Server) identify() func(context.Context, auth.Request) (auth.Identity, error) {
	switch {
	case s.desk == nil:
		return nil
	case s.config.Proxy != nil:
		return s.proxy().Identify
	}
	return auth.Members{Service: s.desk}.Identify
}

// still is how a session is known to be good yet; nil stands for open mode.
func (s *Server) still() func(ctx context.Context, user, session string) error {
	if s.desk == nil {
		return nil
	}
	return s.desk.Still
}

// checkDisplay is how display names are kept apart from other accounts; nil stands for open mode.
func (s *Server) checkDisplay() func(ctx context.Context, user, display string) error {
	if s.desk == nil {
		return nil
	}
	return s.desk.CheckDisplay
}

func (s *Server) proxy() auth.Proxy {
	return auth.Proxy{Service: s.desk, Header: s.config.Proxy.Header}
}

// origin is where people reach the server.
func (s *Server) origin(r *http.Request) string {
	switch {
	case s.config.PublicURL != nil:
		return s.config.PublicURL.String()
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// isSignIn tells whether a request is about signing in.
func (s *Server) isSignIn(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/auth/") && (s.signIn != nil || r.URL.Path == modePath)
}

// modePath is where a page learns how people come in.
const modePath = "/auth/mode"

// Mode is how people come in.
type Mode struct {
	Auth     string `json:"auth"`             // open, link, proxy or oidc
	Verified bool   `json:"verified"`         // names are; in open mode anybody takes any
	SignIn   string `json:"signIn,omitempty"` // of oidc: the path that leads to the issuer
}

func (s *Server) mode() Mode {
	switch {
	case s.desk == nil:
		return Mode{Auth: "open"}
	case s.config.Proxy != nil:
		return Mode{Auth: "proxy", Verified: true}
	case s.oidc != nil:
		return Mode{Auth: "oidc", Verified: true, SignIn: signin.StartPath}
	}
	return Mode{Auth: "link", Verified: true}
}

// serveSignIn answers what is about signing in.
func (s *Server) serveSignIn(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == modePath {
		signin.Reply(w, r, s.config.Logger, s.mode(), nil)
		return
	}
	s.observeSignIn(w, r)
}

// Desk has the use cases of signing in; nil in open mode.
func (s *Server) Desk() *auth.Service { return s.desk }
