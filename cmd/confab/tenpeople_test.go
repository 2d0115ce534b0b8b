package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/sim"
)

// tenNames are the people; the first one owns the server, the last ones are disabled.
var tenNames = []string{
	"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy",
}

// house is a server with accounts, as people reach it.
type house struct {
	*testing.T
	*sim.Process
	data   string
	origin string // as https://chat.example
	web    *http.Client
}

// shortFolder makes a folder whose path is short enough for a socket in it.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "confab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// TestTenPeople_behindNginx has ten people chat over nginx with TLS.
func TestTenPeople_behindNginx(t *testing.T) {
	t.Parallel()
	server, data := sim.FreeAddr(t), shortFolder(t)
	p := sim.ServeAt(t, server, "--data", data, "--public-url", "https://chat.example",
		"--trusted-proxies", "127.0.0.1")
	front, pair := startNginx(t, server)
	v := visitor{addr: front, pool: pair.Pool}
	tenPeople(&house{T: t, Process: p, data: data, origin: "https://chat.example", web: v.client(t)})
}

// resident is one of the people, with a program.
type resident struct {
	*client.Client
	name, session string

	mu    sync.Mutex
	shown map[string][]string // by room: what was said, in order
	down  chan struct{}       // closed when the line goes down
}

// tenPeople is a day of ten people: they come in by links, talk, and one has to go.
func tenPeople(h *house) {
	link := h.ownerLink()
	var people []*resident
	for _, name := range tenNames {
		people = append(people, h.moveIn(name, link))
		if name == "alice" {
			link = h.link(h.operate("link", "--uses", fmt.Sprint(len(tenNames)-1)))
		}
	}
	alice, bob := people[0], people[1]
	h.chat(people)
	h.whisper(alice, bob)
	h.strangers(people[2])
	for _, p := range people {
		if p != alice && p != bob && strings.Contains(p.everything(), "whispered") {
			h.Errorf("%s was shown what alice said to bob: %s", p.name, p.everything())
		}
	}
	h.throwOut(alice, people[len(people)-3:])
}

// ownerLink is the secret of the link that the first start has printed.
func (h *house) ownerLink() string {
	h.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if said := h.Said(); strings.Contains(said, "/join#") {
			return h.link(said)
		}
	}
	h.Fatalf("no link for an owner:\n%s", h.Said())
	return ""
}

// link finds a link in what was printed, which must lead to where people are, and gives its secret.
func (h *house) link(printed string) string {
	h.Helper()
	_, rest, found := strings.Cut(printed, h.origin+"/join#")
	if !found || len(rest) < 26 {
		h.Fatalf("no link to %s in %q", h.origin, printed)
	}
	return rest[:26]
}

func (h *house) operate(args ...string) string {
	h.Helper()
	out, err := confab(h.T, append(args, "--data", h.data)...)
	if err != nil {
		h.Fatalf("confab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// post asks the server as a page does, and once more where it is asked to be slower.
func (h *house) post(path, session string, question any) map[string]any {
	h.Helper()
	text, err := json.Marshal(question)
	if err != nil {
		h.Fatal(err)
	}
	for {
		body := bytes.NewReader(text)
		r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.origin+path, body)
		if err != nil {
			h.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if session != "" {
			r.Header.Set("Authorization", "Bearer "+session)
		}
		response, err := h.web.Do(r)
		if err != nil {
			h.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			time.Sleep(200 * time.Millisecond) // five a second from one address
			continue
		}
		var members map[string]any
		if err == nil {
			err = json.Unmarshal(answer, &members)
		}
		if err != nil || response.StatusCode != http.StatusOK {
			h.Fatalf("%s: %d %s, %v", path, response.StatusCode, answer, err)
		}
		return members
	}
}

// moveIn uses a link, connects and follows.
func (h *house) moveIn(name, link string) *resident {
	h.Helper()
	answer := h.post("/auth/sign-in", "", map[string]string{"link": link, "handle": name})
	session, _ := answer["session"].(string)
	p := &resident{
		name: name, session: session, shown: map[string][]string{}, down: make(chan struct{}),
	}
	ctx, cancel := context.WithTimeout(h.Context(), limit)
	defer cancel()
	var err error
	p.Client, err = client.Dial(ctx, h.origin+"/production", client.Bearer(session),
		client.HTTPClient(h.web), client.Backoff(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		h.Fatalf("%s: %v", name, err)
	}
	if p.User() != name {
		h.Errorf("%s came in as %s", name, p.User())
	}
	var following sync.WaitGroup
	following.Go(p.follow)
	h.Cleanup(func() {
		_ = p.Close()
		following.Wait()
	})
	if err := p.Join(ctx, "tea"); err != nil {
		h.Fatal(err)
	}
	return p
}

// follow keeps what is shown until the client ends.
func (p *resident) follow() {
	down := sync.OnceFunc(func() { close(p.down) })
	for event, err := range p.Events(context.Background()) {
		if err != nil {
			down()
			return
		}
		switch e := event.(type) {
		case client.Message:
			p.mu.Lock()
			p.shown[e.Room] = append(p.shown[e.Room], fmt.Sprintf("%d %s: %s", e.Seq, e.From, e.Text))
			p.mu.Unlock()
		case client.Disconnected:
			down()
		}
	}
}

// said is what was shown of a room.
func (p *resident) said(room string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.shown[room])
}

// everything is all that was shown.
func (p *resident) everything() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.shown)
}

// chat has everybody talk at once in one room: all see all of it, once and in one order.
func (h *house) chat(people []*resident) {
	h.Helper()
	const each = 10
	var talking sync.WaitGroup
	for _, p := range people {
		talking.Go(func() {
			for i := range each {
				ctx, cancel := context.WithTimeout(h.Context(), limit)
				_, err := p.Send(ctx, "tea", fmt.Sprintf("word %d", i))
				cancel()
				if err != nil {
					h.Errorf("%s: %v", p.name, err)
				}
			}
		})
	}
	talking.Wait()
	first := people[0]
	for _, p := range people {
		end := time.Now().Add(limit)
		for ; len(p.said("tea")) < each*len(people); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				h.Fatalf("%s was shown %d of %d messages", p.name, len(p.said("tea")), each*len(people))
			}
		}
		if !slices.Equal(p.said("tea"), first.said("tea")) {
			h.Errorf("%s was shown\n%v\nand %s\n%v", p.name, p.said("tea"), first.name, first.said("tea"))
		}
		for i := range each {
			text := fmt.Sprintf(" %s: word %d", p.name, i)
			if n := strings.Count(strings.Join(first.said("tea"), "\n")+"\n", text+"\n"); n != 1 {
				h.Errorf("%q was shown %d times", text, n)
			}
		}
	}
}

