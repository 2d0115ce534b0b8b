package lambdahost

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// childAttributes put a process into a group of its own and let it die with this one. The signal
// comes when the thread ends that has started the process; the runtime ends no thread that runs
// ordinary goroutines, as those are that start processes here.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// memory gives the most MB that the process has used, or 0 if it has ended.
func (t *tree) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	value, _, _ := bytes.Cut(bytes.TrimLeft(rest, " \t"), []byte(" kB"))
	kilobytes, err := strconv.Atoi(string(value))
	if err != nil {
		return 0
	}
	return (kilobytes + 1023) / 1024
}
