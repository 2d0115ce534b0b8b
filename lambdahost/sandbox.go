package lambdahost

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// sandbox is one process of a function, Lambda's execution environment, with its Runtime API.
type sandbox struct {
	fn     *deployed
	stream string // its log stream
	cmd    *exec.Cmd
	stdin  *os.File // its other end is the process's; nothing is ever written
	out    *output
	api    *http.Server
	tree   *tree // the process and all that it starts

	events chan *invocation // at most one, for who asks for the next
	ready  chan struct{}    // closed when the process first asks
	failed chan struct{}    // closed when it reports that it could not initialize
	exited chan struct{}    // closed when it is gone and all of its output has been read

	since    time.Time // it waits for events since then; under fn.mu
	initTime time.Duration
	memory   int // MB, the most so far; of who has the process

	mu         sync.Mutex
	current    *invocation // under way, or the one that it initializes for
	asked      bool        // ready is closed
	initAnswer *outcome    // set before failed is closed
	sigterm    bool        // it wants to be told before the end
}

// newSandbox makes what a process will be, for an invocation.
func (f *deployed) newSandbox(inv *invocation) *sandbox {
	return &sandbox{
		fn: f, stream: f.streamName(), current: inv, events: make(chan *invocation, 1),
		ready: make(chan struct{}), failed: make(chan struct{}), exited: make(chan struct{}),
	}
}

// start starts the process and its Runtime API.
func (sb *sandbox) start() error {
	sb.write(KindInit, sb.fn.initStart(), nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := sb.launch(listener.Addr().String()); err != nil {
		listener.Close()
		return err
	}
	sb.api = &http.Server{Handler: sb, ReadHeaderTimeout: time.Minute}
	sb.fn.host.tasks.Add(2)
	go func() {
		defer sb.fn.host.tasks.Done()
		sb.api.Serve(listener) //nolint:errcheck // it ends when it is closed
	}()
	go func() {
		defer sb.fn.host.tasks.Done()
		sb.wait()
	}()
	return nil
}

// launch starts the process itself.
func (sb *sandbox) launch(address string) error {
	read, stdin, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	sb.stdin = stdin
	if sb.out, err = newOutput(func(line string) { sb.write(KindOutput, line, nil) }); err != nil {
		stdin.Close()
		return err
	}
	for n := 0; n == 0 || n < busyTries && errors.Is(err, syscall.ETXTBSY); n++ {
		if n > 0 {
			time.Sleep(busyPause)
		}
		sb.cmd = sb.fn.newCommand(address, sb.stream)
		sb.cmd.Stdin, sb.cmd.Stdout, sb.cmd.Stderr = read, sb.out.w, sb.out.w
		sb.tree, err = startTree(sb.cmd)
	}
	if err != nil {
		stdin.Close()
		sb.out.close()
	}
	return err
}

// A bootstrap that has just been written cannot be run ("text file busy") while another process that
// was forked meanwhile still has it open: until it runs a program of its own, some microseconds.
const (
	busyTries = 200
	busyPause = 10 * time.Millisecond
)

// newCommand gives what is run, in its folder and with its environment.
func (f *deployed) newCommand(address, stream string) *exec.Cmd {
	cmd := exec.Command(f.argv[0], f.argv[1:]...)
	cmd.Dir = f.task
	cmd.Env = f.environment(address, stream)
	return cmd
}

// wait waits for the end of the process and ends what it has left behind.
func (sb *sandbox) wait() {
	sb.cmd.Wait() //nolint:errcheck // how it has ended is asked of the ProcessState
	sb.fn.discard(sb)
	sb.tree.end()
	sb.out.flush()
	sb.out.close()
	sb.stdin.Close()
	sb.api.Close() //nolint:errcheck // its listener is gone then
	close(sb.exited)
}

// stop ends the process and waits until it is gone.
func (sb *sandbox) stop() {
	sb.mu.Lock()
	polite := sb.sigterm
	sb.mu.Unlock()
	if polite {
		sb.tree.terminate()
		select {
		case <-sb.exited:
		case <-time.After(shutdownTime):
		}
	}
	sb.tree.kill()
	<-sb.exited
}

// shutdownTime is what a process has that asked for SIGTERM (Developer Guide, "Lambda execution
// environment lifecycle", Shutdown phase with a registered internal extension).
const shutdownTime = 500 * time.Millisecond

// exitReason says in Lambda's words how the process has ended, which it has.
func (sb *sandbox) exitReason() string {
	if state := sb.cmd.ProcessState; state != nil && !state.Success() {
		return "Runtime exited with error: " + state.String()
	}
	return "Runtime exited without providing a reason"
}

// rest marks the process as idle, and stops it where the host freezes.
func (sb *sandbox) rest(now time.Time) {
	sb.since = now
	if sb.fn.host.config.Freeze {
		sb.tree.freeze()
	}
}

// write gives a line to the host's log and to the tail of the event under way.
func (sb *sandbox) write(kind Kind, text string, report *Report) {
	id := ""
	sb.mu.Lock()
	if sb.current != nil {
		id = sb.current.id
		sb.current.tail.add(text)
	}
	sb.mu.Unlock()
	sb.fn.count(func(s *Stats) { s.LogBytes += int64(len(text) + len("\n") + lineOverhead) })
	sb.fn.log(Record{Stream: sb.stream, RequestID: id, Kind: kind, Text: text, Report: report})
}

// log gives a record to the host's log.
func (f *deployed) log(r Record) {
	if log := f.host.config.Log; log != nil {
		r.Time, r.Function, r.Version = f.host.config.Clock.Now(), f.Name, f.Version
		log(r)
	}
}

// streamName makes a log stream's name (Developer Guide, "Log streams").
func (f *deployed) streamName() string {
	day := f.host.config.Clock.Now().UTC().Format("2006/01/02")
	return day + "/[" + f.Version + "]" + randomHex(16)
}
