package serve

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var index = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// pages are the files of the page by path, with their types.
var pages = map[string]struct{ file, kind string }{
	"/":          {"page/index.html", "text/html; charset=utf-8"},
	"/join":      {"page/join.html", "text/html; charset=utf-8"},
	"/join.js":   {"page/join.js", "text/javascript; charset=utf-8"},
	"/style.css": {"page/style.css", "text/css; charset=utf-8"},
}

// contentPolicy lets a page use its own files and talk to its own server, and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; " +
	"connect-src 'self'; require-trusted-types-for 'script'; frame-ancestors 'none'; " +
	"base-uri 'none'; form-action 'none'"

// isPage tells whether a request is for one of the pages. Joining is for servers with links.
func (s *Server) isPage(r *http.Request) bool {
	_, known := pages[r.URL.Path]
	links := s.desk != nil && s.config.Proxy == nil
	return known && r.Header.Get("Upgrade") == "" &&
		(links || !strings.HasPrefix(r.URL.Path, "/join"))
}

// page answers with a page or a file of it.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	p := pages[r.URL.Path]
	text, err := pageFiles.ReadFile(p.file)
	if r.URL.Path == "/" {
		text, err = s.index(r)
	}
	if err != nil {
		s.config.Logger.ErrorContext(r.Context(), "failed", "op", "page", "error", err)
		http.Error(w, "the page broke", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.kind)
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(text) // the client may be gone
}

// index says what runs here.
func (s *Server) index(r *http.Request) ([]byte, error) {
	var page bytes.Buffer
	err := index.Execute(&page, struct {
		Version, Socket string
		Stages          []string
		Mode
	}{s.config.Version, "ws" + strings.TrimPrefix(s.origin(r), "http"), s.config.Stages, s.mode()})
	return page.Bytes(), err
}
