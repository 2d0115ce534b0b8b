package main

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim"
)

// town is a server with accounts, and every secret that was seen there.
type town struct {
	*testing.T
	*sim.Process
	data    string
	said    string // by servers that have ended
	secrets map[string]string
}

func newTown(t *testing.T) *town {
	dir, err := os.MkdirTemp("", "confab-people-") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &town{T: t, data: filepath.Join(dir, "data"), secrets: map[string]string{}}
	w.start(sim.FreeAddr(t))
	return w
}

// start starts the server, which tells as much as it can.
func (w *town) start(addr string) {
	w.Process = sim.Serve(w.T, "--addr", addr, "--data", w.data, "--auth", "link", "--log-level", "debug")
}

// restart ends the server by kill -9 and starts the next one.
func (w *town) restart() {
	w.Kill()
	w.said += w.Said()
	w.start(w.Addr)
}

var linkSecret = regexp.MustCompile(`http://\S+/join#([a-z2-7]{26})`)

// link finds the link in what was printed, and gives its secret.
func (w *town) link(name, printed string) string {
	w.Helper()
	m := linkSecret.FindStringSubmatch(printed)
	if m == nil {
		w.Fatalf("no link in %q", printed)
	}
	w.secrets[name] = m[1]
	return m[1]
}

// operate runs a command on the server's host.
func (w *town) operate(args ...string) string {
	w.Helper()
	out, err := confab(w.T, append(args, "--data", w.data)...)
	if err != nil {
		w.Fatalf("confab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// post asks as a program does, and gives the status and the answer.
func (w *town) post(path, session, body string) (int, map[string]any) {
	w.Helper()
	url := "http://" + w.Addr + path
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		w.Fatalf("%s: %d %q: %v", path, response.StatusCode, text, err)
	}
	return response.StatusCode, answer
}

// get is a secret of an answer that was good.
func (w *town) get(name, member, path, session, body string) string {
	w.Helper()
	status, answer := w.post(path, session, body)
	secret, _ := answer[member].(string)
	if status != http.StatusOK || len(secret) != 26 {
		w.Fatalf("%s: status %d, %v", path, status, answer)
	}
	w.secrets[name] = secret
	return secret
}

// join uses a link, and gives the session.
func (w *town) join(handle, link string) string {
	w.Helper()
	return w.get(handle+"'s session", "session", "/auth/sign-in", "", `{"link":"`+link+`","handle":"`+handle+`"}`)
}

func (w *town) ticket(name, session string) string {
	w.Helper()
	return w.get(name, "ticket", "/auth/ticket", session, `{}`)
}

// dial connects, and gives the status of the handshake.
func (w *town) dial(query string, options *websocket.DialOptions) (*websocket.Conn, int) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), limit)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, w.URL()+query, options) //nolint:bodyclose // the library does
	if response == nil {
		w.Fatal(err)
	}
	if err == nil {
		w.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response.StatusCode
}

// refused tries to connect, and compares the status.
func (w *town) refused(status int, query string, options *websocket.DialOptions) {
	w.Helper()
	if conn, got := w.dial(query, options); conn != nil || got != status {
		w.Errorf("%s is answered %d, want %d", query, got, status)
	}
}

func byTicket(ticket string) *websocket.DialOptions {
	return &websocket.DialOptions{Subprotocols: []string{"confab", ticket}}
}

func bySession(session string) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + session}}}
}

// TestPeople has an owner come in by the link of the first start, and bob by an invitation, with a
// program and with wscat; strangers stay out; the operator disables bob, and the server is killed and
// started again. No secret is in what the server says, counts or stores.
func TestPeople(t *testing.T) {
	w := newTown(t)
	for end := time.Now().Add(limit); !linkSecret.MatchString(w.Said()) && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // it says first where it is
	}
	alice := w.join("alice", w.link("owner link", w.Said()))
	ticket := w.ticket("alice's ticket", alice)
	here, status := w.dial("", byTicket(ticket))
	if here == nil || here.Subprotocol() != "confab" {
		t.Fatalf("alice's ticket: %d", status)
	}
	ask(t, here, `{"action":"hello","id":"h"}`, `"user":"alice"`)
	ask(t, here, `{"action":"joinRoom","id":"j","room":"tea","private":true}`, `"event":"joined"`)
	ask(t, here, `{"action":"sendMessage","id":"m1","room":"tea","message":"for members"}`, `"seq":1`)

	bob := w.join("bob", w.link("invitation", w.operate("link")))
	second := w.ticket("bob's ticket", bob)
	typed := startWscat(t, w.URL(), "-s", "confab", "-s", second)
	typed.enter(`{"action":"sendMessage","id":"m2","message":"hello alice"}`)
	if got := typed.await(`"message":"hello alice"`); !strings.Contains(got, `"from":"bob"`) {
		t.Errorf("wscat got %s", got)
	}
	w.strangers(alice, bob, ticket)
	w.disable(bob, typed)

	w.restart()
	if status, answer := w.post("/auth/ticket", bob, `{}`); status != http.StatusUnauthorized {
		t.Errorf("bob's session after a restart: %d %v", status, answer)
	}
	again, _ := w.dial("", bySession(alice))
	if again == nil {
		t.Fatal("alice's session does not outlast a restart")
	}
	ask(t, again, `{"action":"history","id":"q","room":"tea","after":0}`, "for members")
	if out := w.operate("user", "list"); !regexp.MustCompile(`(?m)^bob +member +disabled`).MatchString(out) {
		t.Errorf("the accounts are\n%s", out)
	}
	w.canaries()
}

