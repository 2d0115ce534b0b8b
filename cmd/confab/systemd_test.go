package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// TestServe_notify plays systemd, which waits for a service of type notify to be ready.
func TestServe_notify(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	told := func() string {
		_ = socket.SetReadDeadline(time.Now().Add(limit))
		var buf [64]byte
		n, err := socket.Read(buf[:])
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	server := sim.Surroundings{Env: []string{"NOTIFY_SOCKET=" + name}}.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	if got := told(); got != "READY=1" {
		t.Errorf("told %q, want READY=1", got)
	}
	server.Signal(t, syscall.SIGTERM)
	if got := told(); got != "STOPPING=1" {
		t.Errorf("told %q, want STOPPING=1", got)
	}
	if code := server.AwaitExit(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestSystemd_unit has systemd itself read the unit, and judge how well it shuts the program in:
// from 0.0, safe, to 10.0.
func TestSystemd_unit(t *testing.T) {
	analyze := tools.Program(t, "systemd-analyze")
	text, err := os.ReadFile(filepath.Join(tools.Root(), "deploy", "systemd", "confab.service"))
	if err != nil {
		t.Fatal(err)
	}
	const installed = "/usr/local/bin/confab"
	if !strings.Contains(string(text), "ExecStart="+installed+" serve\n") {
		t.Fatalf("the unit does not start %s", installed)
	}
	here := strings.ReplaceAll(string(text), installed, sim.Binary(t))
	unit := filepath.Join(t.TempDir(), "confab.service")
	if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=yes", "--no-pager", "--threshold=20", unit},
	} {
		out, err := exec.Command(analyze, args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
