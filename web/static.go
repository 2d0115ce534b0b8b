package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Issuer is who signs people in on a page of a static host: by the authorization code flow with
// PKCE, in the browser. Its endpoints are read once, when the page is written.
type Issuer struct {
	URL       string `json:"url"`
	ClientID  string `json:"clientId"` // of a client without a secret
	Scope     string `json:"scope"`    // openid and more, separated by spaces
	Authorize string `json:"authorize"`
	Token     string `json:"token"`
	Leave     string `json:"leave,omitempty"`
	Revoke    string `json:"revoke,omitempty"`
}

// ErrNotOurs says that a folder holds something else than a page that was written before.
var ErrNotOurs = errors.New("the folder is not empty, and holds no page that this has written")

// marker is the file by which a folder with a page is known.
const marker = "confab.json"

// unframed is what a policy cannot say inside a document: Content Security Policy Level 3, section
// 3.3, has the directive ignored there.
const unframed = "frame-ancestors 'none'; "

// WriteStatic writes the page into a folder for a static host: any that gives files as they are. The
// folder is made, or is one that this has written before, whose files are replaced; another one that
// is not empty is ErrNotOurs. _headers is the file in which some hosts look for headers.
func WriteStatic(dir string, about About) error {
	policy, err := staticPolicy(about)
	if err != nil {
		return err
	}
	p, err := New(about)
	if err != nil {
		return err
	}
	told, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return err
	}
	if err := ours(dir); err != nil {
		return err
	}
	// The marker comes first, so that a write that fails can be repeated; the document comes last.
	write := func(name string, text []byte) error {
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	}
	if err := write(marker, append(told, '\n')); err != nil {
		return err
	}
	all := "/*\n  Content-Security-Policy: " + policy + "\n"
	for _, h := range headers {
		all += "  " + h.name + ": " + h.value + "\n"
	}
	if err := write("_headers", []byte(all)); err != nil {
		return err
	}
	document := p.files["/index.html"].bodies[""].bytes
	rename := renamed(document, policy)
	for path, f := range p.files {
		name := strings.TrimPrefix(path, "/")
		if name == "" || name == "join" || name == marker || name == "index.html" {
			continue
		}
		text := f.bodies[""].bytes
		if name == "sw.js" {
			text = rename(text)
		}
		if err := write(name, text); err != nil {
			return err
		}
	}
	return write("index.html", rename(withPolicy(document, policy)))
}

// build is how the document and the service worker name what belongs together.
var build = regexp.MustCompile(`<meta name="build" content="(\w+)">`)

// renamed gives what names the build anew in a text, by its policy: with the old name, a browser that
// keeps a document with another policy would show that one.
func renamed(document []byte, policy string) func(text []byte) []byte {
	found := build.FindSubmatch(document)
	if found == nil {
		return func(text []byte) []byte { return text }
	}
	sum := sha256.Sum256(append([]byte(policy), found[1]...))
	name := []byte(hex.EncodeToString(sum[:8]))
	return func(text []byte) []byte { return bytes.ReplaceAll(text, found[1], name) }
}

// ours makes the folder, or tells that it is not to be written to.
func ours(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, marker))
	var before About
	if errors.Is(err, fs.ErrNotExist) || err == nil && (json.Unmarshal(text, &before) != nil || before.Socket == "") {
		return fmt.Errorf("%s: %w", dir, ErrNotOurs)
	}
	return err
}

// withPolicy puts the policy into the document, before all that it is about.
func withPolicy(document []byte, policy string) []byte {
	const charset = `<meta charset="utf-8">` + "\n"
	policy = strings.Replace(policy, unframed, "", 1)
	tags := `<meta http-equiv="Content-Security-Policy" content="` + policy + `">` + "\n" +
		`<meta name="referrer" content="no-referrer">` + "\n"
	return bytes.Replace(document, []byte(charset), []byte(charset+tags), 1)
}

// host is what stands in a policy as it is.
var host = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

// staticPolicy is ContentPolicy for a page that talks to a stage, and to the issuer where there is
// one: the browser goes to its pages, and the page asks its token endpoint alone.
func staticPolicy(about About) (string, error) {
	const own = "connect-src 'self'"
	to, all := []string{about.Socket}, own
	if about.Issuer != nil {
		to = append(to, about.Issuer.Token)
	}
	for _, address := range to {
		u, err := url.Parse(address)
		if err != nil || !host.MatchString(u.Host) {
			return "", fmt.Errorf("%q: want a URL with a host", address)
		}
		all += " " + u.Scheme + "://" + u.Host
	}
	return strings.Replace(ContentPolicy, own, all, 1), nil
}
