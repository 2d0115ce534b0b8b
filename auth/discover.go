package auth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Endpoints are where an issuer signs people in and out (OpenID Connect Discovery 1.0, section 3).
// They need not be at the issuer's own host: those of Amazon Cognito are not.
type Endpoints struct {
	Authorize, Token string
	Leave, Revoke    string // "": it has none
}

// Discover asks an issuer for its endpoints. Each is https, or on this very machine. An issuer whose
// URL is none is an error of its own, one that does not answer chat.Unavailable.
func Discover(ctx context.Context, address string, client *http.Client) (Endpoints, error) {
	i, err := newIssuer(address, client, time.Now)
	if err != nil {
		return Endpoints{}, err
	}
	m, err := i.metadata(ctx)
	if err != nil {
		return Endpoints{}, err
	}
	e := Endpoints{Authorize: m.AuthURL, Token: m.TokenURL, Leave: m.Leave, Revoke: m.Revoke}
	if e.Authorize == "" || e.Token == "" {
		return Endpoints{}, unanswered(errors.New("it names no page to sign in on, or gives no tokens"))
	}
	for _, optional := range []*string{&e.Leave, &e.Revoke} {
		if checkIssuerURL(*optional) != nil {
			*optional = ""
		}
	}
	return e, nil
}
