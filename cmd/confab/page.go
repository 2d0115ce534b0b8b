package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/version"
	"github.com/confab-chat/confab/web"
)

// pageFlags are those of confab page.
type pageFlags struct {
	socket, issuer, clientID string
	scopes                   []string
}

func newPage() *cobra.Command {
	f := &pageFlags{}
	cmd := &cobra.Command{
		Use:   "page DIR",
		Short: "Write the page for a static host, for a chat on AWS",
		Long: `Write the page into DIR, for any host that gives files as they are, to talk to the chat on AWS
(deploy/README.md). DIR is made, or is one that this has written before. With an issuer people sign in
there, by authorization code and PKCE, at a client that has no secret; the issuer is asked once, now, for
its endpoints. The policy that keeps the page from talking to others is in index.html; _headers has the
headers that a host should send besides.`,
		Example: `  confab page --socket wss://abc123.execute-api.eu-west-1.amazonaws.com/production ./page
  confab page --socket wss://abc123.execute-api.eu-west-1.amazonaws.com/production \
    --issuer https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc --client-id 4f2example ./page`,
		Args: arguments(1, 1, "the folder DIR to write"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	s := cmd.Flags()
	s.StringVar(&f.socket, "socket", "",
		"where the chat is, as wss://abc123.execute-api.eu-west-1.amazonaws.com/production")
	s.StringVar(&f.issuer, "issuer", "",
		"the stage's Issuer, where people sign in; without it names are free")
	s.StringVar(&f.clientID, "client-id", "", "what the issuer calls the page, one of the stage's Audience")
	s.StringSliceVar(&f.scopes, "scopes", nil, "scopes beside openid, as offline_access")
	return cmd
}

func (f *pageFlags) run(cmd *cobra.Command, dir string) error {
	if err := f.check(); err != nil {
		return usageError{err}
	}
	about := web.About{Version: version.Number, Socket: f.socket, Auth: "open"}
	if f.issuer != "" {
		issuer, err := f.ask(cmd.Context())
		if err != nil {
			return fmt.Errorf("--issuer: %s", sentence(err))
		}
		about.Auth, about.Issuer = "token", issuer
	}
	if err := web.WriteStatic(dir, about); err != nil {
		return err
	}
	cmd.Printf("Wrote the page to %s.\n\n", dir)
	cmd.Print("Put all of it on a static host, and name the host in the stage's parameter AllowedOrigins,\n" +
		"as https://chat.example. Have it send the headers in the file _headers: in index.html alone the\n" +
		"policy cannot keep other sites from framing the page.\n")
	if f.issuer != "" {
		cmd.Printf("At the issuer, register the page's address with / at its end, for sign-in and for sign-out,\n"+
			"at the client %s, which has no secret.\n", f.clientID)
	}
	return nil
}

// check reads what flags have in a form of their own.
func (f *pageFlags) check() error {
	if f.socket == "" {
		return errors.New("--socket is missing: the address of the stage, the output Url of sam deploy")
	}
	u, err := url.Parse(f.socket)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" {
		const text = "--socket %q: want a URL, as wss://abc123.execute-api.eu-west-1.amazonaws.com/production"
		return fmt.Errorf(text, f.socket)
	}
	if u.Scheme != "wss" && (u.Scheme != "ws" || !serve.IsLoopback(u.Hostname())) {
		return fmt.Errorf("--socket %q: want wss, or ws on this machine", f.socket)
	}
	if (f.issuer == "") != (f.clientID == "") {
		return errors.New("--issuer and --client-id: want both, or none")
	}
	if len(f.scopes) > 0 && f.issuer == "" {
		return errors.New("--scopes is for --issuer")
	}
	return nil
}

// ask has the issuer say where people sign in.
func (f *pageFlags) ask(ctx context.Context) (*web.Issuer, error) {
	at, err := auth.Discover(ctx, f.issuer, nil)
	if err != nil {
		return nil, err
	}
	scopes := slices.DeleteFunc(f.scopes, func(s string) bool { return s == "openid" })
	issuer := &web.Issuer{
		URL: f.issuer, ClientID: f.clientID, Scope: strings.Join(append([]string{"openid"}, scopes...), " "),
		Authorize: at.Authorize, Token: at.Token, Leave: at.Leave,
	}
	if sameOrigin(at.Revoke, at.Token) { // the page asks no other
		issuer.Revoke = at.Revoke
	}
	return issuer, nil
}

func sameOrigin(a, b string) bool {
	one, err := url.Parse(a)
	other, err2 := url.Parse(b)
	return err == nil && err2 == nil && one.Scheme == other.Scheme && one.Host == other.Host
}
