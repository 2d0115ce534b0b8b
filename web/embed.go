// Package web is the page: a chat for browsers, built from TypeScript into dist and served from the
// program itself.
//
// What is served is fixed when the program is built, so that each file has a strong ETag and is packed
// already; the page asks no other host for anything, and its policy would not let it.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:generate ../internal/tools/web.sh

//go:embed dist
var dist embed.FS

// About is what the page is told of its server: /confab.json.
type About struct {
	Version string `json:"version"`
	Socket  string `json:"socket"`           // where to connect: a path of the same origin, or a wss address
	Auth    string `json:"auth"`             // who comes in: open, link, proxy, oidc, or token on a stage
	SignIn  string `json:"signIn,omitempty"` // of oidc: the path that leads to the issuer
	Notice  string `json:"notice,omitempty"` // what people should know, a sentence

	Issuer *Issuer `json:"issuer,omitempty"` // of token: who gives them
}

// ContentPolicy lets the page use its own files and talk to its own server, and nothing else. No
// script is made of text: the one Trusted Types policy lets the address of the service worker pass.
const ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types confab-worker"

// headers come with each file, beside its type and the policy.
var headers = []struct{ name, value string }{
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cache-Control", "no-cache"}, // kept, and asked for by its ETag each time
}

// types are the content types of the page's files by their suffix.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
	".txt":  "text/plain; charset=utf-8",
}

// body is a file in one encoding.
type body struct {
	bytes []byte
	etag  string
}

// file is one file of the page in the encodings that there are, "" being as it is.
type file struct {
	kind   string
	bodies map[string]body
}

// encodings are suffixes of packed files with what HTTP calls them, the smallest first.
var encodings = []struct{ suffix, name string }{{".br", "br"}, {".gz", "gzip"}, {"", ""}}

// Page serves the files of the page.
type Page struct{ files map[string]*file }

// New makes a page that is told about its server.
func New(about About) (*Page, error) {
	told, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	p := &Page{files: map[string]*file{}}
	p.add("/confab.json", "", told)
	entries, err := dist.ReadDir("dist")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := dist.ReadFile("dist/" + e.Name())
		if err != nil {
			return nil, err
		}
		for _, encoding := range encodings {
			if name, ok := strings.CutSuffix(e.Name(), encoding.suffix); ok {
				p.add("/"+name, encoding.name, text)
				break
			}
		}
	}
	// Every view is one document: which it is, the page reads from its address.
	p.files["/"], p.files["/join"] = p.files["/index.html"], p.files["/index.html"]
	return p, nil
}

func (p *Page) add(name, encoding string, text []byte) {
	f := p.files[name]
	if f == nil {
		f = &file{kind: types[path.Ext(name)], bodies: map[string]body{}}
		p.files[name] = f
	}
	sum := sha256.Sum256(text)
	f.bodies[encoding] = body{text, `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`}
}

// Serves tells whether a path is one of the page's.
func (p *Page) Serves(path string) bool { return p.files[path] != nil }

// ServeHTTP answers with a file of the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.files[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	encoding, b := f.accepted(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", b.etag)
	h.Set("Vary", "Accept-Encoding")
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Content-Security-Policy", ContentPolicy)
	for _, one := range headers {
		h.Set(one.name, one.value)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.bytes))
}

// accepted gives the smallest body that a client takes (RFC 9110 section 12.5.3). A quality counts
// only where it is 0: nobody who takes br at all wants something larger.
func (f *file) accepted(header string) (encoding string, b body) {
	takes := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToLower(header), ",") {
		name, quality, _ := strings.Cut(part, ";")
		quality = strings.ReplaceAll(quality, " ", "")
		takes[strings.TrimSpace(name)] = strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "" || quality == ""
	}
	for _, e := range encodings {
		if b, ok := f.bodies[e.name]; ok && (e.name == "" || takes[e.name]) {
			return e.name, b
		}
	}
	return "", f.bodies[""]
}
