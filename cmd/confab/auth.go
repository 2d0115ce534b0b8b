package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/control"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/store/memstore"
)

// The values of --auth.
const (
	openMode = "open"
	linkMode = "link"
)

// chooseAuth decides who may come in, where --auth leaves it to the address: on loopback anybody,
// elsewhere accounts.
func (f *serveFlags) chooseAuth(cmd *cobra.Command) error {
	switch f.auth {
	case openMode, linkMode, proxyMode, oidcMode:
	case "":
		f.auth = linkMode
		if !f.reach.others(&f.config) {
			f.auth = openMode
		}
	default:
		return usageError{fmt.Errorf("--auth %q: want open (anybody, by any name), link (accounts), "+
			"proxy (a proxy in front signs people in) or oidc (an issuer does)", f.auth)}
	}
	if err := f.proxy.apply(f.auth, &f.config); err != nil {
		return err
	}
	return f.oidc.apply(cmd, f.auth, &f.config)
}

// others tells whether other machines can reach the server, by itself or through a proxy.
func (f *reachFlags) others(c *serve.Config) bool {
	public := c.PublicURL != nil && !serve.IsLoopback(c.PublicURL.Hostname())
	return public || serve.CheckAddress(f.addr, false) != nil
}

// sessions is where accounts are kept; nil in open mode.
func (f *serveFlags) sessions(log chat.Log) auth.Sessions {
	if f.auth == openMode {
		return nil
	}
	if sessions, ok := log.(auth.Sessions); ok {
		return sessions
	}
	return memstore.NewSessions() // as the log, it keeps nothing
}

// notVerified is what everybody should know where others can take any name.
const notVerified = "names are not verified: everybody who can reach this server can take any name"

// notice tells clients so.
func (f *serveFlags) notice() string {
	if f.auth == openMode && f.reach.others(&f.config) {
		return notVerified
	}
	return ""
}

// warn says what a server that others can reach should know.
func (f *serveFlags) warn() {
	if !f.reach.others(&f.config) {
		return
	}
	if f.auth == openMode {
		f.config.Logger.Warn(notVerified)
	}
	if serve.CheckAddress(f.reach.addr, false) != nil && !f.reach.tls() {
		f.config.Logger.Warn("no TLS: everybody on the way can read and change what is said, " +
			"and be whoever says it")
	}
}

// firstLink prints a link for the owner while nobody has an account.
func (f *serveFlags) firstLink(
	ctx context.Context, out io.Writer, desk *auth.Service, origin string,
) error {
	if f.auth != linkMode {
		return nil
	}
	accounts, _, err := desk.Accounts(ctx, "", 1)
	if err != nil || len(accounts) > 0 {
		return err
	}
	secret, _, err := desk.MakeOwnerLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `
Nobody has an account yet. Who opens this link first becomes the owner; it is good for one hour:

  %s

In a terminal: confab login, and paste it. To invite others: confab link
Another link for an owner: confab link --owner
`, signin.URL(origin, secret))
	return nil
}

// startControl answers the host's commands in the data folder. Without it the chat runs all the
// same.
func (f *serveFlags) startControl(
	cmd *cobra.Command, s *serve.Server, origin string,
) *http.Server {
	server := f.adminServer(s.Operator(origin))
	if f.memory && !cmd.Flags().Changed("data") {
		return server // nothing is left behind where nothing was named
	}
	listener, err := control.Listen(f.data)
	if err != nil {
		const text = "no control socket: confab link, user, kick, status and audit cannot reach this server"
		f.config.Logger.Warn(text, "error", err)
		return server
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			f.config.Logger.Error("control socket", "error", err)
		}
	}()
	return server
}
