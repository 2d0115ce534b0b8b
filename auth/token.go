package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/confab-chat/confab/chat"
)

// Bounds of a token.
const (
	maxToken   = 16 << 10 // bytes of its text
	maxSubject = 255      // bytes (OpenID Connect Core 1.0, section 2)
)

// TokenConfig says which tokens of an issuer are good.
type TokenConfig struct {
	Issuer   string   // exactly as tokens name it
	Audience []string // one of them has to be in aud
	// AudienceClaim is where the audience stands; "" is aud. Access tokens of Amazon Cognito have
	// client_id.
	AudienceClaim string
	UserClaim     string           // whose value is the user's name; "" is sub
	KeysURL       string           // of the issuer's keys; "": as its discovery document says
	Client        *http.Client     // nil: one of its own
	Now           func() time.Time // nil: time.Now
}

// compact are the characters of a token in compact form: base64url's without its padding, and the
// dots (RFC 7515 section 7.1).
const compact = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// Tokens is the mode in which a token of an OIDC issuer, shown with the handshake, says who
// somebody is. It keeps nothing but the issuer's keys, so that an authorizer of its own process
// can use it.
type Tokens struct {
	config TokenConfig
	issuer *issuer
	keys   *keySet
	claims *oidc.Config // how claims are checked
}

// signed is a payload whose signature has been verified.
type signed []byte

// VerifySignature implements oidc.KeySet.
func (p signed) VerifySignature(context.Context, string) ([]byte, error) { return p, nil }

// NewTokens checks the configuration. It asks the issuer nothing yet.
func NewTokens(c TokenConfig) (*Tokens, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.Audience) == 0 || slices.Contains(c.Audience, "") {
		return nil, errors.New("auth: tokens need an audience: others' would be good otherwise")
	}
	from, err := newIssuer(c.Issuer, c.Client, c.Now)
	if err != nil {
		return nil, err
	}
	t := &Tokens{config: c, issuer: from}
	t.keys = &keySet{where: t.keysURL, client: from.client, now: c.Now}
	named := make([]string, len(algorithms))
	for i, a := range algorithms {
		named[i] = string(a)
	}
	t.claims = &oidc.Config{
		SkipClientIDCheck:    true, // the audience is Verify's
		SupportedSigningAlgs: named, Now: c.Now,
	}
	return t, nil
}

func (t *Tokens) keysURL(ctx context.Context) (string, error) {
	if t.config.KeysURL != "" {
		return t.config.KeysURL, nil
	}
	m, err := t.issuer.metadata(ctx)
	if err != nil {
		return "", err
	}
	return m.Keys, nil
}

// Token is what a token that is good says.
type Token struct {
	Subject string    // of its issuer
	Until   time.Time // when it expires
	Nonce   string
	claims  map[string]any
}

// Claim gives a claim that is a text; "" where it is none.
func (t *Token) Claim(name string) string {
	text, _ := t.claims[name].(string)
	return text
}

// Has tells whether a claim is a text or a truth of that value, or a list that has it.
func (t *Token) Has(name, value string) bool {
	switch claim := t.claims[name].(type) {
	case string:
		return claim == value
	case bool:
		return value == map[bool]string{true: "true", false: "false"}[claim]
	case []any:
		return slices.Contains(claim, any(value))
	}
	return false
}

// Verify gives what a signed token in its compact form says: one of the issuer, for the audience,
// by a key of the issuer's, that is not over. Everything else is chat.Unauthenticated;
// chat.Unavailable while the issuer's keys cannot be had.
func (t *Tokens) Verify(ctx context.Context, raw string) (*Token, error) {
	if len(raw) > maxToken || strings.Count(raw, ".") != 2 || strings.Trim(raw, compact) != "" {
		return nil, notGood(errors.New("this is no signed token in compact form"))
	}
	payload, err := t.keys.VerifySignature(ctx, raw)
	if chat.Is(err, chat.Unavailable) {
		return nil, unanswered(err)
	}
	if err != nil {
		return nil, notGood(err)
	}
	checked, err := oidc.NewVerifier(t.config.Issuer, signed(payload), t.claims).Verify(ctx, raw)
	var late *oidc.TokenExpiredError
	if errors.As(err, &late) {
		e := chat.E(chat.Unauthenticated, "sign in again: this token is over")
		e.Err = err
		return nil, e
	}
	if err != nil {
		return nil, notGood(err)
	}
	token := &Token{Subject: checked.Subject, Until: checked.Expiry, Nonce: checked.Nonce}
	if err := checked.Claims(&token.claims); err != nil {
		return nil, notGood(err)
	}
	if checked.Issuer != t.config.Issuer || !t.isFor(token) {
		return nil, notGood(errors.New("the token is another issuer's, or for somebody else"))
	}
	if token.Subject == "" || len(token.Subject) > maxSubject {
		return nil, notGood(errors.New("the token has no subject, or too long a one"))
	}
	return token, nil
}

// isFor tells whether the token is for this audience.
func (t *Tokens) isFor(token *Token) bool {
	claim := t.config.AudienceClaim
	if claim == "" {
		claim = "aud"
	}
	has := func(audience string) bool { return token.Has(claim, audience) }
	return slices.ContainsFunc(t.config.Audience, has)
}

func notGood(cause error) error {
	e := chat.E(chat.Unauthenticated, "sign in first: this token is not good here")
	e.Op, e.Err = "token", cause
	return e
}

// TokenSession is the session of connections that a token vouches for: they end with the token.
const TokenSession = "token"

// Identify gives the user whose token is the second value of Sec-WebSocket-Protocol after
// [Protocol], or the bearer of Authorization; ?token= stands in for clients that can set neither.
// A token that is not good is chat.Unauthenticated; one whose user is no name of the chat, and a
// ?name= that is another's, are chat.Forbidden.
func (t *Tokens) Identify(ctx context.Context, r Request) (Identity, error) {
	raw, protocol := r.token()
	if raw == "" {
		return Identity{}, chat.E(chat.Unauthenticated, "sign in first: this server wants a token")
	}
	token, err := t.Verify(ctx, raw)
	if err != nil {
		return Identity{}, err
	}
	user, claim := token.Subject, t.config.UserClaim
	if claim != "" {
		user = token.Claim(claim)
	}
	name, err := chat.CleanName("name", user)
	if err != nil {
		const text = "the token's user is no name of the chat: want %s"
		return Identity{}, chat.E(chat.Forbidden, text, chat.NameRule)
	}
	if asked, given := r.Query["name"]; given && chat.Fold(asked) != chat.Fold(name) {
		return Identity{}, chat.E(chat.Forbidden, "name: you are signed in as %s", name)
	}
	return Identity{User: name, Session: TokenSession, Until: token.Until, Protocol: protocol}, nil
}

// token gives the token that a handshake shows, and the sub-protocol that answers it.
func (r *Request) token() (raw, protocol string) {
	if first, second := r.protocols(); first == Protocol {
		return second, Protocol
	}
	authorization, _ := r.Header("Authorization")
	if raw, ok := Bearer(authorization); ok {
		return raw, ""
	}
	return r.Query["token"], ""
}
