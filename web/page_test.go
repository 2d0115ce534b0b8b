package web_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// vitest runs the tests of the page in this folder, by a command that begins with prefix.
func vitest(t *testing.T, prefix, env []string, args ...string) {
	t.Helper()
	program := filepath.Join(tools.Path(t, "web/node_modules"), "vitest", "vitest.mjs")
	args = slices.Concat(prefix, []string{tools.Program(t, "node"), program, "run"}, args)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// program builds confab.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "confab")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./cmd/confab")
	build.Dir = tools.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// browserTests runs tests of the page in a browser, against the real program.
func browserTests(t *testing.T, prefix []string, env ...string) {
	t.Helper()
	env = append(env, "CONFAB_CHROMIUM="+tools.Chromium(t), "CONFAB_PROGRAM="+program(t))
	vitest(t, prefix, env, "--config", "vitest.browser.config.ts")
}

// TestPage_units runs what needs no browser: frames, session, rooms, outbox.
func TestPage_units(t *testing.T) { vitest(t, nil, nil) }

// TestPage_browser runs what people do, in Chromium.
func TestPage_browser(t *testing.T) {
	t.Parallel() // much of it is waiting
	browserTests(t, nil)
}

// TestPage_hostileTexts shows every string of two collections that have broken other pages.
func TestPage_hostileTexts(t *testing.T) {
	t.Parallel()
	browserTests(t, nil, "CONFAB_XSS="+tools.Corpus(t, "xss-payload-list"),
		"CONFAB_NAUGHTY="+tools.Corpus(t, "naughty-strings"), "CONFAB_ONLY=hostile")
}

// TestPage_withoutTLS opens the page by an address that is not loopback.
func TestPage_withoutTLS(t *testing.T) {
	t.Parallel()
	browserTests(t, tools.Namespace(t), "CONFAB_LAN="+tools.LAN, "CONFAB_ONLY=insecure")
}
