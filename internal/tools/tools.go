// Package tools finds the programs that tests need beside Go. `make tools` puts them under
// .tools in the project's root; what it installs is pinned in install.sh beside this file.
package tools

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Root is the project's root folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Path gives the path of something under .tools, as Path(t, "dynamodb/lib"). Where it is missing
// the test is skipped with a line that says how to get it; with CI=true it fails.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(Root(), ".tools", name)
	if _, err := os.Stat(path); err != nil {
		missing(tb, name, "run `make tools`")
	}
	return path
}

// Program gives the path of a program of the system, as Program(t, "strace"), or skips or fails as
// Path does.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil { // Debian keeps servers where not everybody looks
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		missing(tb, name, "install it with the system's package manager, or run `make tools`")
	}
	return path
}

// NodeWebSocket gives the command of Node.js, with the flag that its own WebSocket needs before
// version 22. Versions that have none run without it.
func NodeWebSocket(tb testing.TB) []string {
	tb.Helper()
	node := Program(tb, "node")
	const flag = "--experimental-websocket"
	if exec.Command(node, flag, "-e", "WebSocket").Run() == nil {
		return []string{node, flag}
	}
	return []string{node}
}

// Chromium gives the path of a browser, by any of the names that systems give it.
func Chromium(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(tb, "Chromium", "install the package chromium, or run `make tools`")
	return ""
}

// Corpus gives the path of bad-input data beside the project, as Corpus(t, "JSONTestSuite"). The
// data is not part of the project: where it is missing the test is skipped with a line that says so.
func Corpus(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(Root(), "..", "shared", "corpora", name)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("skipped: ../shared/corpora/%s is not here", name)
	}
	return path
}

// WriteUp gives the path of one of the write-ups beside the project, whose clients Confab serves. They
// are other people's texts and no part of the project: where one is missing the test is skipped with
// a line that says so.
func WriteUp(tb testing.TB, number int) string {
	tb.Helper()
	name := fmt.Sprintf("%03d_*.txt", number)
	found, err := filepath.Glob(filepath.Join(Root(), "..", "shared", "seeds", name))
	if err != nil || len(found) != 1 {
		tb.Skipf("skipped: ../shared/seeds/%s is not here", name)
	}
	return found[0]
}

// NaughtyStrings gives the strings of the corpus naughty-strings, which no text field may stumble over.
func NaughtyStrings(tb testing.TB) []string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(Corpus(tb, "naughty-strings"), "blns.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(text, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func missing(tb testing.TB, name, how string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s is missing: %s", name, how)
	}
	tb.Skipf("skipped: %s is missing: %s", name, how)
}
