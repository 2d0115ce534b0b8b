package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// tutorial is a line of README.md's table for those who come from a write-up.
type tutorial struct {
	url    string // path and query
	typed  string
	second bool // it comes back in the second terminal
	back   []string
}

var (
	tutorialRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| `npx wscat -c \"ws://127\\.0\\.0\\.1:8080(/[^\"]+)\"` \\| " +
		"`([^`]+)` \\| in the (first|second): (.+) \\|$")
	codeSpan = regexp.MustCompile("`([^`]+)`")
)

// tutorials reads the table.
func tutorials(t *testing.T) map[string]tutorial {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tools.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]tutorial{}
	for _, m := range tutorialRow.FindAllStringSubmatch(string(text), -1) {
		row := tutorial{url: m[2], typed: m[3], second: m[4] == "second"}
		for _, span := range codeSpan.FindAllStringSubmatch(m[5], -1) {
			row.back = append(row.back, span[1])
		}
		rows[m[1]] = row
	}
	if len(rows) != 5 {
		t.Fatalf("README.md has %d write-ups, want 5", len(rows))
	}
	return rows
}

// TestWscat_Tutorials follows each line as README.md prints it, in two terminals.
func TestWscat_Tutorials(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	for name, row := range tutorials(t) {
		t.Run(name, func(t *testing.T) {
			row.follow(t, "ws://"+server.Addr+row.url)
		})
	}
}

// TestWscat_DefaultDialect follows each line on a server whose default is its dialect: only the host is
// another than in the write-up.
func TestWscat_DefaultDialect(t *testing.T) {
	dialect := regexp.MustCompile(`dialect=(\w+)&?`)
	for name, row := range tutorials(t) {
		t.Run(name, func(t *testing.T) {
			server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory", "--dialect", dialect.FindStringSubmatch(row.url)[1])
			url := "ws://" + server.Addr + strings.TrimSuffix(dialect.ReplaceAllString(row.url, ""), "?")
			row.follow(t, url)
		})
	}
}

// follow does what a line says, in two terminals.
func (row tutorial) follow(t *testing.T, url string) {
	t.Helper()
	first := startWscat(t, url)
	reader := startWscat(t, strings.ReplaceAll(url, "name=alice", "name=bob"))
	first.enter(row.typed)
	if !row.second {
		reader = first
	}
	for _, printed := range row.back {
		reader.next(printed)
	}
}

// next awaits a frame as it is printed, the next one, where … stands for what differs.
func (w *wscat) next(printed string) {
	w.tb.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(printed), "…", `[^"]+`)
	if frame := w.await(""); !regexp.MustCompile("^" + pattern + "$").MatchString(frame) {
		w.tb.Errorf("it gets %s, README.md prints %s", frame, printed)
	}
}
