package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authorization is what a request says of its signature.
type authorization struct {
	key, day, region, service string
	signed                    []string
	signature                 []byte
	date                      string        // as X-Amz-Date has it
	limit                     time.Duration // how old it may be
}

// maxExpires is the longest life of a signature in a query (AWS IAM User Guide, "Authenticating
// requests (AWS Signature Version 4): query parameters").
const maxExpires = 7 * 24 * time.Hour

// authorizationOf finds a request's signature in its Authorization header, or, as browsers must send
// it, in its query.
func authorizationOf(r *http.Request) (auth authorization, refused *refusal) {
	values, query := r.Header["Authorization"], r.URL.Query()
	ok := false
	switch {
	case len(values) == 1:
		auth, ok = parseAuthorization(values[0])
		auth.date, auth.limit = r.Header.Get("X-Amz-Date"), signSkew
	case len(values) == 0 && query.Has("X-Amz-Signature"):
		ok = query.Get("X-Amz-Algorithm") == signAlgorithm
		for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
			ok = ok && auth.set(name, query.Get("X-Amz-"+name))
		}
		auth.date = query.Get("X-Amz-Date")
		seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
		auth.limit = time.Duration(seconds) * time.Second
		ok = ok && err == nil && seconds > 0 && auth.limit <= maxExpires
	case len(values) == 0:
		return auth, errUnsigned
	}
	if !ok {
		return auth, errMangled
	}
	return auth, nil
}

// parseAuthorization reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func parseAuthorization(value string) (auth authorization, ok bool) {
	rest, ok := strings.CutPrefix(value, signAlgorithm+" ")
	if !ok {
		return auth, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(field), "=")
		if !auth.set(name, text) {
			return auth, false
		}
	}
	return auth, auth.key != "" && len(auth.signed) > 0 && len(auth.signature) == sha256.Size
}

// set takes one of the parameters, and tells whether it is well formed.
func (auth *authorization) set(name, text string) bool {
	switch name {
	case "Credential":
		scope := strings.Split(text, "/")
		if len(scope) != 5 || scope[0] == "" || scope[4] != "aws4_request" {
			return false
		}
		auth.key, auth.day, auth.region, auth.service = scope[0], scope[1], scope[2], scope[3]
	case "SignedHeaders":
		auth.signed = strings.Split(text, ";")
	case "Signature":
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) != sha256.Size {
			return false
		}
		auth.signature = raw
	}
	return true
}
