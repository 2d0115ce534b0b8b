package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// patience is how long anything may take that has to connect again meanwhile.
const patience = time.Minute

// pipeline is a command line that a real shell runs. $confab is the program.
type pipeline struct {
	t        *testing.T
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	ended    chan struct{}
	mu       sync.Mutex
	out, err bytes.Buffer
}

// sh runs a command line in bash, as alice, against a server.
func sh(t *testing.T, server *sim.Process, line string) *pipeline {
	t.Helper()
	p := &pipeline{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(tools.Program(t, "bash"), "-c", line)
	p.cmd.Env = settings(t, server, "alice")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches all of it
	p.cmd.Stdout, p.cmd.Stderr = &locked{&p.mu, &p.out}, &locked{&p.mu, &p.err}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // code has it
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.ended
	})
	return p
}

// settings is the environment of somebody with no settings but these.
func settings(t *testing.T, server *sim.Process, name string) []string {
	t.Helper()
	plain := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "CONFAB_") || strings.HasPrefix(v, "NO_COLOR=")
	})
	return append(plain, "XDG_CONFIG_HOME="+t.TempDir(), "CONFAB_URL="+server.URL(),
		"CONFAB_NAME="+name, "confab="+sim.Binary(t), "TERM=xterm")
}

// locked is a buffer that is read while it is written.
type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(text)
}

// signal sends a signal to all processes of the command line.
func (p *pipeline) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// text gives what was printed and said so far.
func (p *pipeline) text() (out, err string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String(), p.err.String()
}

// await waits until standard output, or standard error, has a text.
func (p *pipeline) await(text string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if out, err := p.text(); strings.Contains(out+"\n"+err, text) {
			return
		}
	}
	out, err := p.text()
	p.t.Fatalf("no %q came, but:\n%s\nand on standard error:\n%s", text, out, err)
}

// code waits for the end and gives the exit code.
func (p *pipeline) code() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		out, err := p.text()
		p.t.Fatalf("it does not end:\n%s\nand on standard error:\n%s", out, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// enter writes to the command line's standard input.
func (p *pipeline) enter(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, text); err != nil {
		p.t.Fatal(err)
	}
}

// texts gives the messages of a room, in their order.
func texts(t *testing.T, server *sim.Process, room string) []string {
	t.Helper()
	cmd := exec.Command(sim.Binary(t), "history", "-r", room, "--json", "--since", "0")
	cmd.Env = settings(t, server, "reader")
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && strings.Contains(string(failed.Stderr), "there is no room") {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(out)) {
		var m struct{ Message string }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Message)
	}
	return all
}

// awaitTexts waits until a room has so many messages.
func awaitTexts(t *testing.T, server *sim.Process, room string, count int) []string {
	t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = texts(t, server, room); len(got) >= count {
			return got
		}
	}
	t.Fatalf("%s has %d messages after %v, want %d", room, len(got), patience, count)
	return nil
}

// TestTail_Pipe follows a room through grep, over a kill of the server.
func TestTail_Pipe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := sim.ServeAt(t, sim.FreeAddr(t), "--data", data)
	tail := sh(t, server, `$confab tail -r ops | grep --line-buffered deployed`)
	tail.await("joined ops")
	send := func(text string) {
		if code := sh(t, server, "$confab send -r ops "+text).code(); code != 0 {
			t.Fatalf("send: exit code %d", code)
		}
	}
	send("something else")
	send("deployed one")
	tail.await("alice: deployed one\n") // while both programs go on
	server.Kill()
	tail.await("confab: the line is down")
	server = sim.ServeAt(t, server.Addr, "--data", data)
	send("deployed two")
	tail.await("confab: the line is up again")
	tail.await("alice: deployed two\n")
	out, said := tail.text()
	if lines := strings.Count(out, "\n"); lines != 2 || strings.Contains(out, "line is") {
		t.Errorf("%d lines:\n%s", lines, out)
	}
	if strings.Count(said, "line is down") != 1 || strings.Count(said, "line is up") != 1 {
		t.Errorf("said:\n%s", said)
	}
	tail.signal(syscall.SIGINT)
	tail.code()
}

// TestTail_Ends looks at the exit codes of a tail whose reader goes, whose disk is full and that is
// interrupted.
func TestTail_Ends(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	if code := sh(t, server, "$confab send -r ops deployed").code(); code != 0 {
		t.Fatalf("send: exit code %d", code)
	}
	// Nothing more is said in the room: the end is not to wait for it. 141 is 128 and SIGPIPE.
	head := sh(t, server, `$confab tail -r ops | grep -m1 deployed; echo "codes ${PIPESTATUS[*]}"`)
	head.code()
	if out, said := head.text(); !strings.HasSuffix(out, "alice: deployed\ncodes 141 0\n") || said != "" {
		t.Errorf("printed %q, said %q", out, said)
	}
	frame := sh(t, server, `$confab ws $CONFAB_URL -x '{"action":"help"}' -w -1s | head -c 1; `+
		`echo " codes ${PIPESTATUS[*]}"`)
	frame.await("{ codes 141 0\n")
	full := sh(t, server, `$confab tail -r ops > /dev/full`)
	if code := full.code(); code != 1 {
		t.Errorf("a full disk: exit code %d", code)
	}
	full.await("no space left on device")
	stopped := sh(t, server, `trap : INT; $confab tail -r ops; echo "code $?"`)
	stopped.await("deployed")
	stopped.signal(syscall.SIGINT)
	stopped.await("code 130\n")
	if _, said := stopped.text(); said != "" {
		t.Errorf("interrupted, it said %q", said)
	}
}

// TestSend_Pipe sends what a command writes to both its outputs: each line when it is complete, and
// the command's exit code stays what it was.
func TestSend_Pipe(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	build := sh(t, server,
		`{ echo compiling; read go; echo "error: no rule" >&2; printf half; exit 3; } 2>&1 | $confab send -r builds; `+
			`echo "codes ${PIPESTATUS[*]}"`)
	if got := awaitTexts(t, server, "builds", 1); !slices.Equal(got, []string{"compiling"}) {
		t.Errorf("while it runs: %q", got)
	}
	build.enter("go\n")
	build.code()
	if out, said := build.text(); out != "codes 3 0\n" || said != "confab: joined builds\n" {
		t.Errorf("printed %q, said %q", out, said)
	}
	want := []string{"compiling", "error: no rule", "half"}
	if got := texts(t, server, "builds"); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestSend_Restart kills the server three times while lines are sent: each is stored once, in order.
func TestSend_Restart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := sim.ServeAt(t, sim.FreeAddr(t), "--data", data)
	send := sh(t, server, `$confab send -r builds`)
	var want []string
	line := func() {
		want = append(want, fmt.Sprintf("line %d", len(want)+1))
		send.enter(want[len(want)-1] + "\n")
	}
	line()
	awaitTexts(t, server, "builds", 1)
	for range 3 {
		for range 100 {
			line()
		}
		server.Kill() // some of them are stored, and some acknowledged
		for range 100 {
			line()
		}
		server = sim.ServeAt(t, server.Addr, "--data", data)
		awaitTexts(t, server, "builds", len(want))
	}
	if err := send.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := send.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := texts(t, server, "builds"); !slices.Equal(got, want) {
		t.Errorf("%d lines are stored, want %d", len(got), len(want))
	}
	if _, said := send.text(); strings.Count(said, "line is down") != 3 || strings.Count(said, "line is up") != 3 {
		t.Errorf("it said:\n%s", said)
	}
}
