package connections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is one request as a gateway sees it.
type call struct{ method, path, id, body string }

// gateway answers @connections calls as told and keeps them.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(n int, c call) (status int, kind, body string) // n-th try of this id, from 0
	tries  map[string]int
}

func start(t *testing.T, answer func(n int, c call) (int, string, string)) *gateway {
	t.Helper()
	g := &gateway{answer: answer, tries: map[string]int{}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, id, _ := strings.Cut(r.URL.Path, "@connections/")
	c := call{r.Method, r.URL.EscapedPath(), id, string(body)}
	g.mu.Lock()
	n := g.tries[id]
	g.tries[id]++
	g.calls = append(g.calls, c)
	g.mu.Unlock()
	status, kind, text := g.answer(n, c)
	if kind != "" {
		w.Header().Set("x-amzn-ErrorType", kind)
	}
	w.WriteHeader(status)
	io.WriteString(w, text)
}

func (g *gateway) seen() []call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]call(nil), g.calls...)
}

func (g *gateway) client(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{Endpoint: g.URL + "/prod", AccessKey: "AKID", SecretKey: "secret"}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.cfg.HTTPClient.CloseIdleConnections)
	return c
}

func ok(int, call) (int, string, string) { return 200, "", "" }

func targets(n int) (to []Target) {
	for i := range n {
		to = append(to, Target{ID: fmt.Sprintf("id%d=", i)})
	}
	return to
}

func TestClient_Post(t *testing.T) {
	g := start(t, func(_ int, c call) (int, string, string) {
		if c.id == "id1=" {
			return 410, "GoneException", ""
		}
		if c.id == "id2=" {
			return 400, "BadRequestException", `{"message":"Invalid connectionId: id2="}`
		}
		return 200, "", ""
	})
	c := g.client(t, nil)
	gone, unsent, err := c.Post(context.Background(), targets(4), [][]byte{[]byte("a"), []byte("b")})
	if err != nil || len(unsent) > 0 {
		t.Fatal(unsent, err)
	}
	if diff := cmp.Diff([]Target{{ID: "id1="}, {ID: "id2="}}, gone); diff != "" {
		t.Error(diff)
	}
	seen := g.seen()
	const path = "/prod/@connections/id0%3D"
	first := []call{{"POST", path, "id0=", "a"}, {"POST", path, "id0=", "b"}}
	if diff := cmp.Diff(first, seen[:2], cmp.AllowUnexported(call{})); diff != "" {
		t.Errorf("the first target is not first: %s", diff)
	}
	frames := map[string]string{}
	for _, c := range seen {
		frames[c.id] += c.body
	}
	want := map[string]string{"id0=": "ab", "id1=": "a", "id2=": "a", "id3=": "ab"}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Errorf("frames: %s", diff)
	}
}

func TestClient_Post_retries(t *testing.T) {
	g := start(t, func(n int, c call) (int, string, string) {
		switch {
		case n == 0:
			return 429, "LimitExceededException", ""
		case n == 1:
			return 500, "InternalServerErrorException", ""
		case n == 2 && c.id == "id1=":
			panic(http.ErrAbortHandler) // the answer is lost
		}
		return 200, "", ""
	})
	gone, unsent, err := g.client(t, nil).Post(context.Background(), targets(2), [][]byte{[]byte("a"), []byte("b")})
	if err != nil || len(gone)+len(unsent) > 0 {
		t.Fatal(gone, unsent, err)
	}
	frames := map[string]string{}
	for _, c := range g.seen() {
		frames[c.id] += c.body
	}
	want := map[string]string{"id0=": "aaab", "id1=": "aaaab"} // b only after a was accepted
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Error(diff)
	}
}

func TestClient_Post_unsentAfterItsTime(t *testing.T) {
	t.Parallel() // it takes its seconds
	g := start(t, func(_ int, c call) (int, string, string) {
		if c.id == "id1=" {
			return 429, "LimitExceededException", ""
		}
		return 200, "", ""
	})
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	gone, unsent, err := g.client(t, nil).Post(ctx, targets(3), [][]byte{[]byte("a")})
	if err != nil || len(gone) > 0 {
		t.Fatal(gone, err)
	}
	if diff := cmp.Diff([]Target{{ID: "id1="}}, unsent); diff != "" {
		t.Error(diff)
	}
	if ctx.Err() != nil {
		t.Errorf("took all of ctx's time, want %v", Budget)
	}
}

