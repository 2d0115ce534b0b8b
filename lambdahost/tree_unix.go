//go:build unix

package lambdahost

import (
	"os/exec"
	"sync"
	"syscall"
)

// tree is a process and what it has started, as far as that stays in its process group.
type tree struct {
	pid  int
	mu   sync.Mutex
	gone bool // the group is no longer ours: its number may be another's
}

// startTree starts a command in a process group of its own.
func startTree(cmd *exec.Cmd) (*tree, error) {
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &tree{pid: cmd.Process.Pid}, nil
}

// signal tells the whole group. A group that has ended takes no signals.
func (t *tree) signal(s syscall.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.gone {
		syscall.Kill(-t.pid, s) //nolint:errcheck // it has ended
	}
}

func (t *tree) kill()   { t.signal(syscall.SIGKILL) }
func (t *tree) freeze() { t.signal(syscall.SIGSTOP) }
func (t *tree) thaw()   { t.signal(syscall.SIGCONT) }

// terminate asks the group to end. What is stopped hears it when it goes on.
func (t *tree) terminate() {
	t.signal(syscall.SIGTERM)
	t.thaw()
}

// end kills what is left when the process itself has ended.
func (t *tree) end() {
	t.kill()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
}
