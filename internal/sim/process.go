package sim

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limits of a process.
const (
	startLimit = time.Minute // to say that it serves
	endLimit   = time.Minute // to end by itself
	keptOutput = 64 << 10    // bytes of what it said, for a test that fails
)

// Process is a running `confab serve`.
type Process struct {
	Addr  string // host:port of the chat
	Admin string // host:port of its metrics

	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
	mu     sync.Mutex
	said   []byte
}

// Surroundings are where a process runs.
type Surroundings struct {
	Dir    string   // its folder; "": that of the test
	Env    []string // settings beside the environment, which has none of Confab
	Prefix []string // a program with arguments that runs it and stays the same process
}

// Serve starts `confab serve` in plain surroundings.
func Serve(tb testing.TB, args ...string) *Process {
	tb.Helper()
	return Surroundings{}.Serve(tb, args...)
}

// ServeAt is Serve on a known address, for a server that says another one to people.
func ServeAt(tb testing.TB, addr string, args ...string) *Process {
	tb.Helper()
	return Surroundings{}.ServeAt(tb, addr, args...)
}

// ServeAt starts `confab serve` on that address.
func (s Surroundings) ServeAt(tb testing.TB, addr string, args ...string) *Process {
	tb.Helper()
	p := s.Serve(tb, append([]string{"--addr", addr}, args...)...)
	p.Addr = addr
	return p
}

// Serve starts `confab serve` with more arguments and returns when it serves. The end of the test
// kills it, and a test that has failed shows what it said, unless the test had killed it.
func (s Surroundings) Serve(tb testing.TB, args ...string) *Process {
	tb.Helper()
	args = slices.Concat(s.Prefix, []string{Binary(tb), "serve", "--admin-addr", "127.0.0.1:0"}, args)
	p := &Process{cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = append(plainEnvironment(), s.Env...), s.Dir
	found := make(chan string, 2)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	errOut, err := p.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		killed := p.killed()
		p.Kill()
		if tb.Failed() && !killed {
			tb.Logf("confab serve said:\n%s", p.Said())
		}
	})
	var read sync.WaitGroup
	read.Go(func() { p.listen(out, regexp.MustCompile(`Open https?://(\S+)/ `), "chat ", found) })
	read.Go(func() {
		p.listen(errOut, regexp.MustCompile(`admin listener",? ?"?address"?[=:]"?([^\s"]+)`), "admin ", found)
	})
	go func() {
		read.Wait()
		_ = p.cmd.Wait() // Code has it
		close(p.exited)
	}()
	p.awaitStart(tb, found)
	return p
}

// FreeAddr gives an address of loopback that nobody listens on. Its port is below those that systems
// give out by themselves, so that nobody else gets it before a server has started there, or while it
// is down.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	tb.Fatal("no port is free")
	return ""
}

// plainEnvironment is the environment without settings of Confab.
func plainEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CONFAB_") })
}

// listen keeps what the process says, and hands on the first match of a pattern.
func (p *Process) listen(r io.Reader, pattern *regexp.Regexp, kind string, found chan<- string) {
	lines := bufio.NewScanner(r)
	seen := false
	for lines.Scan() {
		p.mu.Lock()
		p.said = fmt.Appendln(p.said, lines.Text())
		p.said = p.said[max(0, len(p.said)-keptOutput):]
		p.mu.Unlock()
		if m := pattern.FindStringSubmatch(lines.Text()); m != nil && !seen {
			seen = true
			found <- kind + m[1]
		}
	}
}

func (p *Process) awaitStart(tb testing.TB, found <-chan string) {
	tb.Helper()
	limit := time.After(startLimit)
	for p.Addr == "" || p.Admin == "" {
		select {
		case line := <-found:
			kind, addr, _ := strings.Cut(line, " ")
			if kind == "chat" {
				p.Addr = addr
			} else {
				p.Admin = addr
			}
		case <-p.exited:
			tb.Fatalf("confab serve ended with code %d before it served:\n%s", p.Code(), p.Said())
		case <-limit:
			tb.Fatalf("confab serve does not serve after %v:\n%s", startLimit, p.Said())
		}
	}
}

// Said gives the last of what the process has written to both its outputs.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.said)
}

// URL is where clients connect.
func (p *Process) URL() string { return "ws://" + p.Addr + "/production" }

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as kill -9 does and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// killed tells whether the process has ended by a signal.
func (p *Process) killed() bool {
	select {
	case <-p.exited:
		return p.Code() == -1
	default:
		return false
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		tb.Fatalf("signal %v: %v", s, err)
	}
}

// AwaitExit gives the exit code when the process has ended; the test fails when it does not end.
func (p *Process) AwaitExit(tb testing.TB) int {
	tb.Helper()
	select {
	case <-p.exited:
	case <-time.After(endLimit):
		tb.Fatalf("confab serve does not end within %v", endLimit)
	}
	return p.Code()
}

// Code is the exit code of a process that has ended, -1 of one that was killed.
func (p *Process) Code() int { return p.cmd.ProcessState.ExitCode() }
