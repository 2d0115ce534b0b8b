package web_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// vitest runs the tests of a configuration in this folder.
func vitest(t *testing.T, env []string, args ...string) {
	t.Helper()
	program := filepath.Join(tools.Path(t, "web/node_modules"), "vitest", "vitest.mjs")
	cmd := exec.CommandContext(t.Context(), tools.Program(t, "node"), append([]string{program, "run"}, args...)...)
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestPage_units runs what needs no browser: frames, session, rooms, outbox, views.
func TestPage_units(t *testing.T) { vitest(t, nil) }
