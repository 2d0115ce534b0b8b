// Package testissuer is an OIDC issuer on loopback, for tests: it signs in whom the test says,
// and signs whatever token the test wants.
package testissuer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that the issuer knows.
const (
	ClientID     = "confab"
	ClientSecret = "not much of a secret"
)

// Issuer is an issuer. Its URL is the server's.
type Issuer struct {
	*httptest.Server
	tb  testing.TB
	now func() time.Time

	mu    sync.Mutex
	key   *rsa.PrivateKey
	kid   int
	who   map[string]any // claims of whom it signs in
	codes map[string]grant
	asked int // for the keys
	down  bool
	page  page
}

// grant is what a code is good for, once.
type grant struct {
	client              string
	claims              map[string]any
	challenge, redirect string
}

// New starts an issuer that ends with the test; now is its clock.
func New(tb testing.TB, now func() time.Time) *Issuer {
	tb.Helper()
	i := &Issuer{tb: tb, now: now, codes: map[string]grant{}, page: newPage()}
	i.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /leave", i.leave)
	mux.HandleFunc("POST /revoke", i.revoke)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.isDown() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	i.page.at, i.page.handler = i.URL, i.Config.Handler
	tb.Cleanup(i.Close)
	return i
}

// SignIn has everybody signed in as who has these claims from now on.
func (i *Issuer) SignIn(claims map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.who = claims
}

// Down has the issuer answer nothing but 502, or answer again.
func (i *Issuer) Down(is bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = is
}

func (i *Issuer) isDown() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.down
}

// Rotate replaces the key by another one, with another kid.
func (i *Issuer) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		i.tb.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.kid = key, i.kid+1
}

// Key gives the present key and its kid.
func (i *Issuer) Key() (key *rsa.PrivateKey, kid string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.key, strconv.Itoa(i.kid)
}

// Asked is how often somebody has read the keys.
func (i *Issuer) Asked() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

// Claims are those of a token for the client that is good for an hour, changed by some of them:
// nil is left out.
func (i *Issuer) Claims(some map[string]any) map[string]any {
	now := i.now()
	claims := map[string]any{
		"iss": i.URL, "aud": ClientID, "sub": "248289761001",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, some)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// Token signs these claims, as Claims has them, with the present key.
func (i *Issuer) Token(some map[string]any) string {
	key, kid := i.Key()
	return Sign(i.tb, jose.RS256, key, map[string]any{"kid": kid}, i.Claims(some))
}

// Sign signs claims with any key, under any header.
func Sign(
	tb testing.TB, algorithm jose.SignatureAlgorithm, key any, header, claims map[string]any,
) string {
	tb.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	at := i.endpoints()
	i.answer(w, map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + "/keys",
		"authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token",
		"end_session_endpoint": at + "/leave?from=discovery", "revocation_endpoint": at + "/revoke",
		"authorization_response_iss_parameter_supported": true,
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	key, kid := i.Key()
	i.mu.Lock()
	i.asked++
	i.mu.Unlock()
	public := jose.JSONWebKey{
		Key: key.Public(), KeyID: kid, Algorithm: string(jose.RS256), Use: "sig",
	}
	i.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
}

func (i *Issuer) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		i.tb.Error(err)
	}
}

// authorize is the page on which somebody would sign in: it asks nothing.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	client := q.Get("client_id")
	good := q.Get("response_type") == "code" && (client == ClientID || client == PageID) &&
		q.Get("nonce") != "" && q.Get("code_challenge_method") == "S256" && q.Get("code_challenge") != "" &&
		slices.Contains(strings.Fields(q.Get("scope")), "openid")
	back, err := url.Parse(q.Get("redirect_uri"))
	if !good || err != nil || !back.IsAbs() {
		http.Error(w, "a bad request", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {i.URL}}
	if refusal := i.noted(q); refusal != "" {
		answer.Set("error", refusal)
		back.RawQuery = answer.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
		return
	}
	i.mu.Lock()
	code := rand.Text()
	claims := maps.Clone(i.who)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["nonce"] = q.Get("nonce")
	i.codes[code] = grant{client, claims, q.Get("code_challenge"), q.Get("redirect_uri")}
	i.mu.Unlock()
	answer.Set("code", code)
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// token gives the tokens of a code, once, to who has the verifier and, but for a page, the secret.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	client, secret, _ := r.BasicAuth()
	if r.FormValue("client_id") == PageID {
		client = PageID
		w.Header().Set("Access-Control-Allow-Origin", "*")
	} else if client != ClientID || secret != url.QueryEscape(ClientSecret) { // RFC 6749 section 2.3.1
		i.refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	var g grant
	if r.FormValue("grant_type") == "refresh_token" {
		g = i.take(i.page.grants, r.FormValue("refresh_token"))
	} else {
		g = i.take(i.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if g.redirect != r.FormValue("redirect_uri") ||
			g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			g = grant{}
		}
	}
	if g.client != client {
		i.refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if client == PageID {
		i.answerPage(w, g)
		return
	}
	i.answer(w, map[string]any{
		"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600,
		"id_token": i.Token(g.claims),
	})
}

// take gives what somebody was granted, once.
func (i *Issuer) take(from map[string]grant, secret string) grant {
	i.mu.Lock()
	defer i.mu.Unlock()
	g := from[secret]
	delete(from, secret)
	return g
}

func (i *Issuer) refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	i.answer(w, map[string]string{"error": code})
}
