package serve

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/testissuer"
	"github.com/confab-chat/confab/store/memstore"
)

// hall is a server whose people are signed in by an issuer.
type hall struct {
	*testing.T
	server *Server
	house  *httptest.Server
	issuer *testissuer.Issuer
	logged *safeBuffer
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newHall(t *testing.T, change func(*auth.OIDCConfig)) *hall {
	h := &hall{T: t, issuer: testissuer.New(t, time.Now), logged: &safeBuffer{}}
	c := &auth.OIDCConfig{
		Issuer: h.issuer.URL, ClientID: testissuer.ClientID, ClientSecret: testissuer.ClientSecret,
	}
	if change != nil {
		change(c)
	}
	h.server = newServer(t, Config{
		Sessions: memstore.NewSessions(), OIDC: c, SessionLife: 12 * time.Hour,
		Logger: slog.New(slog.NewTextHandler(h.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	h.house = httptest.NewServer(h.server)
	t.Cleanup(h.house.Close)
	return h
}

// browser keeps cookies and follows where it is led; trail has where it was.
func (h *hall) browser(trail *[]*url.URL) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if trail != nil {
			*trail = append(*trail, r.URL)
		}
		return nil
	}}
}

// arrived is where a browser is in the end.
type arrived struct {
	url    *url.URL
	status int
	body   map[string]any
	text   string
}

// ask gets, or posts a body.
func (h *hall) ask(client *http.Client, target, body string) arrived {
	h.Helper()
	if strings.HasPrefix(target, "/") {
		target = h.house.URL + target
	}
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(h.Context(), method, target, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.Fatal(err)
	}
	a := arrived{url: response.Request.URL, status: response.StatusCode, text: string(text)}
	if strings.HasPrefix(a.text, "{") {
		if err := json.Unmarshal(text, &a.body); err != nil {
			h.Error(err)
		}
	}
	return a
}

// want asks and checks the status.
func (h *hall) want(status int, client *http.Client, target, body string) arrived {
	h.Helper()
	a := h.ask(client, target, body)
	if a.status != status {
		h.Errorf("%s %s: status %d %s, want %d", target, body, a.status, a.text, status)
	}
	return a
}

// join signs somebody in for the first time.
func (h *hall) join(subject, handle string) *http.Client {
	h.Helper()
	h.issuer.SignIn(map[string]any{"sub": subject})
	client := h.browser(nil)
	chosen := h.want(200, client, "/auth/oidc/start", "").url.Fragment
	h.want(200, client, "/auth/sign-in", `{"link":"`+chosen+`","handle":"`+handle+`","cookie":true}`)
	return client
}

func TestServer_oidc(t *testing.T) {
	h := newHall(t, nil)
	h.join("7", "bob")
	h.issuer.SignIn(map[string]any{"sub": "8"})
	alice := h.browser(nil)
	at := h.want(200, alice, "/auth/oidc/start", "").url
	secret := at.Fragment
	if at.Path != "/join" || len(secret) < 26 {
		t.Fatalf("who has no account is led to %s", at)
	}
	look := `{"link":"` + secret + `"}`
	if kind := h.want(200, alice, "/auth/look", look).body["kind"]; kind != "issuer" {
		t.Errorf("the kind is %v", kind)
	}
	stranger := h.browser(nil)
	h.want(404, stranger, "/auth/look", look)
	h.want(404, stranger, "/auth/sign-in", `{"link":"`+secret+`","handle":"mallory","cookie":true}`)
	for handle, status := range map[string]int{"bob": 409, "B0B": 409, "admin": 400, "a b": 400} {
		h.want(status, alice, "/auth/sign-in", `{"link":"`+secret+`","handle":"`+handle+`","cookie":true}`)
	}
	in := h.want(200, alice, "/auth/sign-in", `{"link":"`+secret+`","handle":"Alice"}`) // a cookie all the same
	if in.body["handle"] != "Alice" || in.body["session"] != nil {
		t.Errorf("signed in as %v", in.body)
	}
	h.want(404, alice, "/auth/sign-in", `{"link":"`+secret+`","handle":"alice2","cookie":true}`)
	if me := h.want(200, alice, "/auth/me", ""); me.body["handle"] != "Alice" {
		t.Errorf("got %v", me.body)
	}

	again := h.browser(nil)
	if at := h.want(200, again, "/auth/oidc/start", "").url; at.Path != "/" {
		t.Errorf("who has an account is led to %s", at)
	}
	if me := h.want(200, again, "/auth/me", ""); me.body["handle"] != "Alice" {
		t.Errorf("got %v", me.body)
	}
	out := h.want(200, again, "/auth/sign-out", `{}`)
	if leave, _ := out.body["leave"].(string); !strings.HasPrefix(leave, h.issuer.URL+"/leave?") {
		t.Errorf("signed out: %v", out.body)
	}
	h.want(401, again, "/auth/me", "")
	h.want(200, alice, "/auth/me", "")
}

// TestServer_oidcDevices has programs come in by links for devices, and by no other link.
func TestServer_oidcDevices(t *testing.T) {
	h := newHall(t, func(c *auth.OIDCConfig) { c.Owners = []string{"7"} })
	alice := h.join("7", "alice")
	h.want(403, alice, "/auth/links", `{}`) // though she is an owner
	link, _ := h.want(200, alice, "/auth/devices", `{}`).body["link"].(string)
	_, secret, _ := strings.Cut(link, "#")
	program := h.want(200, http.DefaultClient, "/auth/sign-in", `{"link":"`+secret+`"}`)
	if program.body["handle"] != "alice" || program.body["session"] == nil {
		t.Errorf("got %v", program.body)
	}
	devices, err := h.server.Desk().Devices(t.Context(), nil, "alice")
	if err != nil || len(devices) != 2 {
		t.Fatalf("got %v, %v", devices, err)
	}
	for _, d := range devices {
		if life := d.Until.Sub(d.Made); life != 12*time.Hour {
			t.Errorf("a device is signed in for %v", life)
		}
	}
}

// TestServer_oidcRefused has the answers of the issuer go to the wrong browser, come again, or say who is
// not let in.
func TestServer_oidcRefused(t *testing.T) {
	h := newHall(t, func(c *auth.OIDCConfig) { c.Allow, c.HandleClaim = []string{"groups=chat"}, "nick" })
	member := map[string]any{"sub": "7", "groups": "chat", "nick": "alice"}
	h.issuer.SignIn(member)
	var trail []*url.URL
	alice := h.browser(&trail)
	if at := h.want(200, alice, "/auth/oidc/start", "").url; at.Path != "/" {
		t.Errorf("who has a handle at the issuer is led to %s", at)
	}
	used := trail[slices.IndexFunc(trail, func(u *url.URL) bool { return u.Path == "/auth/oidc/callback" })]
	h.want(401, alice, used.String(), "")

	lost := h.begin(h.browser(nil)) // the answer to one browser in another: cross-site request forgery
	mallory := h.browser(nil)
	h.want(401, mallory, lost, "")
	h.begin(mallory)
	h.want(401, mallory, lost, "")
	h.want(401, mallory, "/auth/me", "")
	h.want(401, mallory, "/auth/oidc/callback", "")

	h.issuer.SignIn(map[string]any{"sub": "9", "groups": "tea", "nick": "eve"})
	refused := h.want(403, h.browser(nil), "/auth/oidc/start", "")
	if !strings.Contains(refused.text, "not let in") {
		t.Errorf("refused with %q", refused.text)
	}
	if _, err := h.server.Desk().Disable(t.Context(), nil, "alice", true); err != nil {
		t.Fatal(err)
	}
	h.issuer.SignIn(member)
	h.want(403, h.browser(nil), "/auth/oidc/start", "")
	h.issuer.Down(true)
	h.want(502, h.browser(nil), "/auth/oidc/start", "") // the issuer says so itself
	if accounts, _, err := h.server.Desk().Accounts(t.Context(), "", 9); err != nil || len(accounts) != 1 {
		t.Errorf("accounts %v, %v", accounts, err)
	}
	for _, secret := range []string{used.Query().Get("code"), used.Query().Get("state"), testissuer.ClientSecret} {
		if secret == "" || strings.Contains(h.logged.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(h.logged.String(), "not signed in") {
		t.Error("the log does not say why")
	}
}

// begin starts to sign in and gives the answer of the issuer, which the browser does not follow.
func (h *hall) begin(client *http.Client) string {
	h.Helper()
	var back string
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/auth/oidc/callback" {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	h.ask(client, "/auth/oidc/start", "")
	client.CheckRedirect = nil
	return back
}

func TestServer_mode(t *testing.T) {
	for want, c := range map[string]Config{
		`{"auth":"open","verified":false}`: {},
		`{"auth":"link","verified":true}`:  {Sessions: memstore.NewSessions()},
		`{"auth":"oidc","verified":true,"signIn":"/auth/oidc/start"}`: {
			Sessions: memstore.NewSessions(),
			OIDC:     &auth.OIDCConfig{Issuer: "https://accounts.example", ClientID: "confab"},
		},
	} {
		if w := get(newServer(t, c), http.MethodGet, "/auth/mode"); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("status %d %s, want %s", w.Code, w.Body, want)
		}
	}
}
