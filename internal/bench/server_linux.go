package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// server is a running `confab serve`, or the bare loop that it is compared with.
type server struct {
	cmd  *exec.Cmd
	addr string
	bare bool
}

var served = regexp.MustCompile(`ws://(127\.0\.0\.1:\d+)/`)

// run starts a program on the first processor, where the system has a command for that.
func run(args ...string) *server {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	return &server{cmd: exec.Command(args[0], args[1:]...)}
}

// launch starts `confab serve` and waits until it serves. It keeps messages in memory: what grows is
// the fan-out, not the disk.
func launch(program string) (*server, error) {
	s := run(program, "serve", "--memory", "--addr", "127.0.0.1:0", "--admin-addr", "off",
		"--rate", "1000000", "--drain", "0s")
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); s.addr == "" && lines.Scan(); {
		if found := served.FindStringSubmatch(lines.Text()); found != nil {
			s.addr = found[1]
		}
	}
	if s.addr == "" {
		s.kill()
		return nil, fmt.Errorf("%s does not serve", program)
	}
	return s, nil
}

// launchBare starts the load generator's reference: a loop over the sockets of a room, in which every
// frame of a client is for everybody.
func launchBare(program string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.Close()
	s := run(program, "-kind", "raw-send", "-addr", l.Addr().String())
	s.addr, s.bare = l.Addr().String(), true
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return s, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.kill()
	return nil, fmt.Errorf("%s does not serve", program)
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	_ = s.cmd.Wait()
}

// cpu is the processor time that the server has used so far: of each thread, as Linux's scheduler
// counts it in nanoseconds.
func (s *server) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		spent, _, _ := strings.Cut(string(stat), " ")
		n, err := strconv.ParseInt(spent, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		sum += time.Duration(n)
	}
	if sum == 0 {
		return 0, fmt.Errorf("process %d: no processor time, which only Linux tells", s.cmd.Process.Pid)
	}
	return sum, nil
}
