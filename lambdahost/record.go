package lambdahost

import (
	"fmt"
	"strings"
	"time"
)

// Kind tells who has written a record, and what for.
type Kind string

// The kinds of records.
const (
	KindOutput  Kind = "output"  // a line that the function has written
	KindInit    Kind = "init"    // INIT_START and INIT_REPORT
	KindStart   Kind = "start"   // START
	KindEnd     Kind = "end"     // END
	KindReport  Kind = "report"  // REPORT, with figures
	KindFault   Kind = "fault"   // why Lambda has ended the process: a timeout, an exit
	KindDropped Kind = "dropped" // an event that nobody waits for is given up
)

// Record is a line of a function's log.
type Record struct {
	Time     time.Time
	Function string // its name
	Version  string
	Stream   string // the process's log stream
	// RequestID is of the event under way or, while a process initializes, of the one that waits
	// for it. It is empty between events.
	RequestID string
	Kind      Kind
	Text      string  // without a line break, at most 256 KiB: a longer line comes in pieces
	Report    *Report // of KindReport
}

// Report has the figures of an invocation.
type Report struct {
	Duration time.Duration // of the invocation, without initialization
	Billed   time.Duration // what AWS would bill: with initialization, in whole milliseconds
	Init     time.Duration // 0 where the process was there
	// MemoryMB is the most that the process has used so far; 0 where the system does not say (only
	// Linux does).
	MemoryMB int
	Status   string // "", "error" or "timeout"
	Error    string // the error's type, as Runtime.ExitError
}

// billed is what AWS charges for a time (Lambda pricing: rounded up to the millisecond).
func billed(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

// milliseconds writes a time as REPORT lines do.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// line writes the figures as a REPORT line.
func (r *Report) line(requestID string, memoryMB int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %s\tBilled Duration: %d ms\t",
		requestID, milliseconds(r.Duration), r.Billed.Milliseconds())
	fmt.Fprintf(&b, "Memory Size: %d MB\t", memoryMB)
	if r.MemoryMB > 0 {
		fmt.Fprintf(&b, "Max Memory Used: %d MB\t", r.MemoryMB)
	}
	if r.Init > 0 {
		fmt.Fprintf(&b, "Init Duration: %s\t", milliseconds(r.Init))
	}
	if r.Status != "" {
		fmt.Fprintf(&b, "Status: %s\t", r.Status)
	}
	if r.Error != "" {
		fmt.Fprintf(&b, "Error Type: %s\t", r.Error)
	}
	return b.String()
}
