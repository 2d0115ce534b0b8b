package testenv

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Processes are the process ids of a rehearsal's functions.
func (e *Env) Processes() (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, file := range stats {
		text, _ := os.ReadFile(file) // it may have ended
		_, after, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
		if _, parent, _ := strings.Cut(after, " "); !strings.HasPrefix(parent, fmt.Sprint(os.Getpid(), " ")) {
			continue
		}
		dir := filepath.Dir(file)
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && bytes.Contains(environ, []byte("="+e.stack+"-")) {
			all = append(all, pid)
		}
	}
	return all
}

// ProcessOf gives the function's process that has the other end of a connection from the address, as
// "127.0.0.1:40123"; 0: none has.
func (e *Env) ProcessOf(address string) int {
	socket := socketOf(address)
	if socket == "" {
		return 0
	}
	for _, pid := range e.Processes() {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range open {
			if to, err := os.Readlink(fd); err == nil && to == socket {
				return pid
			}
		}
	}
	return 0
}

// socketOf names the socket that is bound to an address of IPv4, as /proc does.
func socketOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	number, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil {
		return ""
	}
	table, _ := os.ReadFile("/proc/net/tcp")
	suffix := fmt.Sprintf(":%04X", number)
	for line := range strings.Lines(string(table)) {
		const local, inode = 1, 9
		if f := strings.Fields(line); len(f) > inode && strings.HasSuffix(f[local], suffix) && f[inode] != "0" {
			return "socket:[" + f[inode] + "]"
		}
	}
	return ""
}
