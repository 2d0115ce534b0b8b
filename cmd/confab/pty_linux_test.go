package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/internal/sim"
)

// person is somebody at a terminal who runs the program.
type person struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	before unix.Termios // of the terminal
	ended  chan struct{}
	mu     sync.Mutex
	screen strings.Builder // everything that was written to it
}

// sit gives somebody a terminal of 60 columns with the program on it.
func sit(t *testing.T, server *sim.Process, name string, env []string, args ...string) *person {
	t.Helper()
	p := &person{t: t, ended: make(chan struct{})}
	screen, slave := openTerminal(t)
	p.master = screen
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err == nil {
		err = unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60})
	}
	if err != nil {
		t.Fatal(err)
	}
	p.before = *before
	p.cmd = exec.Command(sim.Binary(t), args...)
	p.cmd.Env = append(settings(t, server, name), env...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.watch()
	go func() {
		_ = p.cmd.Wait() // code has it
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

// watch keeps what is written to the terminal.
func (p *person) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.master.Read(buffer)
		p.mu.Lock()
		p.screen.Write(buffer[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// sees gives everything that was written, without colours.
func (p *person) sees() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return colour.ReplaceAllString(p.screen.String(), "")
}

// raw gives everything that was written.
func (p *person) raw() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.String()
}

// types presses keys.
func (p *person) types(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// await waits until the person sees a text.
func (p *person) await(text string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.sees(), text) {
			return
		}
	}
	p.t.Fatalf("no %q on the terminal, but:\n%q", text, p.sees())
}

// leaves waits for the end: exit code 0, and the terminal as it was.
func (p *person) leaves() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("it does not end:\n%q", p.sees())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("exit code %d:\n%q", code, p.sees())
	}
	after, err := unix.IoctlGetTermios(int(p.master.Fd()), unix.TCGETS)
	if err != nil || *after != p.before {
		p.t.Errorf("the terminal is %+v, it was %+v: %v", after, p.before, err)
	}
	p.await("\x1b[?2004l") // no marks around pasted text any more
}

// TestChat_Terminal has two people talk at terminals, over a restart of the server.
func TestChat_Terminal(t *testing.T) {
	data := t.TempDir()
	server := sim.ServeAt(t, sim.FreeAddr(t), "--data", data)
	alice := sit(t, server, "alice", nil, "chat")
	alice.await("You are alice at " + server.Addr)
	bob := sit(t, server, "bob", nil, "chat")
	bob.await("lobby> ")

	alice.types("hello\r")
	bob.await("📨 Message from [alice]: [hello]\r\n")
	alice.await("📨 Message from [alice]: [hello]\r\n")
	if !regexp.MustCompile("\x1b\\[[0-9;]*malice\x1b\\[0m\\]: \\[hello\\]").MatchString(bob.raw()) {
		t.Errorf("no colours: %q", bob.raw())
	}

	bob.types("half a li") // while something comes in, his line stays his
	bob.await("lobby> half a li")
	alice.types("/msg bob " + strings.Repeat("long ", 12) + "\x1b[200~two\nlines\x1b[201~\r")
	bob.await("📨 Message from [alice] to [you]: [long long long long long\r\n" +
		"    long long long long long long long two\r\n    lines]\r\nlobby> half a li")
	bob.types("ne\r")
	alice.await("📨 Message from [bob]: [half a line]\r\n")

	alice.types("/who\r")
	alice.await("Here: alice, bob\r\n")
	alice.types("/nope\r")
	alice.await("There is no /nope. Commands: /join ROOM")
	alice.types("/join tea\r")
	alice.await("tea> ")
	bob.types("/join tea\r")
	alice.await("bob is here.")

	server.Kill()
	alice.await("The line is down")
	alice.types("are you there?\r")
	alice.await("(waits for the line) are you there?")
	sim.ServeAt(t, server.Addr, "--data", data)
	bob.await("The line is up again.")
	bob.await("📨 Message from [alice]: [are you there?]\r\n")
	alice.await("📨 Message from [alice]: [are you there?]\r\n")

	alice.types("/quit\r")
	alice.leaves()
	bob.await("alice has gone.")
	bob.types("never sent\x03") // Ctrl-C
	bob.leaves()
	if strings.Contains(alice.sees(), "never sent") || strings.Count(bob.sees(), "are you there?") != 1 {
		t.Errorf("alice sees\n%q\nand bob\n%q", alice.sees(), bob.sees())
	}
}

// TestChat_History greets who comes back, without colours where they are not wanted and with nothing
// that acts on the terminal.
func TestChat_History(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	evil := sh(t, server, `printf '\xe2\x80\xaeevil\xe2\x81\xa6 \xe2\x80\x8bhi' | $confab send --one`)
	if code := evil.code(); code != 0 {
		t.Fatalf("send: exit code %d", code)
	}
	bob := sit(t, server, "bob", []string{"NO_COLOR=1"}, "chat")
	bob.await("alice: <U+202E>evil<U+2066> <U+200B>hi\r\n")
	bob.types("\x04") // Ctrl-D
	bob.leaves()
	if colour.MatchString(bob.raw()) || strings.ContainsAny(bob.raw(), "\u202e\u2066\u200b") {
		t.Errorf("the terminal got %q", bob.raw())
	}
}

// TestWS_Terminal types frames.
func TestWS_Terminal(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	alice := sit(t, server, "alice", nil, "ws", server.URL()+"?dialect=direct")
	alice.await("Connected. Ctrl-D ends.")
	alice.types(`{"action":"sendMessage","message":"hello ` + "\\u202e" + `"}` + "\r")
	alice.await("< hello <U+202E>\r\n")
	if !strings.Contains(alice.sees(), `> {"action":"sendMessage","message":"hello \u202e"}`) {
		t.Errorf("what was typed is not there: %q", alice.sees())
	}
	alice.types("\x03")
	alice.leaves()
}
