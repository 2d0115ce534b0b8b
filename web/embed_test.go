package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func newPage(t *testing.T) *Page {
	t.Helper()
	p, err := New(About{Version: "0.1.0", Socket: "./production", Auth: "open"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(p *Page, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestPage_files(t *testing.T) {
	p := newPage(t)
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/join": "text/html; charset=utf-8",
		"/app.js": "text/javascript; charset=utf-8", "/sw.js": "text/javascript; charset=utf-8", "/style.css": "text/css; charset=utf-8",
		"/icon.svg": "image/svg+xml", "/emoji.json": "application/json",
		"/licenses.txt": "text/plain; charset=utf-8", "/confab.json": "application/json",
	} {
		w := get(p, http.MethodGet, path)
		h := w.Header()
		if w.Code != http.StatusOK || w.Body.Len() == 0 || h.Get("Content-Type") != kind {
			t.Errorf("%s: status %d, %d bytes of %s, want %s", path, w.Code, w.Body.Len(),
				h.Get("Content-Type"), kind)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
			"Referrer-Policy": "no-referrer", "Content-Security-Policy": ContentPolicy,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
	}
	if got, want := get(p, http.MethodGet, "/confab.json").Body.String(),
		`{"version":"0.1.0","socket":"./production","auth":"open"}`; got != want {
		t.Errorf("confab.json is %s, want %s", got, want)
	}
	for _, path := range []string{"/production", "/app.js.br", "/dist/app.js", "/../go.mod"} {
		if p.Serves(path) {
			t.Errorf("%s is served", path)
		}
	}
	if w := get(p, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
}

// TestPage_policy keeps the policy strict: nothing by default, nothing inline, nothing made of text.
func TestPage_policy(t *testing.T) {
	for _, want := range []string{
		"default-src 'none'", "require-trusted-types-for 'script'", "trusted-types confab-worker",
		"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
	} {
		if !strings.Contains(ContentPolicy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(ContentPolicy, "unsafe") || strings.Contains(ContentPolicy, "*") ||
		strings.Contains(ContentPolicy, "http") {
		t.Errorf("the policy is %s", ContentPolicy)
	}
	index := get(newPage(t), http.MethodGet, "/").Body.String()
	for _, bad := range []string{"<style", "style=", " onload", " onclick", "http:", "https:"} {
		if strings.Contains(index, bad) {
			t.Errorf("the document has %q", bad)
		}
	}
	if scripts := regexp.MustCompile(`<script[^>]*>[^<]`).FindString(index); scripts != "" {
		t.Errorf("the document has a script inside: %s", scripts)
	}
}

func TestPage_etags(t *testing.T) {
	p := newPage(t)
	plain := get(p, http.MethodGet, "/app.js")
	packed := get(p, http.MethodGet, "/app.js", "Accept-Encoding", "gzip")
	tag := packed.Header().Get("ETag")
	if len(tag) < 20 || tag[0] != '"' || tag == plain.Header().Get("ETag") {
		t.Fatalf("etags %s and %s: want two strong ones that differ", tag, plain.Header().Get("ETag"))
	}
	again := get(p, http.MethodGet, "/app.js", "Accept-Encoding", "gzip", "If-None-Match", tag)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("asked again: status %d with %d bytes", again.Code, again.Body.Len())
	}
	other := get(p, http.MethodGet, "/app.js", "If-None-Match", tag)
	if other.Code != http.StatusOK {
		t.Errorf("asked for another encoding: status %d", other.Code)
	}
}

func TestPage_encodings(t *testing.T) {
	p := newPage(t)
	plain := get(p, http.MethodGet, "/app.js").Body.Bytes()
	for header, want := range map[string]string{
		"gzip, deflate, br, zstd": "br", "gzip": "gzip", "br;q=0, gzip;q=1.0": "gzip", "BR": "br",
		"br;q=0.5": "br", "": "", "identity": "", "gzip; q=0": "",
	} {
		w := get(p, http.MethodGet, "/app.js", "Accept-Encoding", header)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", header, got, want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Error("no Vary")
		}
		if want == "gzip" {
			unpacked, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("what was packed is not the file: %v", err)
			}
		}
	}
}

// coreLimit is the size of all that has to arrive before somebody can chat, packed by gzip, in bytes.
const coreLimit = 40 << 10

func TestPage_coreIsSmall(t *testing.T) {
	p := newPage(t)
	// What app.js imports at once, it and the browser cannot do without; the rest comes when wanted.
	needed, size := []string{"/app.js"}, 0
	static := regexp.MustCompile(`(?:import|export)[^;()]*?from\s*["` + "`" + `]\./([\w-]+\.js)`)
	for i := 0; i < len(needed); i++ {
		size += get(p, http.MethodGet, needed[i], "Accept-Encoding", "gzip").Body.Len()
		text := get(p, http.MethodGet, needed[i]).Body.String()
		for _, m := range static.FindAllStringSubmatch(text, -1) {
			needed = append(needed, "/"+m[1])
		}
	}
	t.Logf("%v: %d bytes", needed, size)
	if size > coreLimit || len(needed) > 4 {
		t.Errorf("the chat's core has %d bytes in %d files, at most %d", size, len(needed), coreLimit)
	}
}
