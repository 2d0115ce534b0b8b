package lambdahost

import (
	"encoding/json"
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
	taken, answered, completed bool
	answer                     outcome
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

// run gives an event to a process and waits for its end. The error is ErrClosed.
func (f *deployed) run(inv *invocation) (outcome, error) {
	for {
		sb, free := f.acquire()
		var initTime time.Duration // of a process that was started for this event
		if sb == nil {
			var failed *outcome
			sb, failed = f.cold(inv)
			free()
			if failed != nil {
				return *failed, f.host.over()
			}
			initTime = sb.initTime
		}
		result, ended := sb.handle(inv, initTime)
		switch ended {
		case reusable:
			f.release(sb)
			return result, nil
		case used:
			if inv.answered {
				return result, nil
			}
			return result, f.host.over()
		}
	}
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

// What has become of a process that was to take an event.
type ending int

const (
	reusable ending = iota // it asks for the next one
	used                   // it is gone
	missed                 // it was gone before it could take the event
)

// handle gives the process an event and waits until it is done with it, or gone.
func (sb *sandbox) handle(inv *invocation, initTime time.Duration) (result outcome, end ending) {
	if sb.gone() {
		return result, missed
	}
	clock, freeze := sb.fn.host.config.Clock, sb.fn.host.config.Freeze
	begin := clock.Now()
	inv.deadline = begin.Add(sb.fn.limit())
	sb.mu.Lock()
	sb.current = inv
	sb.mu.Unlock()
	sb.write(KindStart, sb.fn.startLine(inv), nil)
	if freeze {
		sb.tree.thaw()
	}
	late, stop := sb.fn.deadline(sb.fn.Timeout)
	defer stop()
	sb.events <- inv
	end = used
	select {
	case <-inv.done:
		end = reusable
		sb.out.flush()
	case <-sb.exited:
		if initTime == 0 && !sb.took(inv) { // it has ended while it was idle
			return result, missed
		}
		result = fault(inv, "Runtime.ExitError", sb.exitReason())
	case <-late:
		result = sb.timedOut(inv)
	case <-sb.fn.host.closing:
		result = outcome{failed: true}
	}
	took := clock.Now().Sub(begin)
	if end == used {
		sb.stop()
	}
	sb.mu.Lock()
	inv.completed = true
	if inv.answered { // whatever came afterwards
		result = inv.answer
	}
	sb.mu.Unlock()
	sb.finish(inv, result, took, initTime)
	return result, end
}

// gone tells whether the process has ended.
func (sb *sandbox) gone() bool {
	select {
	case <-sb.exited:
		return true
	default:
		return false
	}
}

// took tells whether the process has been given the event.
func (sb *sandbox) took(inv *invocation) bool {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return inv.taken
}

// limit is the time that an event has.
func (f *deployed) limit() time.Duration {
	if f.Debug {
		return MaxTimeout
	}
	return f.Timeout
}

// deadline gives a channel that is closed after a time, unless stop is called before.
func (f *deployed) deadline(after time.Duration) (late chan struct{}, stop func() bool) {
	late = make(chan struct{})
	if f.Debug { // who looks at a process in a debugger takes time
		return late, func() bool { return true }
	}
	return late, f.host.config.Clock.AfterFunc(after, func() { close(late) })
}

// startLine is the first line of an event's log.
func (f *deployed) startLine(inv *invocation) string {
	return "START RequestId: " + inv.id + " Version: " + f.Version
}

// timedOut is the outcome of an event whose time is over.
func (sb *sandbox) timedOut(inv *invocation) outcome {
	now := sb.fn.host.config.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return failure("timeout", "Sandbox.Timedout", fmt.Sprintf(
		"%s %s Task timed out after %.2f seconds", now, inv.id, sb.fn.Timeout.Seconds()))
}

// finish writes the last lines of an event and counts it.
func (sb *sandbox) finish(
	inv *invocation, result outcome, took, initTime time.Duration,
) {
	report := &Report{
		Duration: took, Billed: billed(took + initTime), Init: initTime,
		MemoryMB: sb.used(), Status: result.status,
	}
	if result.status == "error" {
		report.Error = result.kind
	}
	switch result.kind {
	case "Sandbox.Timedout", "Runtime.ExitError", "Runtime.InvalidEntrypoint":
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
	if sb.tree != nil {
		sb.memory = max(sb.memory, sb.tree.memory())
	}
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
