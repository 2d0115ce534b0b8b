package lambdahost

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// invocation is one event on its way through a process.
type invocation struct {
	id, arn, traceID, clientContext string
	event                           []byte
	tail                            *tail
	deadline                        time.Time
	// done is closed when it is answered and the process asks for the next.
	done chan struct{}

	// Under the sandbox's mu until done is closed or the process is gone.
	answered, completed bool
	answer              outcome
}

// outcome is how an invocation has ended.
type outcome struct {
	payload []byte
	failed  bool   // payload is an error object
	status  string // as in Report
	kind    string // of error, as in Report
}

// failure is an outcome that Lambda itself describes.
func failure(status, kind, message string) outcome {
	return outcome{payload: errorPayload(kind, message), failed: true, status: status, kind: kind}
}

// fault is the outcome of an event whose process could not start, or has ended.
func fault(inv *invocation, kind, reason string) outcome {
	return failure("error", kind, "RequestId: "+inv.id+" Error: "+reason)
}

// run gives an event to a process and waits for its end.
func (f *deployed) run(inv *invocation) (outcome, error) {
	sb, free := f.acquire()
	var begun time.Duration // what initializing took
	if sb == nil {
		var failed *outcome
		sb, failed = f.cold(inv)
		free()
		if failed != nil {
			return *failed, f.host.over()
		}
		begun = sb.initTime
	}
	result, reusable := sb.handle(inv, begun)
	if reusable {
		f.release(sb)
	} else {
		sb.stop()
	}
	if !inv.answered {
		return result, f.host.over()
	}
	return result, nil
}

// over is ErrClosed once the host is being closed.
func (h *Host) over() error {
	select {
	case <-h.closing:
		return ErrClosed
	default:
		return nil
	}
}

// cold starts a process and waits until it is initialized. Where that takes over 10 s it is done
// again as part of the event's own time (Developer Guide, "Lambda execution environment lifecycle").
func (f *deployed) cold(inv *invocation) (*sandbox, *outcome) {
	for limit, phase := InitTimeout, "init"; ; limit, phase = f.Timeout, "invoke" {
		sb, err := f.start(inv)
		if err != nil {
			result := fault(inv, "Runtime.InvalidEntrypoint", err.Error())
			f.log(Record{RequestID: inv.id, Kind: KindFault, Text: message(result.payload)})
			return nil, &result
		}
		if err = sb.initialize(limit); err == nil {
			return sb, nil
		}
		if result := sb.uninitialized(inv, err, phase); result != nil {
			return nil, result
		}
	}
}

// uninitialized ends a process that has not come to its first event, and says what becomes of the
// one that waits for it; nil: it is tried once more.
func (sb *sandbox) uninitialized(inv *invocation, err error, phase string) *outcome {
	if errors.Is(err, errInitFailed) {
		select { // it ends by itself and may still say something
		case <-sb.exited:
		case <-time.After(shutdownTime):
		}
	}
	sb.stop()
	var result outcome
	switch {
	case errors.Is(err, errInitFailed):
		result = sb.answerOfInit()
	case errors.Is(err, errExited):
		result = fault(inv, "Runtime.ExitError", sb.exitReason())
		sb.write(KindFault, message(result.payload), nil)
	default:
		result = sb.timedOut(inv)
	}
	text := fmt.Sprintf("INIT_REPORT Init Duration: %s\tPhase: %s\tStatus: %s",
		milliseconds(sb.initTime), phase, result.status)
	if result.status == "error" {
		text += "\tError Type: " + result.kind
	}
	sb.write(KindInit, text, nil)
	if errors.Is(err, errInitTimeout) && phase == "init" && sb.fn.host.over() == nil {
		return nil
	}
	sb.write(KindStart, "START RequestId: "+inv.id+" Version: "+sb.fn.Version, nil)
	sb.finish(inv, result, 0, sb.initTime)
	return &result
}

