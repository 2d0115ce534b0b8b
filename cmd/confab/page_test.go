package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/web"
)

// TestPage_issuer reads the endpoints when the page is written. The policy has the origin of the token
// endpoint and no other of the issuer, whose revocation endpoint is used only there.
func TestPage_issuer(t *testing.T) {
	const at = "https://chat.auth.eu-west-1.amazoncognito.com"
	for revoke, want := range map[string]string{
		at + "/oauth2/revoke": at + "/oauth2/revoke", "https://elsewhere.example/revoke": "", "": "",
	} {
		t.Run(revoke, func(t *testing.T) {
			var issuer *httptest.Server
			issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"authorization_endpoint":"%s/oauth2/authorize",`+
					`"token_endpoint":"%s/oauth2/token","end_session_endpoint":"https://out.example/logout",`+
					`"revocation_endpoint":%q}`, issuer.URL, issuer.URL+"/keys", at, at, revoke)
			}))
			defer issuer.Close()
			dir := filepath.Join(t.TempDir(), "page")
			const socket = "wss://abc.execute-api.eu-west-1.amazonaws.com/production"
			args := []string{
				"page", "--socket", socket, "--issuer", issuer.URL, "--client-id", "4f2example",
				"--scopes", "email,offline_access", dir,
			}
			said, err := os.Create(filepath.Join(t.TempDir(), "said"))
			if err != nil {
				t.Fatal(err)
			}
			defer said.Close()
			code := run(t.Context(), func() {}, args, said, said)
			if text, err := os.ReadFile(said.Name()); err != nil || code != 0 ||
				!strings.Contains(string(text), "at the client 4f2example, which has no secret") {
				t.Fatalf("code %d, said %s, %v", code, text, err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "confab.json"))
			var about web.About
			if err == nil {
				err = json.Unmarshal(text, &about)
			}
			if err != nil || about.Issuer == nil {
				t.Fatalf("%s: %v", text, err)
			}
			if wanted := (web.Issuer{
				URL: issuer.URL, ClientID: "4f2example", Scope: "openid email offline_access",
				Authorize: at + "/oauth2/authorize", Token: at + "/oauth2/token",
				Leave: "https://out.example/logout", Revoke: want,
			}); *about.Issuer != wanted || about.Auth != "token" || about.Socket != socket {
				t.Errorf("got %+v, want %+v", about, wanted)
			}
			index, err := os.ReadFile(filepath.Join(dir, "index.html"))
			asks := "connect-src 'self' wss://abc.execute-api.eu-west-1.amazonaws.com " + at + ";"
			if err != nil || !strings.Contains(string(index), asks) {
				t.Errorf("the document lacks %s: %s, %v", asks, index, err)
			}
		})
	}
}
