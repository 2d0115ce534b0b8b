package web

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var signedIn = About{
	Version: "0.1.0", Socket: "wss://abc.execute-api.eu-west-1.amazonaws.com/production", Auth: "token",
	Issuer: &Issuer{
		URL: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", ClientID: "4f2example", Scope: "openid",
		Authorize: "https://chat.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
		Token:     "https://chat.auth.eu-west-1.amazoncognito.com/oauth2/token",
	},
}

// TestWriteStatic has the policy let the page talk to the stage and to the issuer's token endpoint,
// which is not at the issuer's host, and to nobody else; a document's own cannot say more (Content
// Security Policy Level 3, section 3.3), so that the headers say it again, whole.
func TestWriteStatic(t *testing.T) {
	dir := t.TempDir()
	if err := WriteStatic(dir, signedIn); err != nil {
		t.Fatal(err)
	}
	const asks = "connect-src 'self' wss://abc.execute-api.eu-west-1.amazonaws.com" +
		" https://chat.auth.eu-west-1.amazoncognito.com; "
	index := read(t, dir, "index.html")
	meta := regexp.MustCompile(`(?s)^(.*?)<meta http-equiv="Content-Security-Policy" content="([^"]*)">`)
	found := meta.FindStringSubmatch(index)
	if len(found) != 3 || strings.Contains(found[1], "<script") || strings.Contains(found[1], "<link") {
		t.Fatalf("the document has no policy before what it is about: %s", index)
	}
	policy := found[2]
	if want := strings.Replace(strings.Replace(ContentPolicy, "connect-src 'self'; ", asks, 1),
		"frame-ancestors 'none'; ", "", 1); policy != want || !strings.Contains(policy, asks) {
		t.Errorf("the policy is %s, want %s", policy, want)
	}
	headers := read(t, dir, "_headers")
	for _, want := range []string{
		"/*\n", "  Content-Security-Policy: default-src 'none'; ", asks, "frame-ancestors 'none'; ",
		"\n  X-Content-Type-Options: nosniff\n", "\n  Referrer-Policy: no-referrer\n",
	} {
		if !strings.Contains(headers, want) {
			t.Errorf("the headers lack %q: %s", want, headers)
		}
	}
	var told About
	if err := json.Unmarshal([]byte(read(t, dir, "confab.json")), &told); err != nil || *told.Issuer != *signedIn.Issuer {
		t.Errorf("confab.json: %+v, %v", told, err)
	}
	for path := range newPage(t).files {
		if path != "/" && path != "/join" && read(t, dir, path) == "" {
			t.Errorf("%s is empty", path)
		}
	}
}

// TestWriteStatic_build has a page for another stage be another build, in the document and in the service
// worker alike: browsers keep a document by its build.
func TestWriteStatic_build(t *testing.T) {
	seen := map[string]string{build.FindStringSubmatch(get(newPage(t), http.MethodGet, "/").Body.String())[1]: "that of confab serve"}
	for _, socket := range []string{"wss://a.example/production", "wss://b.example/production"} {
		dir, about := t.TempDir(), signedIn
		about.Socket = socket
		if err := WriteStatic(dir, about); err != nil {
			t.Fatal(err)
		}
		name := build.FindStringSubmatch(read(t, dir, "index.html"))[1]
		if other, is := seen[name]; is {
			t.Errorf("the build of %s is %s, as %s", socket, name, other)
		}
		seen[name] = socket
		if n := strings.Count(read(t, dir, "sw.js"), name); n == 0 {
			t.Errorf("the service worker of %s is of another build", socket)
		}
	}
}

// TestWriteStatic_hosts refuses what would stand in a policy as something else.
func TestWriteStatic_hosts(t *testing.T) {
	for _, host := range []string{"", "a;b", "a'b", "a,b", "*", "*.example", "a b", `a"b`, "ä.example"} {
		about := signedIn
		about.Socket = "wss://" + host + "/production"
		if err := WriteStatic(t.TempDir(), about); err == nil {
			t.Errorf("%q is taken for a host", host)
		}
	}
}
