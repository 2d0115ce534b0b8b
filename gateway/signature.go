package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API request"), for the service
// execute-api.
const (
	signAlgorithm = "AWS4-HMAC-SHA256"
	signService   = "execute-api"
	signTime      = "20060102T150405Z"
	signSkew      = 5 * time.Minute // how old or how far ahead a signature may be
)

// refusal is why a call is not accepted.
type refusal struct{ kind, message string }

var (
	errUnsigned = &refusal{"MissingAuthenticationTokenException", "Missing Authentication Token"}
	errMangled  = &refusal{
		"IncompleteSignatureException",
		"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
	}
	errExpired = &refusal{"InvalidSignatureException", "Signature expired or not yet current"}
	errScope   = &refusal{
		"InvalidSignatureException",
		"Credential should be scoped to the correct region and service",
	}
	errKey = &refusal{
		"UnrecognizedClientException",
		"The security token included in the request is invalid.",
	}
	errSignature = &refusal{
		"InvalidSignatureException",
		"The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. " +
			"Consult the service documentation for details.",
	}
)

// claim reads who a request says has signed it, and refuses what can be refused before its body is
// read.
func (a *API) claim(r *http.Request) (auth authorization, refused *refusal) {
	auth, refused = authorizationOf(r)
	if refused != nil {
		return auth, refused
	}
	at, err := time.Parse(signTime, auth.date)
	if err != nil || !strings.HasPrefix(auth.date, auth.day) || !slices.Contains(auth.signed, "host") {
		return auth, errMangled
	}
	if age := a.cfg.Now().Sub(at); age > auth.limit || age < -signSkew {
		return auth, errExpired
	}
	if auth.region != a.cfg.Region || auth.service != signService {
		return auth, errScope
	}
	if _, known := a.cfg.Credentials[auth.key]; !known {
		return auth, errKey
	}
	return auth, nil
}

// verify checks that the claim is true of a request whose body has the hash.
func (a *API) verify(r *http.Request, auth *authorization, bodyHash string) *refusal {
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != "" && h != bodyHash {
		return errSignature
	}
	if !hmac.Equal(auth.sign(r, a.cfg.Credentials[auth.key], bodyHash), auth.signature) {
		return errSignature
	}
	return nil
}

// sign computes the signature that the request should have.
func (auth *authorization) sign(r *http.Request, secret, bodyHash string) []byte {
	canonical := sha256.Sum256([]byte(canonicalRequest(r, auth.signed, bodyHash)))
	scope := strings.Join([]string{auth.day, auth.region, auth.service, "aws4_request"}, "/")
	text := strings.Join([]string{signAlgorithm, auth.date, scope, hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.day, auth.region, auth.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}

// canonicalRequest is what is signed. The path, as sent, is escaped once more, as for every service
// but S3.
func canonicalRequest(r *http.Request, signed []string, bodyHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	writeEscaped(&b, r.URL.EscapedPath(), true)
	b.WriteString("\n" + canonicalQuery(r) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + signedValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + bodyHash)
	return b.String()
}

// signedValue is a header as it is signed: values joined, runs of spaces made one.
func signedValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header[http.CanonicalHeaderKey(name)])
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// canonicalQuery is the query as it is signed: sorted, and without a signature in it.
func canonicalQuery(r *http.Request) string {
	var pairs []string
	for name, values := range r.URL.Query() {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			var b strings.Builder
			writeEscaped(&b, name, false)
			b.WriteByte('=')
			writeEscaped(&b, value, false)
			pairs = append(pairs, b.String())
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// writeEscaped escapes all but RFC 3986's unreserved characters.
func writeEscaped(b *strings.Builder, s string, path bool) {
	const hexDigits = "0123456789ABCDEF"
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && path:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
}
