package gateway

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzUnmarshalResponse checks that what is taken without a warning means what encoding/json says.
func FuzzUnmarshalResponse(f *testing.F) {
	for _, text := range []string{
		`{"statusCode":200,"headers":null,"multiValueHeaders":{"a":["b"]},"body":"x","isBase64Encoded":true}`,
		`{"statusCode":"200","headers":{"a":1}}`, `null`, `[]`, `{"statusCode":200,"headers":{"a":null}}`, ` {} `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, warning, err := UnmarshalResponse([]byte(text))
		if err != nil || warning != "" {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%q is taken, encoding/json says %v", text, err)
		}
		if status, ok := want["statusCode"].(float64); !ok || status != float64(got.StatusCode) {
			t.Errorf("%q: status %d, want %v", text, got.StatusCode, want["statusCode"])
		}
		if body, _ := want["body"].(string); body != got.Body {
			t.Errorf("%q: body %q, want %q", text, got.Body, body)
		}
		headers, _ := want["headers"].(map[string]any)
		if len(headers) != len(got.Headers) {
			t.Errorf("%q: headers %v, want %v", text, got.Headers, headers)
		}
	})
}

// FuzzGlob compares the patterns of policies with regular expressions.
func FuzzGlob(f *testing.F) {
	for _, pair := range [][2]string{
		{"*", ""}, {"a*b*c", "aXbXbc"}, {"?", "é"}, {"**a", "a"}, {"a?", "a"}, {methodARN, methodARN}, {"*/$*", methodARN},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 50 || len(text) > 200 || !utf8.ValidString(pattern+text) ||
			len(pattern+text) != utf8.RuneCountInString(pattern+text) {
			return // bytes and characters differ
		}
		form := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)\A` + form + `\z`).MatchString(text)
		if got := glob(pattern, text); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, text, got, want)
		}
	})
}

// FuzzVerdict checks that no authorizer's result brings the reader down, and that what is taken says
// something.
func FuzzVerdict(f *testing.F) {
	f.Add(`{"principalId":"u","context":{"a":1,"b":null},"policyDocument":{"Statement":[` +
		`{"Effect":"Allow","Action":"*","Resource":["*"]},{"Effect":"Deny","NotAction":[],"NotResource":"x"}]}}`)
	f.Add(`{"policyDocument":{"Statement":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := readVerdict([]byte(text))
		if err != nil {
			return
		}
		if allowed, denied := decide(v.policy, methodARN); allowed && denied {
			t.Errorf("%q allows and denies", text)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is taken", text)
		}
	})
}
