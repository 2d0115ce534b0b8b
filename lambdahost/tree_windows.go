package lambdahost

import (
	"fmt"
	"os/exec"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is a process and what it has started: a job, which ends when its handle is closed, by this
// program or by its end.
type tree struct {
	mu  sync.Mutex
	job windows.Handle
}

// startTree starts a command in a job of its own.
func startTree(cmd *exec.Cmd) (*tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		windows.CloseHandle(job) //nolint:errcheck // nothing is in it
		return nil, err
	}
	if err := assign(job, cmd.Process.Pid); err != nil {
		cmd.Process.Kill()       //nolint:errcheck // it may have ended
		cmd.Wait()               //nolint:errcheck // it was killed
		windows.CloseHandle(job) //nolint:errcheck // nothing is in it
		return nil, fmt.Errorf("job: %w", err)
	}
	return &tree{job: job}, nil
}

// assign puts a process into a job.
func assign(job windows.Handle, pid int) error {
	const rights = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE
	process, err := windows.OpenProcess(rights, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process) //nolint:errcheck // the job has its own
	return windows.AssignProcessToJobObject(job, process)
}

// kill ends all processes of the job.
func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		windows.TerminateJobObject(t.job, 1) //nolint:errcheck // they have ended
	}
}

// freeze does nothing: Windows stops no processes.
func (*tree) freeze() {}

// thaw does nothing.
func (*tree) thaw() {}

// terminate does nothing: there is no SIGTERM.
func (*tree) terminate() {}

// memory is not known here.
func (*tree) memory() int { return 0 }

// end kills what is left when the process itself has ended.
func (t *tree) end() {
	t.kill()
	t.mu.Lock()
	defer t.mu.Unlock()
	windows.CloseHandle(t.job) //nolint:errcheck // it is ours
	t.job = 0
}
