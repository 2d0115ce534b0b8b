package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

// house is a server of the desk, and what it has revoked.
type house struct {
	*testing.T
	service *auth.Service
	public  *httptest.Server
	host    *httptest.Server // the operator's
	revoked []string
	// moderated is what was asked of rooms.
	moderated []string
	logged    bytes.Buffer
	now       time.Time
	wait      time.Duration
	pace      time.Duration
}

func newHouse(t *testing.T) *house {
	h := &house{T: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	h.service = auth.NewService(memstore.NewSessions(), func() time.Time { return h.now }, nil)
	c := Config{
		Service: h.service,
		Origin:  func(*http.Request) string { return "https://chat.example" },
		Revoke: func(_ context.Context, handle, session, _ string) error {
			h.revoked = append(h.revoked, handle+" "+session)
			return nil
		},
		Remove: func(_ context.Context, by *auth.Account, room, user string) (RemovedMember, error) {
			h.moderated = append(h.moderated, by.Handle+" removes "+user+" from "+room)
			return RemovedMember{room, user}, nil
		},
		Delete: func(_ context.Context, by *auth.Account, room string, seq uint64) (DeletedMessage, error) {
			h.moderated = append(h.moderated, fmt.Sprint(by.Handle, " deletes ", room, " ", seq))
			return DeletedMessage{room, seq}, nil
		},
		Wait:   func(*http.Request) time.Duration { return h.wait },
		Pace:   func(*http.Request) time.Duration { return h.pace },
		Logger: slog.New(slog.NewTextHandler(&h.logged, nil)),
	}
	handler, err := Handler(c, "https://chat.example")
	if err != nil {
		t.Fatal(err)
	}
	h.public, h.host = httptest.NewServer(handler), httptest.NewServer(Operator(c))
	t.Cleanup(h.public.Close)
	t.Cleanup(h.host.Close)
	return h
}

// browser keeps cookies; a program does not.
func (h *house) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// answered is what came back.
type answered struct {
	*http.Response
	body map[string]any
}

// text gives a member of the answer.
func (a answered) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

// ask makes a request; body "" is a GET. headers are pairs.
func (h *house) ask(client *http.Client, url, body string, headers ...string) answered {
	h.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(h.Context(), method, url, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer response.Body.Close()
	a := answered{Response: response}
	text, err := io.ReadAll(response.Body)
	if err == nil && strings.HasPrefix(string(text), "{") {
		err = json.Unmarshal(text, &a.body)
	}
	if err != nil {
		h.Fatalf("%s %s: %v: %s", method, url, err, text)
	}
	return a
}

// want asks and checks the status.
func (h *house) want(status int, client *http.Client, url, body string, headers ...string) answered {
	h.Helper()
	a := h.ask(client, url, body, headers...)
	if a.StatusCode != status {
		h.Errorf("%s %s: status %d %v, want %d", url, body, a.StatusCode, a.body, status)
	}
	if status >= 400 && len(a.text("error")) < 8 {
		h.Errorf("%s %s: no sentence: %v", url, body, a.body)
	}
	return a
}

// secret is the fragment of a link.
func secret(link string) string {
	_, s, _ := strings.Cut(link, "#")
	return s
}

// join signs a browser in by a link of the operator.
func (h *house) join(handle string, owner bool) *http.Client {
	h.Helper()
	path, body := "/auth/links", `{}`
	if owner {
		path = "/auth/owner-link"
	}
	link := secret(h.want(200, http.DefaultClient, h.host.URL+path, body).text("link"))
	client := h.browser()
	h.want(200, client, h.public.URL+"/auth/sign-in",
		`{"link":"`+link+`","handle":"`+handle+`","cookie":true}`)
	return client
}

func TestHandler_signIn(t *testing.T) {
	h := newHouse(t)
	made := h.want(200, http.DefaultClient, h.host.URL+"/auth/owner-link", `{}`)
	if !strings.HasPrefix(made.text("link"), "https://chat.example/join#") {
		t.Errorf("the link is %q", made.text("link"))
	}
	link := secret(made.text("link"))
	browser := h.browser()
	for range 2 { // it changes nothing
		if kind := h.want(200, browser, h.public.URL+"/auth/look", `{"link":"`+link+`"}`).text("kind"); kind != "owner" {
			t.Errorf("the kind is %q", kind)
		}
	}
	bad := h.want(400, browser, h.public.URL+"/auth/sign-in", `{"link":"`+link+`","handle":"admin","cookie":true}`)
	if bad.text("field") != "handle" {
		t.Errorf("%v does not name the handle", bad.body)
	}
	in := h.want(200, browser, h.public.URL+"/auth/sign-in", `{"link":"`+link+`","handle":"alice","cookie":true}`)
	if in.text("handle") != "alice" || in.body["owner"] != true || in.text("session") != "" {
		t.Errorf("got %v", in.body)
	}
	cookie := in.Header.Get("Set-Cookie")
	for _, attribute := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("the cookie %q is not %s", cookie, attribute)
		}
	}
	if in.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	if me := h.want(200, browser, h.public.URL+"/auth/me", ""); me.text("handle") != "alice" {
		t.Errorf("got %v", me.body)
	}
	h.want(404, browser, h.public.URL+"/auth/sign-in", `{"link":"`+link+`","handle":"bob","cookie":true}`)
	h.want(404, browser, h.public.URL+"/auth/look", `{"link":"`+link+`"}`)

	device := h.want(200, browser, h.public.URL+"/auth/devices", `{}`)
	program := h.want(200, http.DefaultClient, h.public.URL+"/auth/sign-in", `{"link":"`+secret(device.text("link"))+`"}`)
	if program.text("handle") != "alice" || len(program.text("session")) < 26 || program.Header.Get("Set-Cookie") != "" {
		t.Errorf("got %v", program.body)
	}
	bearer := []string{"Authorization", "Bearer " + program.text("session")}
	h.want(200, http.DefaultClient, h.public.URL+"/auth/me", "", bearer...)
	if ticket := h.want(200, http.DefaultClient, h.public.URL+"/auth/ticket", `{}`, bearer...).text("ticket"); len(ticket) < 26 {
		t.Errorf("the ticket is %q", ticket)
	}
	h.want(200, http.DefaultClient, h.public.URL+"/auth/sign-out", `{}`, bearer...)
	h.want(401, http.DefaultClient, h.public.URL+"/auth/me", "", bearer...)
	if want := []string{"alice " + program.text("device")}; !slices.Equal(h.revoked, want) {
		t.Errorf("revoked %q, want %q", h.revoked, want)
	}
	h.want(200, browser, h.public.URL+"/auth/me", "")
}

