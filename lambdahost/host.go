package lambdahost

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Host runs functions. Its methods may be called from several goroutines.
type Host struct {
	config Config
	dir    string // private: shims, code from archives, an empty home folder
	// unzipped is how many bytes a function's archives may become.
	unzipped int64
	// An event that finds no place in starts, one for each process that initializes, waits so long.
	patience time.Duration
	starts   chan struct{}
	closing  chan struct{}
	tasks    sync.WaitGroup // invocations and what ends processes

	running atomic.Int64 // events under way

	node, python interpreter

	mu        sync.Mutex
	closed    bool
	functions map[string]*deployed // by name
	queued    map[*queued]struct{} // events that wait for another attempt
	stats     map[string]*Stats    // by name; they outlive versions
}

// New gives a host without functions. It must be closed.
func New(config Config) (*Host, error) {
	dir, err := os.MkdirTemp("", "lambdahost-")
	if err != nil {
		return nil, fmt.Errorf("lambdahost: %w", err)
	}
	h := &Host{
		config: config.withDefaults(), dir: dir, unzipped: maxUnzipped, patience: startPatience,
		starts:  make(chan struct{}, maxStarts()),
		closing: make(chan struct{}), functions: map[string]*deployed{},
		queued: map[*queued]struct{}{}, stats: map[string]*Stats{},
	}
	if err := h.writeShims(); err != nil {
		return nil, errors.Join(fmt.Errorf("lambdahost: %w", err), os.RemoveAll(dir))
	}
	return h, nil
}

// Deploy makes a function known under its name, in place of one that was: events under way end on
// the old one, all later ones run on the new one. No process is started. The error says what of the
// function is wrong, or that there is no program for its runtime.
func (h *Host) Deploy(function Function) error {
	f, err := h.prepare(function)
	if err != nil {
		return fmt.Errorf("lambdahost: %s: %w", function.Name, err)
	}
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return errors.Join(ErrClosed, f.remove())
	}
	old := h.functions[f.Name]
	h.functions[f.Name] = f
	if h.stats[f.Name] == nil {
		h.stats[f.Name] = &Stats{}
	}
	f.stats = h.stats[f.Name]
	h.mu.Unlock()
	if old != nil {
		old.retire()
	}
	return nil
}

// Remove ends a function: later events find none of that name, those under way end.
func (h *Host) Remove(name string) {
	h.mu.Lock()
	old := h.functions[name]
	delete(h.functions, name)
	h.mu.Unlock()
	if old != nil {
		old.retire()
	}
}

// Functions gives the functions as they were deployed, with defaults, in no order.
func (h *Host) Functions() []Function {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Function, 0, len(h.functions))
	for _, f := range h.functions {
		all = append(all, f.Function)
	}
	return all
}

// ARN gives the name by which AWS would know a function, whether it is deployed or not.
func (h *Host) ARN(name string) string { return h.arn(name) }

func (h *Host) arn(name string) string {
	return "arn:aws:lambda:" + h.config.Region + ":" + h.config.Account + ":function:" + name
}

// Close ends all processes with all that they have started, and waits until they are gone. Events
// under way fail, and events that nobody waits for are dropped. The error is of removing files.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		h.tasks.Wait()
		return nil
	}
	h.closed = true
	close(h.closing)
	functions := h.functions
	h.functions = map[string]*deployed{}
	for q := range h.queued {
		if q.stop != nil { // others end with their attempt
			h.drop(q)
		}
	}
	h.mu.Unlock()
	for _, f := range functions {
		f.retire()
	}
	h.tasks.Wait()
	return os.RemoveAll(h.dir)
}

// begin counts an invocation that Close waits for.
func (h *Host) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.tasks.Add(1)
	return nil
}

// find gives the function that a name, a whole or partial ARN with or without qualifier means, and
// the ARN that it was invoked by.
func (h *Host) find(name, qualifier string) (*deployed, string, error) {
	name, inName := splitName(name)
	if qualifier != "" && inName != "" && qualifier != inName {
		return nil, "", &Error{
			Code: "InvalidParameterValueException", Status: http.StatusBadRequest,
			Message: "The derived qualifier from the function name does not match the specified" +
				" qualifier.",
		}
	}
	if qualifier == "" {
		qualifier = inName
	}
	h.mu.Lock()
	f := h.functions[name]
	h.mu.Unlock()
	if f == nil || !f.answersTo(qualifier) {
		return nil, "", h.notFound(name, qualifier)
	}
	arn := h.arn(name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return f, arn, nil
}

// splitName splits what may stand for a function: name, name:qualifier,
// account:function:name[:qualifier] or arn:aws:lambda:region:account:function:name[:qualifier].
func splitName(s string) (name, qualifier string) {
	if strings.HasPrefix(s, "arn:") {
		if parts := strings.SplitN(s, ":", 6); len(parts) == 6 {
			s = parts[5]
		}
	} else if _, rest, _ := strings.Cut(s, ":"); strings.HasPrefix(rest, "function:") {
		s = rest
	}
	name, qualifier, _ = strings.Cut(strings.TrimPrefix(s, "function:"), ":")
	return name, qualifier
}

// Stats counts what a function has done since the host began, for metering.
type Stats struct {
	Invocations int64         // events that a process was given, retries too
	Errors      int64         // those of them that failed
	Throttles   int64         // refused for a limit of concurrency
	ColdStarts  int64         // processes started
	Billed      time.Duration // what AWS would bill for, in whole milliseconds an event
	Init        time.Duration // spent initializing
	// BilledMB is Billed times the memory configured, in MB: AWS's price is for GB-seconds.
	BilledMB time.Duration
	// LogBytes is what CloudWatch Logs would be sent: lines with their breaks, and lineOverhead each.
	LogBytes int64
}

// lineOverhead is what counts of a line besides its bytes (CloudWatch Logs API Reference,
// "PutLogEvents").
const lineOverhead = 26

// Stats gives the counts of each function by name, those of removed ones too.
func (h *Host) Stats() map[string]Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]Stats, len(h.stats))
	for name, s := range h.stats {
		all[name] = *s
	}
	return all
}

// count changes the counts of a function.
func (f *deployed) count(change func(*Stats)) {
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	change(f.stats)
}