// strangers try to be alice: without anything, with what is used up or made up, and as bob.
func (w *town) strangers(alice, bob, used string) {
	w.Helper()
	w.refused(http.StatusUnauthorized, "?name=alice", nil)
	w.refused(http.StatusUnauthorized, "", nil)
	w.refused(http.StatusUnauthorized, "?name=alice", byTicket(used))
	w.refused(http.StatusUnauthorized, "?ticket="+used, nil)
	w.refused(http.StatusUnauthorized, "", byTicket(alice)) // a session is no ticket
	w.refused(http.StatusUnauthorized, "", bySession(w.secrets["owner link"]))
	w.refused(http.StatusUnauthorized, "?name=alice&user=alice", bySession(strings.Repeat("a", 26)))
	w.refused(http.StatusForbidden, "?name=alice", byTicket(w.ticket("bob's second ticket", bob)))
	w.refused(http.StatusForbidden, "?name=alice", bySession(bob))
	for _, body := range []string{
		`{"link":"` + w.secrets["owner link"] + `","handle":"mallory"}`, `{"link":"` + bob + `","handle":"mallory"}`,
	} {
		if status, answer := w.post("/auth/sign-in", "", body); status != http.StatusNotFound {
			w.Errorf("%s is answered %d %v", body, status, answer)
		}
	}
	conn, _ := w.dial("?name=bob&ticket="+w.ticket("bob's third ticket", bob), nil)
	if conn == nil {
		w.Fatal("bob does not come in by a ticket in the URL")
	}
	ask(w.T, conn, `{"action":"history","id":"q","room":"tea","after":0}`, `"code":"not_found"`)
	ask(w.T, conn, `{"action":"setName","id":"n","name":"alice"}`, `"code":"`)
}

// disable has the operator disable bob, whose open connections close. That they do within a second (G17)
// is looked at by those with several tries: throwOut, and TestServer_revocations of internal/serve.
func (w *town) disable(bob string, typed *wscat) {
	w.Helper()
	conn, status := w.dial("", bySession(bob))
	if conn == nil {
		w.Fatalf("bob's session: %d", status)
	}
	closed := make(chan error, 1)
	go func() {
		for {
			if _, _, err := conn.Read(w.Context()); err != nil {
				closed <- err
				return
			}
		}
	}()
	w.operate("user", "disable", "bob")
	disabled := time.Now() // the command has returned
	select {
	case err := <-closed:
		if code := websocket.CloseStatus(err); code != websocket.StatusPolicyViolation {
			w.Errorf("bob's connection ends with %d: %v", code, err)
		}
	case <-time.After(limit):
		w.Fatalf("bob's connection is open %v after he was disabled", limit)
	}
	for open := true; open && time.Since(disabled) < limit; {
		_, open = <-typed.frames
	}
	w.Logf("bob's connections closed %v after the command had returned", time.Since(disabled))
	w.refused(http.StatusUnauthorized, "", bySession(bob))
	w.refused(http.StatusUnauthorized, "?name=bob", nil)
}

// canaries looks for every secret in all that the server has said, counts and stores. The link of the
// first start is printed, once.
func (w *town) canaries() {
	w.Helper()
	if len(w.secrets) < 8 {
		w.Errorf("only %d secrets were made: %v", len(w.secrets), w.secrets)
	}
	places := map[string]string{"output": w.said + w.Said(), "audit log": w.operate("audit", "--json")}
	response, err := http.Get("http://" + w.Admin + "/metrics")
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	places["metrics"] = string(metrics)
	err = filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		places[path] = string(text)
		return err
	})
	if err != nil || len(places) < 5 {
		w.Fatalf("only %d places to look at, %v", len(places), err)
	}
	for place, text := range places {
		for name, secret := range w.secrets {
			want := 0
			if place == "output" && name == "owner link" {
				want = 1
			}
			if n := strings.Count(text, secret); n != want {
				w.Errorf("%s: the %s is there %d times, want %d", place, name, n, want)
			}
		}
	}
}