// answerOfInit is what the process has said to its initialization.
func (sb *sandbox) answerOfInit() outcome {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.initAnswer
}

// handle gives the process an event, and tells whether it can take another one afterwards.
func (sb *sandbox) handle(inv *invocation, initTime time.Duration) (result outcome, reusable bool) {
	clock := sb.fn.host.config.Clock
	begin := clock.Now()
	inv.deadline = begin.Add(sb.fn.Timeout)
	sb.mu.Lock()
	sb.current = inv
	sb.mu.Unlock()
	sb.write(KindStart, "START RequestId: "+inv.id+" Version: "+sb.fn.Version, nil)
	if sb.fn.host.config.Freeze {
		sb.tree.thaw()
	}
	sb.events <- inv
	late := make(chan struct{})
	defer clock.AfterFunc(sb.fn.Timeout, func() { close(late) })()
	select {
	case <-inv.done:
		reusable = true
		sb.out.flush()
	case <-sb.exited:
		result = fault(inv, "Runtime.ExitError", sb.exitReason())
	case <-late:
		result = sb.timedOut(inv)
	case <-sb.fn.host.closing:
	}
	took := clock.Now().Sub(begin)
	if !reusable {
		sb.stop()
	}
	sb.mu.Lock()
	inv.completed = true
	if inv.answered { // whatever came afterwards
		result = inv.answer
	}
	sb.mu.Unlock()
	sb.finish(inv, result, took, initTime)
	return result, reusable
}

// timedOut is the outcome of an event whose time is over.
func (sb *sandbox) timedOut(inv *invocation) outcome {
	now := sb.fn.host.config.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return failure("timeout", "Sandbox.Timedout",
		fmt.Sprintf("%s %s Task timed out after %.2f seconds", now, inv.id, sb.fn.Timeout.Seconds()))
}

// finish writes the last lines of an event and counts it.
func (sb *sandbox) finish(inv *invocation, result outcome, took, initTime time.Duration) {
	report := &Report{
		Duration: took, Billed: billed(took + initTime), Init: initTime,
		MemoryMB: sb.used(), Status: result.status, Error: result.kind,
	}
	if strings.HasPrefix(result.kind, "Sandbox.") {
		report.Error = ""
	}
	if result.status == "timeout" || result.kind == "Runtime.ExitError" {
		sb.write(KindFault, message(result.payload), nil)
	}
	sb.write(KindEnd, "END RequestId: "+inv.id, nil)
	sb.write(KindReport, report.line(inv.id, sb.fn.MemoryMB), report)
	sb.mu.Lock()
	sb.current = nil
	sb.mu.Unlock()
	sb.fn.count(func(s *Stats) {
		s.Invocations++
		if result.failed {
			s.Errors++
		}
		s.Billed += report.Billed
		s.BilledMB += report.Billed * time.Duration(sb.fn.MemoryMB)
	})
}

// used gives the most memory that the process has used, in MB.
func (sb *sandbox) used() int {
	sb.memory = max(sb.memory, sb.tree.memory())
	return sb.memory
}

// message is the text of an error object.
func message(payload []byte) string {
	var e struct{ ErrorMessage string }
	json.Unmarshal(payload, &e) //nolint:errcheck // what is no error object has no message
	return e.ErrorMessage
}

// errorType is the type of an error object.
func errorType(payload []byte) string {
	var e struct{ ErrorType string }
	json.Unmarshal(payload, &e) //nolint:errcheck // what is no error object has no type
	return e.ErrorType
}

// knownType is what Lambda takes for the type of an error; others are unknown to it.
var knownType = regexp.MustCompile(`^(Runtime|Function)\.[A-Z][a-zA-Z]+$`)

// reportedType is how REPORT lines name an error that a runtime has given a type.
func reportedType(kind string) string {
	switch {
	case knownType.MatchString(kind):
		return kind
	case strings.HasPrefix(kind, "Runtime."):
		return "Runtime.Unknown"
	}
	return "Function.Unknown"
}
