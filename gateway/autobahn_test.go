//go:build autobahn

package gateway

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/tools"
)

// TestAutobahn runs the cases of Autobahn's fuzzing client that need no compression against the echo
// server. `make autobahn` runs it, where a Python 2.7 is present.
func TestAutobahn(t *testing.T) {
	const cases = 301
	r := runEcho(t)
	dir := t.TempDir()
	spec, err := json.Marshal(map[string]any{
		"outdir":        dir,
		"servers":       []any{map[string]any{"agent": "confab", "url": "ws://" + r.addr + "/prod"}},
		"cases":         []string{"*"},
		"exclude-cases": []string{"12.*", "13.*"}, // compression, which is declined
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "spec.json")
	if err := os.WriteFile(file, spec, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tools.Path(t, "autobahn/wstest"), "-m", "fuzzingclient", "-s", file)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	took := time.Since(begin)
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index map[string]map[string]struct{ Behavior, BehaviorClose string }
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]int{}
	for number, result := range index["confab"] {
		verdicts[result.Behavior]++
		for _, verdict := range []string{result.Behavior, result.BehaviorClose} {
			switch verdict {
			case "OK", "NON-STRICT", "INFORMATIONAL":
			default:
				t.Errorf("case %s: %s, close %s", number, result.Behavior, result.BehaviorClose)
			}
		}
	}
	t.Logf("%d cases in %v: %v", len(index["confab"]), took.Round(time.Second), verdicts)
	if n := len(index["confab"]); n != cases {
		t.Errorf("%d cases, want %d", n, cases)
	}
}