// uses are a request for each route, and the statuses for an owner and a member. A new route
// without a row fails.
var uses = map[string]struct {
	body          string
	owner, member int
}{
	"GET /auth/me":               {"", 200, 200},
	"POST /auth/ticket":          {`{}`, 200, 200},
	"POST /auth/sign-out":        {`{"handle":"carol","device":"none"}`, 404, 403},
	"GET /auth/devices":          {"?handle=carol", 200, 403},
	"POST /auth/devices":         {`{"handle":"carol"}`, 200, 403},
	"GET /auth/links":            {"", 200, 403},
	"POST /auth/links":           {`{"uses":2}`, 200, 403},
	"POST /auth/links/end":       {`{"id":"none"}`, 404, 403},
	"GET /auth/users":            {"", 200, 200},
	"POST /auth/users/disable":   {`{"handle":"carol","disabled":true}`, 200, 403},
	"POST /auth/users/owner":     {`{"handle":"carol","owner":true}`, 200, 403},
	"GET /auth/audit":            {"", 200, 403},
	"POST /auth/rooms/remove":    {`{"room":"tea","user":"carol"}`, 200, 403},
	"POST /auth/messages/delete": {`{"room":"tea","seq":7}`, 200, 403},
}

// TestHandler_matrix tries every route as an owner, a member, somebody who was disabled, and
// nobody.
func TestHandler_matrix(t *testing.T) {
	routes := (&desk{}).routes()
	if len(routes) != len(uses) {
		t.Errorf("%d routes, %d of them tried", len(routes), len(uses))
	}
	for pattern := range routes {
		use, listed := uses[pattern]
		if !listed {
			t.Errorf("%s is not tried", pattern)
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			h := newHouse(t)
			owner, member, gone := h.join("alice", true), h.join("bob", false), h.join("dave", false)
			h.join("carol", false)
			h.want(200, owner, h.public.URL+"/auth/users/disable", `{"handle":"dave","disabled":true}`)
			_, path, _ := strings.Cut(pattern, " ")
			url, body := h.public.URL+path, use.body
			if strings.HasPrefix(pattern, "GET ") {
				url, body = url+use.body, ""
			}
			h.want(401, h.browser(), url, body)
			h.want(401, gone, url, body)
			h.want(401, http.DefaultClient, url, body, "Authorization", "Bearer "+strings.Repeat("a", 26))
			h.want(use.member, member, url, body)
			h.want(use.owner, owner, url, body)
			if body != "" { // a page elsewhere makes the browser ask
				for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1"} {
					a := h.ask(owner, url, body, "Origin", origin, "Sec-Fetch-Site", "cross-site")
					if a.StatusCode != http.StatusForbidden {
						t.Errorf("origin %s: status %d, want 403", origin, a.StatusCode)
					}
				}
			}
		})
	}
}