func TestBudget(t *testing.T) {
	if got := budget(context.Background()); got != 5*time.Second {
		t.Errorf("%v without a deadline, want 5s", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if got := budget(ctx); got != 5*time.Second {
		t.Errorf("%v with a minute left, want 5s", got)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	left, _ := ctx.Deadline()
	before := time.Until(left) * 8 / 10
	if got := budget(ctx); got > before || got < time.Until(left)*8/10 {
		t.Errorf("%v with %v left, want four fifths", got, before*10/8)
	}
}

func TestClient_Post_stopsOnRefusal(t *testing.T) {
	g := start(t, func(_ int, c call) (int, string, string) {
		return 403, "AccessDeniedException", `{"Message":"no"}`
	})
	gone, unsent, err := g.client(t, nil).Post(context.Background(), targets(50), [][]byte{[]byte("a")})
	if err == nil || !strings.Contains(err.Error(), "403 AccessDeniedException") {
		t.Errorf("error %v, want a 403", err)
	}
	if len(gone) > 0 || len(unsent) != 50 || len(g.seen()) != 1 {
		t.Errorf("gone %d, unsent %d, calls %d; want 0, 50, 1", len(gone), len(unsent), len(g.seen()))
	}
}

func TestClient_Post_tooLarge(t *testing.T) {
	g := start(t, ok)
	big := bytes.Repeat([]byte("x"), MaxPayload+1)
	c := g.client(t, nil)
	_, _, err := c.Post(context.Background(), targets(1), [][]byte{[]byte("a"), big})
	if !errors.Is(err, ErrTooLarge) || len(g.seen()) > 0 {
		t.Errorf("%v after %d calls, want ErrTooLarge after 0", err, len(g.seen()))
	}
	if _, _, err := c.Post(context.Background(), targets(1), [][]byte{big[1:]}); err != nil {
		t.Errorf("131,072 bytes: %v", err)
	}
	refusing := start(t, func(int, call) (int, string, string) { return 413, "", "" })
	_, _, err = refusing.client(t, nil).Post(context.Background(), targets(1), [][]byte{[]byte("a")})
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("a 413: %v, want ErrTooLarge", err)
	}
}

func TestClient_Send(t *testing.T) {
	g := start(t, func(n int, c call) (int, string, string) {
		if c.id == "gone" {
			return 410, "GoneException", ""
		}
		if n == 1 {
			return 429, "LimitExceededException", ""
		}
		return 200, "", ""
	})
	c := g.client(t, nil)
	err := c.Send(context.Background(), Target{ID: "id"}, [][]byte{[]byte("a"), []byte("b"), []byte("c")})
	if err != nil {
		t.Fatal(err)
	}
	bodies := ""
	for _, c := range g.seen() {
		bodies += c.body
	}
	if bodies != "abbc" {
		t.Errorf("frames %q, want abbc", bodies)
	}
	if err := c.Send(context.Background(), Target{ID: "gone"}, [][]byte{{'x'}}); !errors.Is(err, ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
	big := [][]byte{{'x'}, make([]byte, MaxPayload+1)}
	if err := c.Send(context.Background(), Target{ID: "id"}, big); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	if n := len(g.seen()); n != 5 {
		t.Errorf("%d calls, want 5: nothing of what is too large", n)
	}
}

// At most Parallel posts are under way, and as many are.
func TestConfig_Parallel(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	four := make(chan struct{})
	g := start(t, func(_ int, c call) (int, string, string) {
		if c.id == "id0=" {
			return 200, "", ""
		}
		mu.Lock()
		now++
		most = max(most, now)
		if now == 4 {
			select {
			case <-four:
			default:
				close(four)
			}
		}
		mu.Unlock()
		<-four
		mu.Lock()
		now--
		mu.Unlock()
		return 200, "", ""
	})
	c := g.client(t, func(cfg *Config) { cfg.Parallel = 4 })
	gone, unsent, err := c.Post(context.Background(), targets(30), [][]byte{[]byte("a")})
	if err != nil || len(gone)+len(unsent) > 0 {
		t.Fatal(gone, unsent, err)
	}
	if most != 4 {
		t.Errorf("%d at once, want 4", most)
	}
}

func TestClient_Post_otherEndpoint(t *testing.T) {
	here, there := start(t, ok), start(t, ok)
	to := []Target{{ID: "a", Endpoint: there.URL + "/dev/"}}
	if _, _, err := here.client(t, nil).Post(context.Background(), to, [][]byte{[]byte("x")}); err != nil {
		t.Fatal(err)
	}
	if len(here.seen()) > 0 {
		t.Error("posted to its own endpoint")
	}
	if seen := there.seen(); len(seen) != 1 || seen[0].path != "/dev/@connections/a" {
		t.Errorf("calls %v", seen)
	}
}

func TestClient_Close(t *testing.T) {
	g := start(t, func(_ int, c call) (int, string, string) {
		if c.id == "gone" {
			return 410, "GoneException:http://internal.amazon.com/", ""
		}
		return 204, "", ""
	})
	c := g.client(t, nil)
	if err := c.Close(context.Background(), Target{ID: "id="}, 4000, "ignored"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(context.Background(), Target{ID: "gone"}, 1000, ""); !errors.Is(err, ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
	want := []call{{"DELETE", "/prod/@connections/id%3D", "id=", ""}, {"DELETE", "/prod/@connections/gone", "gone", ""}}
	if diff := cmp.Diff(want, g.seen(), cmp.AllowUnexported(call{})); diff != "" {
		t.Error(diff)
	}
}

func TestClient_Describe(t *testing.T) {
	g := start(t, func(_ int, c call) (int, string, string) {
		switch c.id {
		case "gone":
			return 410, "GoneException", ""
		case "broken":
			return 200, "", "<html>"
		}
		return 200, "", `{"identity":{"sourceIp":"203.0.113.9","userAgent":null},` +
			`"connectedAt":"2026-09-25T00:22:29.887Z","lastActiveAt":"2026-09-25T00:22:30.001Z"}`
	})
	c := g.client(t, nil)
	got, err := c.Describe(context.Background(), Target{ID: "id="})
	want := Info{
		SourceIP:     "203.0.113.9",
		ConnectedAt:  time.Date(2026, 9, 25, 0, 22, 29, 887e6, time.UTC),
		LastActiveAt: time.Date(2026, 9, 25, 0, 22, 30, 1e6, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := c.Describe(context.Background(), Target{ID: "gone"}); !errors.Is(err, ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
	if _, err := c.Describe(context.Background(), Target{ID: "broken"}); err == nil {
		t.Error("no error for an answer that is no JSON")
	}
}

// Kept-alive connections: many posts over few of them.
func TestNewHTTPClient_keepsConnections(t *testing.T) {
	var mu sync.Mutex
	remotes := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		remotes[r.RemoteAddr] = true
	}))
	defer server.Close()
	c, err := New(Config{Endpoint: server.URL + "/prod", AccessKey: "a", SecretKey: "b", Parallel: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer c.cfg.HTTPClient.CloseIdleConnections()
	for range 20 {
		if _, _, err := c.Post(context.Background(), targets(40), [][]byte{[]byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if len(remotes) > 3*8 { // net/http's own default would have opened hundreds
		t.Errorf("800 posts over %d connections", len(remotes))
	}
}

func TestNew_refuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no endpoint":    {AccessKey: "a", SecretKey: "b"},
		"no scheme":      {Endpoint: "host/prod", AccessKey: "a", SecretKey: "b"},
		"other scheme":   {Endpoint: "wss://host/prod", AccessKey: "a", SecretKey: "b"},
		"no credentials": {Endpoint: "https://host/prod"},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
