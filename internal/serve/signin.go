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
	if err := c.checkProxy(); err != nil {
		return err
	}
	if c.Sessions == nil {
		return nil
	}
	s.desk = auth.NewService(c.Sessions, c.Now, nil)
	s.signInConfig = signin.Config{
		Service: s.desk, Origin: s.origin, Logger: c.Logger,
		Revoke: func(ctx context.Context, handle, session, reason string) error {
			return s.handler.Revoke(ctx, handle, session, reason)
		},
		Wait: newAddressLimiter(triesPerSecond, c.Now).wait,
		Pace: newAddressLimiter(asksPerSecond, c.Now).wait,
	}
	if c.Proxy != nil {
		s.signInConfig.Who = func(r *http.Request) (auth.Account, error) {
			return s.proxy().Account(r.Context(), r.Header.Get(c.Proxy.Header))
		}
	}
	var err error
	s.signIn, err = signin.Handler(s.signInConfig, c.AllowedOrigins...)
	return err
}

// checkProxy tells whether sign-in by a proxy has what it needs.
func (c *Config) checkProxy() error {
	switch {
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
	return s.signIn != nil && strings.HasPrefix(r.URL.Path, "/auth/")
}

// Desk has the use cases of signing in; nil in open mode.
func (s *Server) Desk() *auth.Service { return s.desk }