func TestHandler_badRequests(t *testing.T) {
	h := newHouse(t)
	owner := h.join("alice", true)
	links := h.public.URL + "/auth/links"
	for name, body := range map[string]string{
		"no JSON": "uses=2", "an array": "[]", "a wrong type": `{"uses":"2"}`, "an unknown member": `{"use":2}`,
		"two values": `{} {}`, "too many uses": `{"uses":101}`, "no uses": `{"uses":-1}`,
		"too short": `{"seconds":1}`, "too long": `{"seconds":99999999999}`, "negative": `{"seconds":-60}`,
	} {
		if a := h.ask(owner, links, body); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d %v, want 400", name, a.StatusCode, a.body)
		}
	}
	h.want(413, owner, links, `{"uses":`+strings.Repeat(" ", 5000)+`1}`)
	h.want(400, owner, links, `{}`, "Content-Type", "text/plain")
	h.want(400, owner, h.public.URL+"/auth/users/disable", `{"handle":"alice"}`)
	h.want(403, owner, h.public.URL+"/auth/users/disable", `{"handle":"alice","disabled":true}`)
	h.want(404, owner, h.public.URL+"/auth/users/disable", `{"handle":"nobody","disabled":true}`)
	for _, limit := range []string{"0", "201", "x", ""} {
		h.want(400, owner, h.public.URL+"/auth/users?limit="+limit, "")
	}
	if a := h.ask(owner, h.public.URL+"/auth/nothing", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("status %d of no route", a.StatusCode)
	}
	h.wait = 1500 * time.Millisecond
	a := h.want(429, h.browser(), h.public.URL+"/auth/sign-in", `{"link":"x","handle":"mallory"}`)
	if a.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", a.Header.Get("Retry-After"))
	}
	h.want(429, h.browser(), h.public.URL+"/auth/look", `{"link":"x"}`)
	h.want(200, owner, h.public.URL+"/auth/me", "")
}

