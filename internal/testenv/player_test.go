package testenv_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// player plays a transcript on a system.
type player struct {
	t       *testing.T
	env     *testenv.Env
	stage   string // in the transcript's paths
	dialect string
	clients map[string]*testenv.Client
	values  map[string]string // what <name> stands for
}

// named is a value that the first frame with it decides.
var named = regexp.MustCompile(`^<\w+>$`)

func (p *player) play(s step) {
	p.t.Helper()
	c := p.clients[s.who]
	if c == nil && s.what != "connects" && s.what != "is" {
		p.t.Fatalf("line %d: %s is not connected", s.line, s.who)
	}
	switch s.what {
	case "connects":
		p.connect(s)
	case "is":
		p.refused(s)
	case "leaves":
		c.Close()
		delete(p.clients, s.who)
		awaitConnections(p.t, p.env, len(p.clients))
	case ">":
		if err := c.TrySend(p.fill(s.text)); err != nil {
			p.t.Fatalf("line %d: %v", s.line, err)
		}
	case "<":
		if problem := p.compare(c.Next().Raw, s.text); problem != "" {
			p.t.Fatalf("line %d: %s gets another frame than the transcript has: %s", s.line, s.who, problem)
		}
	}
}

func (p *player) connect(s step) {
	if strings.Contains(s.text, "dialect=native") {
		p.clients[s.who] = testenv.DialURL(p.t, p.url(s.text), s.who)
	} else {
		p.clients[s.who] = testenv.DialDialect(p.t, p.url(s.text), s.who)
	}
}

// url gives the system's URL for a path of the transcript. A stage that others use too has a name and a
// dialect of its own, and users under other names.
func (p *player) url(path string) string {
	address := p.env.URLs[0] + strings.TrimPrefix(path, "/"+p.stage)
	if p.env.Host != "aws" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	query := u.Query()
	if !query.Has("dialect") {
		query.Set("dialect", p.dialect)
	}
	if query.Has("name") {
		query.Set("name", p.env.Name(query.Get("name")))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// refused plays "is refused STATUS PATH".
func (p *player) refused(s step) {
	words := strings.Fields(s.text)
	status, sentence := handshake(p.t, p.url(words[2]), nil)
	if text := strconv.Itoa(status); text != words[1] || !strings.Contains(sentence, " ") {
		p.t.Errorf("line %d: status %d, %q", s.line, status, sentence)
	}
}

// fill puts in the values that are known.
func (p *player) fill(text string) string {
	for name, value := range p.values {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// compare tells how a frame differs from a transcript's: a text byte for byte, an object as JSON, and
// an object behind a text both ways.
func (p *player) compare(got, want string) string {
	prefix, object := want, ""
	if i := strings.IndexByte(want, '{'); i >= 0 {
		prefix, object = want[:i], want[i:]
	}
	rest := got
	if prefix != "" {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(prefix), "…", `[^\n{]*`)
		found := regexp.MustCompile("^" + pattern).FindString(got)
		if found == "" || object == "" && got != prefix {
			return got
		}
		rest = got[len(found):]
	}
	if object == "" {
		return ""
	}
	var wanted, have any
	if err := json.Unmarshal([]byte(object), &wanted); err != nil {
		p.t.Fatalf("the transcript has no JSON: %v: %s", err, object)
	}
	if json.Unmarshal([]byte(rest), &have) == nil {
		p.learn(wanted, have)
	}
	if err := (testenv.Frame{Raw: rest}).Matches("%s", p.fill(object)); err != nil {
		return err.Error() + ": " + got
	}
	return ""
}

// learn keeps the values of names that are met for the first time.
func (p *player) learn(want, got any) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			for name := range w {
				p.learn(w[name], g[name])
			}
		}
	case []any:
		if g, ok := got.([]any); ok {
			for i := range min(len(w), len(g)) {
				p.learn(w[i], g[i])
			}
		}
	case string:
		if g, ok := got.(string); ok && g != "" && named.MatchString(w) && p.values[w] == "" {
			p.values[w] = g
		}
	}
}

// awaitConnections returns when the system has n connections: a close is noticed a little later.
func awaitConnections(t *testing.T, e *testenv.Env, n int) {
	t.Helper()
	lobby := chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		live := 0
		for _, err := range e.Connections.Receivers(t.Context(), lobby) {
			if err != nil {
				t.Fatal(err)
			}
			live++
		}
		if live == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, want %d", live, n)
		}
	}
}
