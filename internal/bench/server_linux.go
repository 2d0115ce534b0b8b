package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// server is a running `confab serve`.
type server struct {
	cmd  *exec.Cmd
	addr string
}

var served = regexp.MustCompile(`ws://(127\.0\.0\.1:\d+)/`)

// launch starts the program on the first processor, where the system has a command for that, and
// waits until it serves. It keeps messages in memory: what grows is the fan-out, not the disk.
func launch(program string) (*server, error) {
	args := []string{
		program, "serve", "--memory", "--addr", "127.0.0.1:0", "--admin-addr", "off",
		"--rate", "1000000", "--drain", "0s",
	}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	s := &server{cmd: exec.Command(args[0], args[1:]...)}
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
