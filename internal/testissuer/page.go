package testissuer

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"time"
)

// PageID is a client without a secret, as pages are: the issuer answers them whatever their origin.
const PageID = "confab-page"

// page is what tokens of pages are like.
type page struct {
	at      string // of the endpoints
	handler http.Handler
	life    time.Duration
	renews  bool // by refresh tokens
	refusal string
	grants  map[string]grant // by refresh token, each for one use
	log     []string
}

func newPage() page { return page{life: time.Hour, grants: map[string]grant{}} }

// Tokens has tokens of pages end after some time, and come with a refresh token or not, from now on.
func (i *Issuer) Tokens(life time.Duration, renews bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.page.life, i.page.renews = life, renews
}

// Refuse answers sign-ins with an error code of OAuth or OpenID Connect from now on; "" with none.
func (i *Issuer) Refuse(code string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.page.refusal = code
}

// Apart moves all endpoints but discovery and keys to another origin, as those of Amazon Cognito are.
func (i *Issuer) Apart() (at string) {
	server := httptest.NewServer(i.page.handler)
	i.tb.Cleanup(server.Close)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.page.at = server.URL
	return server.URL
}

// Log is what pages have asked for so far: "code" and "silent" at sign-in, "renewed", "left" and
// "revoked".
func (i *Issuer) Log() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.page.log)
}

func (i *Issuer) note(what string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.page.log = append(i.page.log, what)
}

func (i *Issuer) endpoints() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.page.at
}

// noted notes a request to sign in and gives the error to answer with, "" for none.
func (i *Issuer) noted(q url.Values) (refusal string) {
	if q.Get("prompt") == "none" {
		i.note("silent")
	} else {
		i.note("code")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.page.refusal
}

// answerPage gives a page its tokens.
func (i *Issuer) answerPage(w http.ResponseWriter, g grant) {
	if g.challenge == "" {
		i.note("renewed")
	}
	i.mu.Lock()
	life, refresh := i.page.life, ""
	if i.page.renews {
		refresh = rand.Text()
		i.page.grants[refresh] = grant{client: g.client, claims: g.claims}
	}
	i.mu.Unlock()
	claims := maps.Clone(g.claims)
	claims["aud"], claims["exp"] = PageID, i.now().Add(life).Unix()
	tokens := map[string]any{
		"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(life.Seconds()),
		"id_token": i.Token(claims),
	}
	if refresh != "" {
		tokens["refresh_token"] = refresh
	}
	i.answer(w, tokens)
}

// revoke ends a refresh token (RFC 7009).
func (i *Issuer) revoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if g := i.take(i.page.grants, r.FormValue("token")); g.client == PageID {
		i.note("revoked")
	}
}

// leave is the page on which people sign out, which sends them back.
func (i *Issuer) leave(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("post_logout_redirect_uri"))
	if err != nil || !back.IsAbs() || q.Get("client_id") != PageID || q.Has("id_token_hint") {
		http.Error(w, "a bad request", http.StatusBadRequest)
		return
	}
	i.note("left")
	http.Redirect(w, r, back.String(), http.StatusFound)
}
