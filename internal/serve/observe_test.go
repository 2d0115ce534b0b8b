package serve

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// metricNames are those of all metrics that a server has of its own.
func metricNames(t *testing.T) []string {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	newStatsCollector(nil).Describe(descs)
	for _, c := range NewMetrics().collectors() {
		c.Describe(descs)
	}
	close(descs)
	var names []string
	for d := range descs {
		names = append(names, regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1])
	}
	slices.Sort(names)
	return names
}

// TestMetrics_documented compares the metrics with the table of docs/operations.md.
func TestMetrics_documented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tools.Root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(confab_[a-z_]+)").FindAllSubmatch(text, -1) {
		documented = append(documented, string(m[1]))
	}
	slices.Sort(documented)
	if names := metricNames(t); !slices.Equal(names, documented) {
		t.Errorf("metrics %v\nare documented as %v", names, documented)
	}
}

// TestBoard wants every query of the Grafana board to ask for metrics that there are, and the board
// to show all of Confab's.
func TestBoard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tools.Root(), "deploy", "grafana", "confab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	there := metricNames(t)
	others := metrics(newServer(t, Config{}))
	shown := map[string]bool{}
	for _, p := range board.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("the panel %s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			asked := regexp.MustCompile(`\b(?:confab|go|process)_[a-z_]+`).FindAllString(target.Expr, -1)
			if len(asked) == 0 {
				t.Errorf("the panel %s asks for nothing: %s", p.Title, target.Expr)
			}
			for _, name := range asked {
				whole := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
				shown[whole] = true
				if !slices.Contains(there, whole) && !strings.Contains(others, "\n"+name+" ") {
					t.Errorf("the panel %s asks for %s, which there is not", p.Title, name)
				}
			}
		}
	}
	for _, name := range there {
		if !shown[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestMetrics_count has one of everything happen, and reads it as Prometheus does.
func TestMetrics_count(t *testing.T) {
	m := NewMetrics()
	log, err := sqlitestore.Open(filepath.Join(t.TempDir(), "data"), sqlitestore.Options{OnCommit: m.Committed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	s, err := New(Config{Log: log, Metrics: m, Sessions: memstore.NewSessions(), Drain: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	public := httptest.NewServer(s)
	t.Cleanup(func() {
		public.Close()
		_ = s.Shutdown(t.Context())
	})
	secret, _, err := s.Desk().MakeOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"canary-no-such-link", secret} {
		body := `{"link":"` + link + `","handle":"canary.alice"}`
		post(t, public.URL+"/auth/sign-in", body)
	}
	session, _, err := s.Desk().SignIn(t.Context(), ownerLink(t, s), "canary.bob", "canary")
	if err != nil {
		t.Fatal(err)
	}
	url := "ws" + strings.TrimPrefix(public.URL, "http") + "/production"
	header := http.Header{"Authorization": {"Bearer " + session}}
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, frame := range []string{
		`{"action":"sendMessage","message":"canary text"}`, `{"action":"canary"}`,
		`{"action":"hello","resume":{"lobby":{"epoch":"canary","seq":1}}}`,
		`{"action":"joinRoom","room":"canary-room"}`,
	} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"confab_chat_messages_total 1", "confab_fanout_seconds_count 1",
		`confab_errors_total{code="unknown_action"} 1`,
		`confab_resumes_total{outcome="reset"} 1`, `confab_resumes_total{outcome="resumed"} 0`,
		`confab_sign_ins_total{outcome="signed in"} 1`, `confab_sign_ins_total{outcome="refused"} 1`,
		`confab_commit_operations_bucket{le="1"} `, "confab_messages_expired_total 0",
	} {
		for end := time.Now().Add(time.Minute); !strings.Contains(metrics(s), "\n"+line); {
			if time.Now().After(end) {
				t.Fatalf("the metrics have no %q:\n%s", line, metrics(s))
			}
			time.Sleep(time.Millisecond)
		}
	}
	if all := metrics(s); strings.Contains(strings.ToLower(all), "canary") {
		t.Errorf("the metrics have what a user said or is called:\n%s", all)
	}
}

func ownerLink(t *testing.T, s *Server) string {
	t.Helper()
	secret, _, err := s.Desk().MakeOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func post(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// What is counted for each message must cost no memory.
func TestMetrics_allocations(t *testing.T) {
	m := NewMetrics()
	if n := testing.AllocsPerRun(1000, func() {
		m.FannedOut(3, time.Millisecond)
		m.Committed(3, time.Millisecond)
		m.Resumed(false)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
