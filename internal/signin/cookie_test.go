package signin

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHandler_cookieOverTLS(t *testing.T) {
	h := newHouse(t)
	link := secret(h.want(200, http.DefaultClient, h.host.URL+"/auth/owner-link", `{}`).text("link"))
	r := httptest.NewRequest(http.MethodPost, "https://chat.example/auth/sign-in",
		strings.NewReader(`{"link":"`+link+`","handle":"alice","cookie":true}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.public.Config.Handler.ServeHTTP(w, r)
	cookie := w.Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-confab=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("the cookie is %q", cookie)
	}
}

// TestHandler_cookieBehindProxy has TLS end at a proxy that the server knows only by its public URL.
func TestHandler_cookieBehindProxy(t *testing.T) {
	for host, want := range map[string]string{"chat.example": "__Host-confab=", "127.0.0.1:8080": "confab="} {
		h := newHouse(t)
		link := secret(h.want(200, http.DefaultClient, h.host.URL+"/auth/owner-link", `{}`).text("link"))
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/auth/sign-in",
			strings.NewReader(`{"link":"`+link+`","handle":"alice","cookie":true}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.public.Config.Handler.ServeHTTP(w, r)
		cookie := w.Header().Get("Set-Cookie")
		secure := strings.Contains(cookie, "; Secure")
		if !strings.HasPrefix(cookie, want) || secure != (host == "chat.example") {
			t.Errorf("%s: the cookie is %q", host, cookie)
		}
	}
}

// TestHandler_cookieEnds leaves no session that no browser has.
func TestHandler_cookieEnds(t *testing.T) {
	h := newHouse(t)
	alice := h.join("alice", true)
	before := h.want(200, alice, h.public.URL+"/auth/me", "").text("device")
	link := secret(h.want(200, alice, h.public.URL+"/auth/links", `{}`).text("link"))
	in := h.want(200, alice, h.public.URL+"/auth/sign-in", `{"link":"`+link+`","handle":"bob","cookie":true}`)
	if want := []string{"alice " + before}; in.text("handle") != "bob" || !slices.Equal(h.revoked, want) {
		t.Errorf("signed in as %v, revoked %q, want %q", in.body, h.revoked, want)
	}
	left := h.want(200, http.DefaultClient, h.host.URL+"/auth/devices?handle=alice", "")
	if list, _ := left.body["devices"].([]any); len(list) != 0 {
		t.Errorf("alice is signed in on %v", list)
	}
	for _, body := range []string{`{}`, `{"everywhere":true}`} {
		client := h.join(map[string]string{`{}`: "cyd"}[body]+"dan", false)
		out := h.want(200, client, h.public.URL+"/auth/sign-out", body)
		if cookie := out.Header.Get("Set-Cookie"); !strings.Contains(cookie, "Max-Age=0") {
			t.Errorf("%s: the cookie stays: %q", body, cookie)
		}
		h.want(401, client, h.public.URL+"/auth/me", "")
	}
}

func TestHandler_pace(t *testing.T) {
	h := newHouse(t)
	alice := h.join("alice", true)
	h.pace = time.Second
	for pattern, use := range uses {
		method, path, _ := strings.Cut(pattern, " ")
		if method == http.MethodGet {
			use.body = ""
		}
		h.want(429, alice, h.public.URL+path, use.body)
	}
}