// whisper has alice say something to bob alone, and in a room of theirs.
func (h *house) whisper(alice, bob *resident) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), limit)
	defer cancel()
	_, err := alice.SendTo(ctx, "bob", "whispered to bob")
	err = errors.Join(err, alice.CreatePrivate(ctx, "den"), alice.Invite(ctx, "den", "bob"))
	if err = errors.Join(err, bob.Join(ctx, "den")); err != nil {
		h.Fatal(err)
	}
	if _, err = alice.Send(ctx, "den", "whispered in the den"); err != nil {
		h.Fatal(err)
	}
	end := time.Now().Add(limit)
	for ; strings.Count(bob.everything(), "whispered") < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("bob was shown %s", bob.everything())
		}
	}
}

// strangers call themselves alice, without anything and as carol: they get nothing of hers.
func (h *house) strangers(carol *resident) {
	h.Helper()
	dial := func(query, session string) (*websocket.Conn, int) {
		ctx, cancel := context.WithTimeout(h.Context(), limit)
		defer cancel()
		options := &websocket.DialOptions{HTTPClient: h.web, HTTPHeader: http.Header{}}
		if session != "" {
			options.HTTPHeader.Set("Authorization", "Bearer "+session)
		}
		url := "ws" + strings.TrimPrefix(h.origin, "http") + "/production" + query
		conn, response, err := websocket.Dial(ctx, url, options) //nolint:bodyclose // the library does
		if response == nil {
			h.Fatal(err)
		}
		return conn, response.StatusCode
	}
	for _, c := range []struct {
		query, session string
		status         int
	}{
		{"?name=alice", "", http.StatusUnauthorized},
		{"?name=alice", strings.Repeat("a", 26), http.StatusUnauthorized},
		{"?name=alice&ticket=" + strings.Repeat("a", 26), "", http.StatusUnauthorized},
		{"?name=alice", carol.session, http.StatusForbidden},
		{"?name=alice&dialect=directory", carol.session, http.StatusForbidden},
	} {
		if conn, status := dial(c.query, c.session); conn != nil || status != c.status {
			h.Errorf("%s is answered %d, want %d", c.query, status, c.status)
		}
	}
	conn, status := dial("?name=carol", carol.session)
	if conn == nil {
		h.Fatalf("carol's second device is answered %d", status)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, room := range []string{"den", "@alice,bob"} {
		ask(h.T, conn, `{"action":"history","id":"q","room":"`+room+`","after":0}`, `"code":"not_found"`)
	}
}

// throwOut has the owner disable somebody, whose line goes down within a second and stays down (G17).
// A machine that does other things may take longer once: then it is the next one's turn.
func (h *house) throwOut(owner *resident, others []*resident) {
	h.Helper()
	for _, other := range others {
		began := time.Now()
		h.post("/auth/users/disable", owner.session, map[string]any{"handle": other.name, "disabled": true})
		select {
		case <-other.down:
		case <-time.After(limit):
			h.Fatalf("%s is connected %v after the owner has disabled the account", other.name, limit)
		}
		took := time.Since(began)
		h.out(other)
		if took <= time.Second {
			return
		}
		h.Logf("%s was connected for %v after the owner had asked", other.name, took)
	}
	h.Errorf("nobody's line went down within a second")
}

// out wants somebody's program to end, because there is no way back.
func (h *house) out(other *resident) {
	h.Helper()
	for end := time.Now().Add(limit); other.Err() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("%s tries on", other.name)
		}
	}
	if !errors.Is(other.Err(), client.ErrUnauthenticated) {
		h.Errorf("%s ended with %v, want ErrUnauthenticated", other.name, other.Err())
	}
}
