package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// signedRoutes is an API whose $connect has the authorization type AWS_IAM.
func signedRoutes(t *testing.T) (*rig, *recorder) {
	t.Helper()
	h := newRecorder()
	return managed(t, Config{Routes: map[string]Route{"$connect": {Handler: h, IAM: true}}}), h
}

// The signatures are those of AWS's own signer.
func TestConfig_IAM(t *testing.T) {
	r, h := signedRoutes(t)
	request := func(target string) *http.Request {
		req, err := http.NewRequest(http.MethodGet, "http://"+r.addr+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	t.Run("header", func(t *testing.T) {
		req := request("/prod?a=1")
		sign(t, req, nil, testKey, testSecret, time.Now())
		lines := []string{
			"Authorization: " + req.Header.Get("Authorization"), "X-Amz-Date: " + req.Header.Get("X-Amz-Date"),
		}
		wantHead(t, r.handshake(t, "/prod?a=1", lines...), 101, "")
		h.next(t)
		c := r.handshake(t, "/prod?a=2", lines...)
		if c.head.StatusCode != http.StatusForbidden || !strings.Contains(c.body, "signature we calculated") {
			t.Errorf("other query: %s %s", c.head.Status, c.body)
		}
	})
	presign := func(secret string, age time.Duration) string {
		query := url.Values{"X-Amz-Expires": {"60"}, "a": {"b c"}}
		signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), aws.Credentials{
			AccessKeyID: testKey, SecretAccessKey: secret, SessionToken: "a/token+of=bytes",
		}, request("/prod?"+query.Encode()), sum(nil), "execute-api", "us-east-1", time.Now().Add(-age))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(signed, "http://"+r.addr)
	}
	t.Run("query", func(t *testing.T) {
		wantHead(t, r.handshake(t, presign(testSecret, 50*time.Second)), 101, "")
		h.next(t)
	})
	for name, test := range map[string]struct{ target, message string }{
		"unsigned":     {"/prod", "Missing Authentication Token"},
		"wrong secret": {presign("wrong", 0), "The request signature we calculated"},
		"expired":      {presign(testSecret, 70*time.Second), "Signature expired"},
		"changed":      {strings.Replace(presign(testSecret, 0), "a=b", "a=c", 1), "The request signature we calculated"},
		"no date":      {strings.Replace(presign(testSecret, 0), "X-Amz-Date", "X-Date", 1), "Authorization header requires"},
		"for ever": {
			strings.Replace(presign(testSecret, 0), "Expires=60", "Expires=604801", 1), "Authorization header requires",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := r.handshake(t, test.target)
			if c.head.StatusCode != http.StatusForbidden || !strings.Contains(c.body, test.message) {
				t.Errorf("%s %s", c.head.Status, c.body)
			}
			h.none(t)
		})
	}
}

func TestConfig_APIKeys(t *testing.T) {
	h := newRecorder()
	required := map[string]Route{"$connect": {Handler: h, APIKeyRequired: true}}
	r := run(t, Config{APIKeys: []string{"key-1", "key-2"}, Routes: required})
	wantHead(t, r.handshake(t, "/prod", "X-API-KEY: key-2"), 101, "")
	h.next(t)
	refused(t, r.handshake(t, "/prod", "x-api-key: key-3"), 403, "Forbidden")
	refused(t, r.handshake(t, "/prod"), 403, "Forbidden")
	refused(t, run(t, Config{Routes: required}).handshake(t, "/prod", "x-api-key: key-1"), 403, "Forbidden")
	h.none(t)

	result := says("Allow", "*")
	result.UsageIdentifierKey = "key-1"
	for key, status := range map[string]int{"key-1": 101, "key-2": 403} {
		result.UsageIdentifierKey = key
		g := newGuard(result, nil)
		required["$connect"] = Route{Handler: h, APIKeyRequired: true, Authorizer: &g.Authorizer}
		r := run(t, Config{
			APIKeys: []string{"key-1"}, APIKeySource: "$context.authorizer.usageIdentifierKey", Routes: required,
		})
		if c := r.handshake(t, "/prod", "x-api-key: key-1"); c.head.StatusCode != status {
			t.Errorf("%s of the authorizer: %s", key, c.head.Status)
		}
	}
}

func TestNew_refusesAdmission(t *testing.T) {
	h := newRecorder()
	for name, cfg := range map[string]Config{
		"IAM of a message":        {Routes: map[string]Route{"x": {Handler: h, IAM: true}}},
		"authorizer of a message": {Routes: map[string]Route{"x": {Handler: h, Authorizer: &newGuard(nil, nil).Authorizer}}},
		"both":                    {Routes: map[string]Route{"$connect": {Handler: h, IAM: true, Authorizer: &newGuard(nil, nil).Authorizer}}},
		"no function":             {Routes: map[string]Route{"$connect": {Handler: h, Authorizer: &Authorizer{}}}},
		"key source":              {APIKeySource: "$request.querystring.key"},
	} {
		cfg.Stages = []Stage{{Name: "prod"}}
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
