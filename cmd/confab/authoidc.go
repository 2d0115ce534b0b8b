package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/serve"
)

// oidcMode is the value of --auth for sign-in at an OIDC issuer.
const oidcMode = "oidc"

// oidcLife is how long people stay signed in before the issuer is asked again.
const oidcLife = 7 * aDay

// oidcFlags say which issuer signs people in, and whom of them.
type oidcFlags struct {
	issuer, clientID, secret string
	scopes                   []string
	handle                   string
	owners, allow            []string
	life                     span
}

func (f *oidcFlags) define(cmd *cobra.Command) {
	s := cmd.Flags()
	f.life = span(oidcLife)
	s.StringVar(&f.issuer, "oidc-issuer", "",
		"issuer that signs people in, as https://accounts.example; with --auth oidc")
	s.StringVar(&f.clientID, "oidc-client-id", "", "what the issuer calls this server")
	s.StringVar(&f.secret, "oidc-client-secret", "",
		"secret of that client, if it has one; better given as CONFAB_OIDC_CLIENT_SECRET")
	s.StringSliceVar(&f.scopes, "oidc-scopes", []string{"profile", "email"}, "scopes beside openid")
	s.StringVar(&f.handle, "oidc-handle-claim", "",
		"claim that becomes the handle, as preferred_username; without it people choose")
	s.StringSliceVar(&f.owners, "oidc-owner", nil,
		"subject, or verified address, whose new account is an owner")
	s.StringSliceVar(&f.allow, "oidc-allow", nil,
		"whom to let in: CLAIM=VALUE, or @DOMAIN of a verified address; "+
			"without it everybody the issuer knows")
	s.Var(&f.life, "oidc-session",
		"how long people stay signed in before the issuer is asked again")
}

// apply checks the flags and sets what they say.
func (f *oidcFlags) apply(cmd *cobra.Command, mode string, c *serve.Config) error {
	if mode != oidcMode {
		var given error
		cmd.Flags().Visit(func(flag *pflag.Flag) {
			if strings.HasPrefix(flag.Name, "oidc-") {
				given = usageError{fmt.Errorf("--%s is for --auth oidc", flag.Name)}
			}
		})
		return given
	}
	if f.issuer == "" || f.clientID == "" {
		return usageError{errors.New("--auth oidc needs --oidc-issuer and --oidc-client-id; " +
			"at the issuer, register the public URL with /auth/oidc/callback as redirect")}
	}
	if life := time.Duration(f.life); life < time.Minute || life > auth.SessionLife {
		const text = "--oidc-session %v: want 1m to %dd"
		return usageError{fmt.Errorf(text, &f.life, auth.SessionLife/aDay)}
	}
	c.OIDC = &auth.OIDCConfig{
		Issuer: f.issuer, ClientID: f.clientID, ClientSecret: f.secret, Scopes: f.scopes,
		HandleClaim: f.handle, Owners: f.owners, Allow: f.allow,
	}
	c.SessionLife = time.Duration(f.life)
	if _, err := auth.NewOIDC(*c.OIDC); err != nil {
		return usageError{fmt.Errorf("--auth oidc: %w", err)}
	}
	return nil
}
