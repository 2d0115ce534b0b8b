package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// insideVariable tells the test that it runs in a network of its own.
const insideVariable = "CONFAB_TEST_INSIDE"

// TestServe_dialsNothing runs a server, and what it usually does, in a network namespace of its own
// that leads nowhere, and looks at its system calls: it opens no connection and sends no datagram.
func TestServe_dialsNothing(t *testing.T) {
	strace := tools.Program(t, "strace")
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	raiseLoopback(t)
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

// runInside runs this very test in a user and network namespace of its own.
func runInside(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServe_dialsNothing$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestServe_dialsNothing") {
		t.Errorf("inside: %v\n%s", err, out)
	}
}

// raiseLoopback makes 127.0.0.1 reachable, all that there is in a new network.
func raiseLoopback(t *testing.T) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}
