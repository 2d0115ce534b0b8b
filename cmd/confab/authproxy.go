package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/serve"
)

// proxyMode is the value of --auth for sign-in by a proxy in front.
const proxyMode = "proxy"

// proxyFlags say how a proxy in front tells who has signed in there.
type proxyFlags struct{ header, secretHeader, secret string }

func (f *proxyFlags) define(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.header, "auth-header", "",
		"header in which the proxy names the user, as Remote-User; with --auth proxy")
	s.StringVar(&f.secretHeader, "auth-secret-header", "",
		"header in which the proxy shows --auth-secret")
	s.StringVar(&f.secret, "auth-secret", "",
		"secret that proxy and server share; better given as CONFAB_AUTH_SECRET")
}

// apply checks the flags and sets what they say.
func (f *proxyFlags) apply(mode string, c *serve.Config) error {
	switch {
	case mode != proxyMode && *f != proxyFlags{}:
		return usageError{errors.New("--auth-header and --auth-secret are for --auth proxy")}
	case mode != proxyMode:
		return nil
	case f.header == "" || len(c.TrustedProxies) == 0:
		return usageError{errors.New("--auth proxy needs both --auth-header, as Remote-User, and " +
			"--trusted-proxies: whoever else sends the header could be anybody")}
	case (f.secretHeader == "") != (f.secret == ""):
		return usageError{errors.New("--auth-secret-header and --auth-secret go together")}
	}
	c.Proxy = &serve.Proxy{Header: f.header, SecretHeader: f.secretHeader, Secret: f.secret}
	return nil
}
