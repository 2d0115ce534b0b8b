package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// TestServe_dialsNothing runs a server, and what it usually does, in a network namespace of its own
// that leads nowhere, and looks at its system calls: it opens no connection and sends no datagram.
func TestServe_dialsNothing(t *testing.T) {
	strace := tools.Program(t, "strace")
	if !inOwnNetwork(t) {
		return
	}
	trace := filepath.Join(t.TempDir(), "trace")
	server := sim.Surroundings{Prefix: []string{
		strace, "-D", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg,bind", "-o", trace,
	}}.Serve(t, "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	say(t, server, "m1")
	server.Signal(t, syscall.SIGTERM)
	if code := server.AwaitExit(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if binds := strings.Count(string(text), "sin_addr=inet_addr(\"127.0.0.1\")"); binds < 2 {
		t.Fatalf("the trace shows %d listeners, want 2: it proves nothing\n%s", binds, text)
	}
	for line := range strings.Lines(string(text)) {
		if reachesOut.MatchString(line) && !strings.Contains(line, "sa_family=AF_UNIX") {
			t.Errorf("the server dials: %s", line)
		}
	}
}

// reachesOut fits a connect, and a datagram that names where it goes: answers to clients name nothing.
var reachesOut = regexp.MustCompile(`connect\(|send\w+\(.*sa_family=`)
