package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testissuer"
)

// gate verifies the tokens of an issuer of its own, on a clock of its own.
type gate struct {
	*testing.T
	*auth.Tokens
	issuer *testissuer.Issuer
	mu     sync.Mutex
	clock  time.Time
}

func newGate(t *testing.T, change func(*auth.TokenConfig)) *gate {
	g := &gate{T: t, clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	g.issuer = testissuer.New(t, g.now)
	c := auth.TokenConfig{Issuer: g.issuer.URL, Audience: []string{testissuer.ClientID}, Now: g.now}
	if change != nil {
		change(&c)
	}
	var err error
	if g.Tokens, err = auth.NewTokens(c); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gate) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clock
}

func (g *gate) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock = g.clock.Add(d)
}

func (g *gate) good(what, token string) *auth.Token {
	g.Helper()
	got, err := g.Verify(g.Context(), token)
	if err != nil {
		g.Errorf("%s: %v", what, err)
	}
	return got
}

func (g *gate) bad(what, token string) {
	g.Helper()
	if got, err := g.Verify(g.Context(), token); !chat.Is(err, chat.Unauthenticated) {
		g.Errorf("%s: got %+v, %v, want %q", what, got, err, chat.Unauthenticated)
	}
}

func TestTokens_Verify(t *testing.T) {
	g := newGate(t, nil)
	got := g.good("a token", g.issuer.Token(map[string]any{"name": "Alice", "groups": []string{"tea", "chess"}}))
	if got.Subject != "248289761001" || !got.Until.Equal(g.now().Add(time.Hour)) || got.Claim("name") != "Alice" {
		t.Errorf("got %+v", got)
	}
	if !got.Has("groups", "chess") || got.Has("groups", "che") || got.Has("name", "alice") || got.Has("none", "") {
		t.Errorf("claims are not what they are: %+v", got)
	}
	g.good("for several", g.issuer.Token(map[string]any{"aud": []string{"other", testissuer.ClientID}}))
	for name, some := range map[string]map[string]any{
		"another issuer":        {"iss": "https://evil.example"},
		"issuer with a slash":   {"iss": g.issuer.URL + "/"},
		"no issuer":             {"iss": nil},
		"for somebody else":     {"aud": "other"},
		"for others":            {"aud": []string{"other", "another"}},
		"for nobody":            {"aud": nil},
		"audience as a prefix":  {"aud": testissuer.ClientID + "x"},
		"over":                  {"exp": g.now().Add(-time.Second).Unix()},
		"without an end":        {"exp": nil},
		"an end that is a text": {"exp": "tomorrow"},
		"not yet good":          {"nbf": g.now().Add(6 * time.Minute).Unix()},
		"no subject":            {"sub": nil},
		"an endless subject":    {"sub": strings.Repeat("a", 256)},
		"a subject of numbers":  {"sub": 7},
	} {
		g.bad(name, g.issuer.Token(some))
	}
	token := g.issuer.Token(nil)
	g.pass(61 * time.Minute)
	g.bad("an hour later", token)
}

// TestS4_Forged tries tokens that the issuer has not signed, or not as it says.
func TestS4_Forged(t *testing.T) {
	g := newGate(t, nil)
	key, kid := g.issuer.Key()
	claims := g.issuer.Claims(nil)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(a jose.SignatureAlgorithm, key any, header map[string]any) string {
		return testissuer.Sign(t, a, key, header, claims)
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", ""} {
		g.bad("alg "+none, unsigned(t, map[string]any{"alg": none, "kid": kid}, claims))
	}
	modulus := key.N.Bytes()
	for name, secret := range map[string][]byte{"DER": der, "modulus": modulus, "empty": make([]byte, 32)} {
		g.bad("the public key as a secret: "+name, sign(jose.HS256, secret, map[string]any{"kid": kid}))
	}
	for _, named := range []string{
		kid, "", "0", "../../../dev/null", "' OR 1=1 --", "http://127.0.0.1:1/keys", "1\x00", strings.Repeat("1", 5000),
	} {
		g.bad("another's key under the kid "+named, sign(jose.RS256, own, map[string]any{"kid": named}))
	}
	jwk := jose.JSONWebKey{Key: own.Public(), KeyID: "own", Algorithm: "RS256", Use: "sig"}
	for name, header := range map[string]map[string]any{
		"jwk": {"jwk": jwk, "kid": kid}, "jku": {"jku": "http://127.0.0.1:1/keys"}, "x5u": {"x5u": "http://127.0.0.1:1/"},
		"crit": {"crit": []string{"exp"}, "kid": kid},
	} {
		g.bad("a key in the header: "+name, sign(jose.RS256, own, header))
	}
	g.bad("another algorithm of the same key", sign(jose.PS256, key, map[string]any{"kid": kid}))
	g.bad("a key of another kind", sign(jose.ES256, curve, map[string]any{"kid": kid}))
	good := g.issuer.Token(nil)
	g.good("the issuer's", good)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	for name, token := range map[string]string{
		"empty": "", "points": "..", "two parts": head + "." + body, "no signature": head + "." + body + ".",
		"another's signature": head + "." + body + "." + strings.Split(sign(jose.RS256, own, nil), ".")[2],
		"other claims":        head + "." + strings.Split(g.issuer.Token(map[string]any{"sub": "root"}), ".")[1] + "." + signature,
		"five parts":          good + ".a.b", "a blank before": " " + good, "a line behind": good + "\n",
		"as JSON":     `{"payload":"` + body + `","protected":"` + head + `","signature":"` + signature + `"}`,
		"far too big": good + strings.Repeat("A", 20_000),
	} {
		g.bad(name, token)
	}
}

