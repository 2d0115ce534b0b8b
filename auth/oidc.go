package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/confab-chat/confab/chat"
)

// OIDCConfig says how people are signed in by an issuer.
type OIDCConfig struct {
	Issuer       string
	ClientID     string
	ClientSecret string   // "" for a client that has none: PKCE protects the code anyway
	Scopes       []string // beside openid; nil: profile and email
	HandleClaim  string   // whose value becomes the handle, where it can be one; "": people choose
	Owners       []string // whose accounts are owners: subjects, or verified addresses
	// Allow has what lets somebody in: CLAIM=VALUE, or @DOMAIN of an address that the issuer has
	// verified. One of them is enough; without any everybody comes in who has an account at the
	// issuer.
	Allow  []string
	Client *http.Client     // nil: one of its own
	Now    func() time.Time // nil: time.Now
}

// OIDC signs people in at an issuer, by the authorization code flow of OpenID Connect Core 1.0 with
// PKCE (RFC 7636).
type OIDC struct {
	config OIDCConfig
	tokens *Tokens
}

// NewOIDC checks the configuration. It asks the issuer nothing yet.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	if c.ClientID == "" {
		return nil, errors.New("the issuer's client id is missing")
	}
	for _, rule := range c.Allow {
		claim, value, ok := strings.Cut(rule, "=")
		if domain, is := strings.CutPrefix(rule, "@"); (!ok || claim == "" || value == "") &&
			(!is || domain == "" || ok) {
			return nil, fmt.Errorf("%q lets nobody in: want CLAIM=VALUE or @DOMAIN", rule)
		}
	}
	if c.Scopes == nil {
		c.Scopes = []string{"profile", "email"}
	}
	tokens, err := NewTokens(TokenConfig{
		Issuer: c.Issuer, Audience: []string{c.ClientID}, Client: c.Client, Now: c.Now,
	})
	if err != nil {
		return nil, err
	}
	return &OIDC{c, tokens}, nil
}

// Flow is what a sign-in that has begun has to remember, and nobody else may know.
type Flow struct{ State, Nonce, Verifier string }

// Begin gives the page of the issuer on which somebody signs in, who is sent to the redirect
// afterwards. Each Flow is for one sign-in.
func (o *OIDC) Begin(ctx context.Context, redirect string) (page string, f Flow, err error) {
	m, err := o.tokens.issuer.metadata(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	state, err := newSecret(nil)
	nonce, err2 := newSecret(nil)
	if err := errors.Join(err, err2); err != nil {
		return "", Flow{}, err
	}
	f = Flow{State: state, Nonce: nonce, Verifier: oauth2.GenerateVerifier()}
	page = o.client(m, redirect).AuthCodeURL(f.State, oidc.Nonce(f.Nonce),
		oauth2.S256ChallengeOption(f.Verifier))
	return page, f, nil
}

func (o *OIDC) client(m *metadata, redirect string) *oauth2.Config {
	endpoint := m.Endpoint
	if o.config.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, Endpoint: endpoint,
		RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, o.config.Scopes...),
	}
}

// Claimant is somebody whom the issuer has signed in.
type Claimant struct {
	Subject string // issuer and subject, for ever
	Handle  string // that the issuer has for them; "" where it has none that can be one
	Owner   bool
}

// Finish gives who has signed in, from what the issuer's page has sent to the redirect: an answer
// to the flow, with a code. Who is not allowed in is chat.Forbidden, a flow that did not go well
// chat.Unauthenticated, an issuer that does not answer chat.Unavailable.
func (o *OIDC) Finish(
	ctx context.Context, redirect string, answer url.Values, f Flow,
) (Claimant, error) {
	m, err := o.tokens.issuer.metadata(ctx)
	if err != nil {
		return Claimant{}, err
	}
	if err := o.checkAnswer(m, answer, f); err != nil {
		return Claimant{}, err
	}
	got, err := o.client(m, redirect).Exchange(o.tokens.issuer.context(ctx), answer.Get("code"),
		oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return Claimant{}, notSignedIn(withoutAnswer(err))
	}
	raw, _ := got.Extra("id_token").(string)
	token, err := o.tokens.Verify(ctx, raw)
	if err != nil {
		return Claimant{}, err
	}
	party := token.Claim("azp")
	if !equalSecret(token.Nonce, f.Nonce) || party != "" && party != o.config.ClientID {
		return Claimant{}, notSignedIn(errors.New("the token is of another sign-in"))
	}
	return o.claimant(token)
}

// checkAnswer tells whether an answer is one to the flow, and of this issuer (RFC 9207).
func (o *OIDC) checkAnswer(m *metadata, answer url.Values, f Flow) error {
	from := answer.Get("iss")
	switch {
	case len(answer["state"]) != 1 || !equalSecret(answer.Get("state"), f.State):
		return notSignedIn(errors.New("the answer is to another sign-in"))
	case from != o.config.Issuer && (from != "" || m.Issues):
		return notSignedIn(errors.New("the answer is another issuer's"))
	case answer.Has("error"):
		return notSignedIn(fmt.Errorf("the issuer says %q", answer.Get("error")))
	case len(answer["code"]) != 1 || answer.Get("code") == "":
		return notSignedIn(errors.New("the answer has no code"))
	}
	return nil
}

func equalSecret(a, b string) bool {
	return b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func notSignedIn(cause error) error {
	e := chat.E(chat.Unauthenticated, "the issuer did not sign you in; try again")
	e.Op, e.Err = "oidc", cause
	return e
}

// withoutAnswer leaves out what an issuer wrote besides its error, which may be anything.
func withoutAnswer(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		status := refused.Response.Status
		return fmt.Errorf("the code was not taken: %s %q", status, refused.ErrorCode)
	}
	return err
}

// claimant makes somebody of a token, who is allowed in.
func (o *OIDC) claimant(token *Token) (Claimant, error) {
	email := verifiedEmail(token)
	isAllowed := func(rule string) bool { return allows(rule, token, email) }
	if len(o.config.Allow) > 0 && !slices.ContainsFunc(o.config.Allow, isAllowed) {
		return Claimant{}, chat.E(chat.Forbidden, "this account at the issuer is not let in here")
	}
	who := Claimant{Subject: o.config.Issuer + " " + token.Subject}
	who.Owner = slices.ContainsFunc(o.config.Owners, func(owner string) bool {
		return owner == token.Subject || email != "" && strings.EqualFold(owner, email)
	})
	if o.config.HandleClaim != "" {
		if handle, err := CleanHandle(token.Claim(o.config.HandleClaim)); err == nil {
			who.Handle = handle
		}
	}
	return who, nil
}

// verifiedEmail is an address only where the issuer says that it is theirs; some say it as a text.
func verifiedEmail(token *Token) string {
	if !token.Has("email_verified", "true") {
		return ""
	}
	return token.Claim("email")
}

func allows(rule string, token *Token, email string) bool {
	if domain, is := strings.CutPrefix(rule, "@"); is {
		at := strings.LastIndexByte(email, '@')
		return at > 0 && strings.EqualFold(email[at+1:], domain)
	}
	claim, value, _ := strings.Cut(rule, "=")
	return token.Has(claim, value)
}

// LeaveURL is the page of the issuer on which somebody signs out there too; "" where it has none,
// or does not say so now.
func (o *OIDC) LeaveURL(ctx context.Context, back string) string {
	m, err := o.tokens.issuer.metadata(ctx)
	if err != nil || m.Leave == "" || checkIssuerURL(m.Leave) != nil {
		return ""
	}
	u, err := url.Parse(m.Leave)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", o.config.ClientID)
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String()
}
