//go:build unix

package rehearsal

import (
	"os/exec"
	"syscall"
)

// apart lets a command have a process group of its own, that is interrupted as a whole; end kills
// what is left of it.
func apart(cmd *exec.Cmd) (end func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	return func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // there may be nobody left
		}
	}
}
