package lambdahost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// How initializing may end, but for the process being ready.
var (
	errInitTimeout = errors.New("initialization timed out")
	errInitFailed  = errors.New("initialization failed") // and the process has said why
	errExited      = errors.New("exited")
)

// cold starts a process and waits until it is initialized. Where that takes over 10 s it is done
// again in the event's own time (Developer Guide, "Lambda execution environment lifecycle"). The
// outcome is of an event that no process has come to.
func (f *deployed) cold(inv *invocation) (*sandbox, *outcome) {
	for limit, phase := InitTimeout, "init"; ; limit, phase = f.Timeout, "invoke" {
		sb := f.newSandbox(inv)
		err := sb.start()
		if err == nil {
			if err = sb.initialize(limit); err == nil {
				return sb, nil
			}
			sb.settle(err)
		}
		if result := sb.uninitialized(inv, err, phase); result != nil {
			return nil, result
		}
	}
}

// initialize waits until the process asks for its first event.
func (sb *sandbox) initialize(limit time.Duration) (err error) {
	clock := sb.fn.host.config.Clock
	begin := clock.Now()
	late, stop := sb.fn.deadline(limit)
	defer stop()
	select {
	case <-sb.ready:
		sb.out.flush()
	case <-sb.failed:
		err = errInitFailed
	case <-sb.exited:
		err = errExited
		if sb.initFailure() != nil {
			err = errInitFailed
		}
	case <-late:
		err = errInitTimeout
	case <-sb.fn.host.closing:
		err = ErrClosed
	}
	sb.initTime = clock.Now().Sub(begin)
	sb.fn.count(func(s *Stats) { s.ColdStarts++; s.Init += sb.initTime })
	return err
}

// settle ends a process that has not initialized. One that has said why ends by itself, and may
// still say more.
func (sb *sandbox) settle(err error) {
	if errors.Is(err, errInitFailed) {
		select {
		case <-sb.exited:
		case <-time.After(shutdownTime):
		}
	}
	sb.stop()
}

// uninitialized says what becomes of the event that has waited for a process in vain; nil: another
// one is tried.
func (sb *sandbox) uninitialized(inv *invocation, err error, phase string) *outcome {
	var result outcome
	switch {
	case errors.Is(err, errInitFailed):
		result = *sb.initFailure()
	case errors.Is(err, errExited):
		result = fault(inv, "Runtime.ExitError", sb.exitReason())
	case errors.Is(err, errInitTimeout):
		result = sb.timedOut(inv)
	case errors.Is(err, ErrClosed):
		return &outcome{failed: true}
	default:
		result = fault(inv, "Runtime.InvalidEntrypoint", sb.fn.startFailure(err))
	}
	text := fmt.Sprintf("INIT_REPORT Init Duration: %s\tPhase: %s\tStatus: %s",
		milliseconds(sb.initTime), phase, result.status)
	if result.status == "error" {
		text += "\tError Type: " + result.kind
	}
	sb.write(KindInit, text, nil)
	if errors.Is(err, errInitTimeout) && phase == "init" {
		return nil
	}
	sb.write(KindStart, sb.fn.startLine(inv), nil)
	sb.finish(inv, result, 0, sb.initTime)
	return &result
}

// startFailure says in Lambda's words why there is nothing to run.
func (f *deployed) startFailure(err error) string {
	language, _ := splitRuntime(f.Runtime)
	if language != provided || !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	text := "Couldn't find valid bootstrap(s): [" + filepath.Join(f.task, "bootstrap")
	if f.opt != "" {
		text += " " + filepath.Join(f.opt, "bootstrap")
	}
	if _, err := os.Stat(f.argv[0]); err == nil {
		text += "]: the interpreter or library that it names is not here"
		return text
	}
	return text + "]"
}

// initFailure is what the process has said to its initialization, or nil.
func (sb *sandbox) initFailure() *outcome {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.initAnswer
}