// unsigned is a token that nobody has signed.
func unsigned(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(header) + "." + part(claims) + "."
}

// TestTokens_rotation replaces the issuer's key: the new one counts at once, the old one no longer than
// keys are kept, and nobody makes the server ask more often than every ten seconds.
func TestTokens_rotation(t *testing.T) {
	g := newGate(t, nil)
	old := g.issuer.Token(map[string]any{"exp": g.now().Add(48 * time.Hour).Unix()})
	g.good("the first key", old)
	g.issuer.Rotate()
	g.good("the old key, whose end nobody has heard of", old)
	g.pass(10 * time.Second)
	g.good("the new key", g.issuer.Token(nil))
	g.bad("the old key, that has gone", old)

	asked := g.issuer.Asked()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	forged := testissuer.Sign(t, jose.RS256, stranger, map[string]any{"kid": "no such"}, g.issuer.Claims(nil))
	var rush sync.WaitGroup
	for range 50 {
		rush.Go(func() { g.bad("a forged one", forged) })
	}
	rush.Wait()
	if n := g.issuer.Asked() - asked; n > 1 {
		t.Errorf("50 forged tokens made the server read the keys %d times", n)
	}

	withdrawn := g.issuer.Token(map[string]any{"exp": g.now().Add(48 * time.Hour).Unix()})
	g.good("a key before it is withdrawn", withdrawn)
	g.issuer.Rotate()
	g.pass(time.Hour)
	g.bad("a key that was withdrawn an hour ago", withdrawn)
}

// TestTokens_down has the issuer not answer: what is known lasts a day.
func TestTokens_down(t *testing.T) {
	g := newGate(t, nil)
	g.issuer.Down(true)
	token := g.issuer.Token(map[string]any{"exp": g.now().Add(48 * time.Hour).Unix()})
	if _, err := g.Verify(t.Context(), token); !chat.Is(err, chat.Unavailable) {
		t.Errorf("without any key: %v, want %q", err, chat.Unavailable)
	}
	g.issuer.Down(false)
	g.pass(10 * time.Second)
	g.good("it is back", token)
	g.issuer.Down(true)
	g.pass(23 * time.Hour)
	g.good("it is down again", token)
	g.pass(time.Hour)
	if _, err := g.Verify(t.Context(), token); !chat.Is(err, chat.Unavailable) {
		t.Errorf("a day later: %v, want %q", err, chat.Unavailable)
	}
}

func TestTokens_Identify(t *testing.T) {
	g := newGate(t, func(c *auth.TokenConfig) {
		c.UserClaim, c.AudienceClaim = "cognito:username", "client_id"
	})
	token := g.issuer.Token(map[string]any{
		"aud": nil, "client_id": testissuer.ClientID, "cognito:username": "Alice",
	})
	want := auth.Identity{User: "Alice", Session: auth.TokenSession, Until: g.now().Add(time.Hour)}
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	for name, r := range map[string]auth.Request{
		"bearer":       {Headers: header("authorization", "bearer "+token)},
		"sub-protocol": {Headers: header("sec-websocket-protocol", "confab, "+token)},
		"query":        {Query: map[string]string{"token": token, "name": "alice"}},
	} {
		want.Protocol = map[string]string{"sub-protocol": "confab"}[name]
		got, err := g.Identify(t.Context(), r)
		if err != nil || !got.Until.Equal(want.Until) {
			t.Errorf("%s: got %+v, %v", name, got, err)
			continue
		}
		if got.Until = want.Until; got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for name, c := range map[string]struct {
		r    auth.Request
		kind chat.Kind
	}{
		"nothing":        {auth.Request{}, chat.Unauthenticated},
		"?name= alone":   {auth.Request{Query: map[string]string{"name": "alice"}}, chat.Unauthenticated},
		"another's name": {auth.Request{Query: map[string]string{"token": token, "name": "bob"}}, chat.Forbidden},
		"an ID token":    {auth.Request{Query: map[string]string{"token": g.issuer.Token(nil)}}, chat.Unauthenticated},
		"no name": {auth.Request{Query: map[string]string{"token": g.issuer.Token(map[string]any{
			"client_id": testissuer.ClientID, "cognito:username": "a b",
		})}}, chat.Forbidden},
	} {
		if got, err := g.Identify(t.Context(), c.r); !chat.Is(err, c.kind) {
			t.Errorf("%s: got %+v, %v, want %q", name, got, err, c.kind)
		}
	}
}

func TestNewTokens(t *testing.T) {
	audience := []string{"confab"}
	for name, c := range map[string]auth.TokenConfig{
		"no audience":  {Issuer: "https://accounts.example"},
		"an empty one": {Issuer: "https://accounts.example", Audience: []string{""}},
		"no TLS":       {Issuer: "http://accounts.example", Audience: audience},
		"no URL":       {Issuer: "accounts.example", Audience: audience},
		"a password":   {Issuer: "https://a:b@accounts.example", Audience: audience},
	} {
		if _, err := auth.NewTokens(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
