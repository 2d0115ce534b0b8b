package main

import (
	"context"
	"fmt"
	"io/fs"
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

// TestServe_Modes looks at what a server and a restore make under the widest umask.
func TestServe_Modes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	say(t, server, "m1")
	backup, restored := filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	for _, args := range [][]string{
		{"backup", "--data", data, backup}, {"restore", backup, "--data", restored},
	} {
		if out, err := confab(t, args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		files++
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestServe_SecondSignal interrupts a server that waits for a client, and then once more.
func TestServe_SecondSignal(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	line, err := sim.Dial(ctx, server.URL(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	server.Signal(t, syscall.SIGINT)
	f, err := line.Await(ctx, func(f *sim.Frame) bool { return f.Event == "reconnect" })
	if err != nil {
		t.Fatal(err)
	}
	if f.AfterMs < 0 || f.AfterMs > 10_000 {
		t.Errorf("afterMs %d, want 0 to 10,000", f.AfterMs)
	}
	for !strings.Contains(server.Said(), "Stopping: 1 connections are asked to reconnect") && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	server.Signal(t, syscall.SIGINT)
	if code := server.AwaitExit(t); code == 0 { // as of one that waits until its client has gone
		t.Error("exit code 0 of a server that was ended at once")
	}
}

// TestServe_DiskFails lets every fsync fail from some call on: the server ends within a second, with a
// code that is not 0, and says why, and what it has acknowledged is there. A machine that does other
// things may take longer once: then it is tried again.
func TestServe_DiskFails(t *testing.T) {
	for range 3 {
		took := failDisk(t)
		if took <= 2*time.Second { // 1 s is promised, and strace is slow
			return
		}
		t.Logf("the server ended %v after its last acknowledgement", took)
	}
	t.Error("no server ended soon after its last acknowledgement")
}

// failDisk gives the time from the last acknowledgement to the end.
func failDisk(t *testing.T) (took time.Duration) {
	t.Helper()
	strace := tools.Program(t, "strace")
	data := filepath.Join(t.TempDir(), "data")
	server := sim.Surroundings{Prefix: []string{
		strace, "-D", "-f", "-qq", "-o", os.DevNull, "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:error=EIO:when=40+",
	}}.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	line, err := sim.Dial(ctx, server.URL(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	acked, last := 0, time.Now()
	for err == nil && acked < 1000 {
		id := fmt.Sprintf("m%d", acked)
		if _, err = line.Do(ctx, id, `{"action":"sendMessage","id":%q,"message":"hi"}`, id); err == nil {
			acked, last = acked+1, time.Now()
		}
	}
	if code := server.AwaitExit(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	took = time.Since(last)
	if said := server.Said(); !strings.Contains(said, "the store failed, so that nothing more can be promised") {
		t.Errorf("it said:\n%s", said)
	}
	server = sim.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	log, err := sim.ReadLog(ctx, server.URL(), "bob", "lobby")
	if err != nil {
		t.Fatal(err)
	}
	if acked == 0 || len(log) < acked || len(log) > acked+1 {
		t.Errorf("%d messages are stored, %d were acknowledged", len(log), acked)
	}
	return took
}

// say sends a message to the lobby.
func say(t *testing.T, server *sim.Process, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	line, err := sim.Dial(ctx, server.URL(), "alice")
	if err == nil {
		defer line.Close()
		_, err = line.Do(ctx, id, `{"action":"sendMessage","id":%q,"message":"hi"}`, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// confab runs a command to its end.
func confab(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), sim.Binary(t), args...).CombinedOutput()
	return string(out), err
}
