package auth

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/confab-chat/confab/internal/tools"
)

// vectors are a file of Project Wycheproof.
type vectors struct {
	NumberOfTests int
	TestGroups    []struct {
		Comment string
		Private json.RawMessage // of a shared secret, or of several keys
		Public  json.RawMessage
		Tests   []struct {
			TCID    int `json:"tcId"`
			Comment string
			JWS     json.RawMessage
			Result  string
		}
	}
}

// TestS4_Wycheproof verifies Project Wycheproof's signatures as if an issuer had such keys: none that is
// invalid is good, none of a shared secret is, and every other valid one is.
func TestS4_Wycheproof(t *testing.T) {
	folder := filepath.Join(tools.Corpus(t, "wycheproof"), "testvectors_v1")
	for file, number := range map[string]int{"json_web_signature_test.json": 401, "json_web_key_test.json": 26} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Fatal(err)
			}
			var v vectors
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			tried, taken := 0, 0
			for _, group := range v.TestGroups {
				keys := keysOfIssuer(t, group.Public, group.Private)
				for _, c := range group.Tests {
					tried++
					var token string
					err := json.Unmarshal(c.JWS, &token) // an object is in another form
					if err == nil {
						_, err = keys.VerifySignature(t.Context(), token)
					}
					if err == nil {
						taken++
					}
					if want := c.Result == "valid" && isOurs(keys.keys); (err == nil) != want && !isSpecial(c.TCID) {
						t.Errorf("%s %d %q is %s: %v", group.Comment, c.TCID, c.Comment, c.Result, err)
					}
				}
			}
			t.Logf("tried=%d taken=%d", tried, taken)
			if tried != number || tried != v.NumberOfTests || taken == 0 {
				t.Errorf("%d vectors, want %d, and %d of them were good", tried, number, taken)
			}
		})
	}
}

// isSpecial tells of valid vectors that are refused here all the same: figure 20 of RFC 7520 is signed by
// PS384, and the key says that it is for PS256 (RFC 7517 section 4.4).
func isSpecial(id int) bool { return id == 346 || id == 350 }

// keysOfIssuer makes the keys of an issuer that publishes these.
func keysOfIssuer(t *testing.T, public, private json.RawMessage) *keySet {
	t.Helper()
	text := public
	if text == nil {
		text = private
	}
	var set struct{ Keys []publicKey }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	if set.Keys == nil {
		var one publicKey
		if err := json.Unmarshal(text, &one); err != nil {
			t.Fatal(err)
		}
		set.Keys = []publicKey{one}
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return &keySet{
		keys: set.Keys, read: now, tried: now, now: func() time.Time { return now },
		where: func(context.Context) (string, error) { return "", errors.New("nowhere") },
	}
}

// isOurs tells whether one of the keys is for an algorithm by which issuers sign.
func isOurs(keys []publicKey) bool {
	return slices.ContainsFunc(keys, func(k publicKey) bool {
		return slices.Contains(algorithms, jose.SignatureAlgorithm(k.Algorithm))
	})
}