func TestHandler_disable(t *testing.T) {
	h := newHouse(t)
	owner, bob := h.join("alice", true), h.join("bob", false)
	h.want(200, owner, h.public.URL+"/auth/users/disable", `{"handle":"BOB","disabled":true}`)
	h.want(401, bob, h.public.URL+"/auth/me", "")
	if want := []string{"bob "}; !slices.Equal(h.revoked, want) {
		t.Errorf("revoked %q, want all of bob's", h.revoked)
	}
	users := h.want(200, owner, h.public.URL+"/auth/users?limit=1&after=alice", "")
	list, _ := users.body["users"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["disabled"] != true {
		t.Errorf("users %v", users.body)
	}
	h.want(200, owner, h.public.URL+"/auth/users/disable", `{"handle":"bob","disabled":false}`)
	if len(h.revoked) != 1 {
		t.Errorf("revoked %q when bob was enabled", h.revoked)
	}
}

// TestHandler_signOutOthers ends what somebody else has, however the handle is spelled.
func TestHandler_signOutOthers(t *testing.T) {
	h := newHouse(t)
	owner, bob := h.join("alice", true), h.join("bob", false)
	id := h.want(200, bob, h.public.URL+"/auth/me", "").text("device")
	h.want(200, owner, h.public.URL+"/auth/sign-out", `{"handle":"BOB","device":"`+id+`"}`)
	h.want(401, bob, h.public.URL+"/auth/me", "")
	h.want(200, owner, h.public.URL+"/auth/sign-out", `{"handle":"B0b","everywhere":true}`)
	if want := []string{"bob " + id, "bob "}; !slices.Equal(h.revoked, want) {
		t.Errorf("revoked %q, want %q", h.revoked, want)
	}
	h.want(200, owner, h.public.URL+"/auth/sign-out", `{"everywhere":true}`)
	h.want(401, owner, h.public.URL+"/auth/me", "")
}

// TestAsk understands what the desk says, and what is no desk.
func TestAsk(t *testing.T) {
	h := newHouse(t)
	var made NewLink
	if err := Ask(t.Context(), http.DefaultClient, h.host.URL+"/auth/owner-link", "", struct{}{}, &made); err != nil {
		t.Fatal(err)
	}
	var found Found
	q := map[string]string{"link": secret(made.Link)}
	err := Ask(t.Context(), http.DefaultClient, h.public.URL+"/auth/look", "", q, &found)
	if err != nil || found.Kind != "owner" {
		t.Errorf("found %v, %v", found, err)
	}
	q["handle"] = "admin"
	err = Ask(t.Context(), http.DefaultClient, h.public.URL+"/auth/sign-in", "", q, &Person{})
	var e *chat.Error
	if !errors.As(err, &e) || e.Kind != chat.Invalid || e.Field != "handle" || !strings.Contains(e.Message, "reserved") {
		t.Errorf("a reserved handle: %v", err)
	}
	q["handle"] = "alice"
	var p Person
	if err := Ask(t.Context(), http.DefaultClient, h.public.URL+"/auth/sign-in", "", q, &p); err != nil {
		t.Fatal(err)
	}
	if err := Ask(t.Context(), http.DefaultClient, h.public.URL+"/auth/me", p.Session, nil, &Person{}); err != nil {
		t.Errorf("signed in: %v", err)
	}
	err = Ask(t.Context(), http.DefaultClient, h.public.URL+"/auth/me", "", nil, &Person{})
	if !chat.Is(err, chat.Unauthenticated) {
		t.Errorf("not signed in: %v", err)
	}
	other := httptest.NewServer(http.FileServer(http.Dir(t.TempDir())))
	defer other.Close()
	for _, path := range []string{"/", "/auth/me"} {
		err := Ask(t.Context(), http.DefaultClient, other.URL+path, "", nil, &p)
		if err == nil || !strings.Contains(err.Error(), "not Confab") {
			t.Errorf("another server's %s: %v", path, err)
		}
	}
}

// TestHandler_secrets looks for secrets in what the desk logs and lists.
func TestHandler_secrets(t *testing.T) {
	h := newHouse(t)
	owner := h.join("alice", true)
	made := h.want(200, owner, h.public.URL+"/auth/links", `{"uses":3}`)
	invitation := secret(made.text("link"))
	in := h.want(200, http.DefaultClient, h.public.URL+"/auth/sign-in", `{"link":"`+invitation+`","handle":"bob"}`)
	session := in.text("session")
	ticket := h.want(200, http.DefaultClient, h.public.URL+"/auth/ticket", `{}`, "Authorization", "Bearer "+session).text("ticket")
	h.want(401, http.DefaultClient, h.public.URL+"/auth/me", "", "Authorization", "Bearer "+ticket)
	var seen strings.Builder
	for _, path := range []string{"/auth/links", "/auth/users", "/auth/audit", "/auth/devices?handle=bob", "/auth/me"} {
		text, err := json.Marshal(h.want(200, owner, h.public.URL+path, "").body)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(text)
	}
	seen.Write(h.logged.Bytes())
	for name, s := range map[string]string{"link": invitation, "session": session, "ticket": ticket} {
		if len(s) < 26 || strings.Contains(seen.String(), s) {
			t.Errorf("the %s %q is shown", name, s)
		}
	}
	if !strings.Contains(seen.String(), `"used":1`) || !strings.Contains(seen.String(), `"action":"join"`) {
		t.Errorf("the lists lack what happened: %s", &seen)
	}
}

func TestOperator(t *testing.T) {
	h := newHouse(t)
	h.join("alice", true)
	for _, path := range []string{"/auth/me", "/auth/devices"} {
		h.want(400, http.DefaultClient, h.host.URL+path, "")
	}
	h.want(400, http.DefaultClient, h.host.URL+"/auth/ticket", `{}`)
	h.want(200, http.DefaultClient, h.host.URL+"/auth/devices", `{"handle":"alice"}`)
	h.want(200, http.DefaultClient, h.host.URL+"/auth/users/disable", `{"handle":"alice","disabled":true}`)
	a := h.ask(http.DefaultClient, h.public.URL+"/auth/owner-link", `{}`)
	if a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("the public makes owner links: %d", a.StatusCode)
	}
}
