package rehearsal

import (
	"io"
	"strings"
	"sync"
	"time"
)

// Bounds of what a journal keeps.
const (
	maxEntries  = 2000
	maxLogBytes = 64 << 10 // of one invocation's log
	maxLogs     = 16 << 20 // of all of them
	maxPushes   = 200      // of one invocation, that are listed
)

// Journal prints what happens and keeps the last of it.
type Journal struct {
	out io.Writer
	now func() time.Time

	mu      sync.Mutex
	entries []*Entry // oldest first
	byID    map[string]*Entry
	calls   map[string]*Call // under way, and those of entries, by id of Lambda's and by trace
	logs    int              // bytes
}

// NewJournal makes an empty one that prints to out.
func NewJournal(out io.Writer, now func() time.Time) *Journal {
	return &Journal{out: out, now: now, byID: map[string]*Entry{}, calls: map[string]*Call{}}
}

// Entry is one event of an API, or an invocation that none has caused.
type Entry struct {
	ID string
	At time.Time
	// Kind is CONNECT, MESSAGE or DISCONNECT, INVOKE of a function or CALL of @connections by
	// somebody.
	Kind       string
	API        string // logical id
	Stage      string
	Route      string
	Connection string
	Calls      []*Call
	Pushes     []Push // that no function here has made

	Status  string // of HTTP; "": it is still under way
	Took    time.Duration
	Reason  string // why it was not done
	Verdict string // of the authorizer

	ids []string // all that lead here
}

// Call is an invocation of a function.
type Call struct {
	Entry    *Entry
	Function string
	Role     string // authorizer, integration, invoked
	ID       string // of Lambda's
	trace    string
	Began    time.Time
	Ended    bool
	Error    string // what it failed with
	Figures  string // duration and memory
	Log      []string
	size     int // bytes of Log
	cut      bool
	Pushes   []Push
	more     int // pushes that are not listed
}

// Push is a call of @connections.
type Push struct {
	At         time.Time
	ID         string // of the call
	Method     string
	Connection string
	Bytes      int64
	Status     int
	Error      string // its type, as GoneException
}

// entry gives the entry of a request, a new one where there is none. j.mu is held.
func (j *Journal) entry(id, kind string) *Entry {
	if e := j.byID[id]; e != nil {
		return e
	}
	e := &Entry{ID: id, At: j.now(), Kind: kind}
	j.entries = append(j.entries, e)
	j.name(e, id)
	for len(j.entries) > maxEntries || j.logs > maxLogs && len(j.entries) > 1 {
		j.forget(j.entries[0])
		j.entries = j.entries[1:]
	}
	return e
}

// name lets an id lead to an entry. j.mu is held.
func (j *Journal) name(e *Entry, id string) {
	if id != "" && j.byID[id] == nil {
		j.byID[id] = e
		e.ids = append(e.ids, id)
	}
}

// forget drops an entry's ids and calls. j.mu is held.
func (j *Journal) forget(e *Entry) {
	for _, id := range e.ids {
		delete(j.byID, id)
	}
	for _, c := range e.Calls {
		delete(j.calls, c.ID)
		delete(j.calls, c.trace)
		j.logs -= c.size
	}
}

// Begin notes that a function is invoked, for the event of an API with the id, or for itself.
func (j *Journal) Begin(requestID string, c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	call := &c
	kind := "INVOKE"
	if requestID == "" {
		requestID = c.ID
	} else {
		kind = "" // the API tells
	}
	call.Entry, call.Began = j.entry(requestID, kind), j.now()
	call.Entry.Calls = append(call.Entry.Calls, call)
	if kind != "" {
		call.Entry.Route = c.Function
	}
	j.name(call.Entry, c.ID)
	j.calls[c.ID] = call
	if c.trace != "" {
		j.calls[c.trace] = call
	}
}

// End notes what an invocation has failed with, "" for nothing.
func (j *Journal) End(callID, failure string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.calls[callID]
	if c == nil {
		return
	}
	c.Ended, c.Error = true, failure
	if e := c.Entry; e.Kind == "INVOKE" {
		e.Status, e.Took = "done", j.now().Sub(c.Began)
		if failure != "" {
			e.Status, e.Reason = "failed", failure
		}
		j.print(e.ID, invokeLine(e, c))
	}
}

// Wrote keeps a line of a function's log and prints it.
func (j *Journal) Wrote(callID, function, line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := "-"
	if c := j.calls[callID]; c != nil {
		id = c.Entry.ID
		c.add(j, line)
	}
	j.print(id, "  "+function+" | "+line)
}

// add keeps a line as long as there is room.
func (c *Call) add(j *Journal, line string) {
	switch {
	case c.cut:
	case c.size+len(line) > maxLogBytes:
		c.cut = true
		c.Log = append(c.Log, "(the rest was not kept)")
	default:
		c.Log = append(c.Log, line)
		c.size += len(line)
		j.logs += len(line)
	}
}

// Figured notes how long an invocation took, and what it used.
func (j *Journal) Figured(callID, figures string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c := j.calls[callID]; c != nil {
		c.Figures = figures
	}
}

// Pushed notes a call of @connections: of the invocation with the trace, else of the function,
// whose newest invocation under way it is taken for, else of somebody else.
func (j *Journal) Pushed(p Push, trace, function string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p.At = j.now()
	c := j.calls[trace]
	if trace == "" || c == nil {
		c = j.newest(function)
	}
	if c == nil {
		e := j.entry(p.ID, "CALL")
		e.Route, e.Connection = p.Method+" @connections", p.Connection
		e.Status, e.Pushes = pushResult(p), append(e.Pushes, p)
		j.print(p.ID, pushLine(p))
		return
	}
	j.name(c.Entry, p.ID)
	if len(c.Pushes) < maxPushes {
		c.Pushes = append(c.Pushes, p)
	} else {
		c.more++
	}
	j.print(c.Entry.ID, "  "+pushLine(p))
}

// newest gives the invocation of a function that began last of those under way. j.mu is held.
func (j *Journal) newest(function string) *Call {
	for i := len(j.entries) - 1; i >= 0 && function != ""; i-- {
		for _, c := range j.entries[i].Calls {
			if c.Function == function && !c.Ended {
				return c
			}
		}
	}
	return nil
}

// Refused notes what was refused before it came to an event.
func (j *Journal) Refused(trace, function, sentence string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.calls[trace]
	if trace == "" || c == nil {
		c = j.newest(function)
	}
	id, who := "-", "refused: "
	if c != nil {
		id = c.Entry.ID
		c.add(j, "refused: "+sentence)
		who = "  " + c.Function + " was refused: "
	}
	j.print(id, who+sentence)
}

// Find gives the report of the request with an id, of which the end or the padding may be missing
// as long as it is the only one.
func (j *Journal) Find(id string) (report string, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.byID[id]
	if e == nil && len(id) >= 6 {
		for known, candidate := range j.byID {
			if !strings.HasPrefix(known, id) || candidate == e {
				continue
			}
			if e != nil {
				return "", false
			}
			e = candidate
		}
	}
	if e == nil {
		return "", false
	}
	return e.report(), true
}

// Note prints a line that belongs to no request.
func (j *Journal) Note(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.print("-", text)
}

// started notes an invocation that no API has made.
func (j *Journal) started(callID, function string) {
	j.mu.Lock()
	known := j.calls[callID] != nil
	j.mu.Unlock()
	if !known {
		j.Begin("", Call{Function: function, Role: "invoked", ID: callID})
	}
}

// reported ends an invocation that no API has made; others end with their answer.
func (j *Journal) reported(callID, status, kind string) {
	j.mu.Lock()
	c := j.calls[callID]
	own := c != nil && c.Entry.Kind == "INVOKE"
	j.mu.Unlock()
	if own {
		failure := status
		if kind != "" {
			failure += ": " + kind
		}
		j.End(callID, failure)
	}
}

// warned prints what API Gateway merely tolerates in an answer, and keeps it with its request.
func (j *Journal) warned(requestID, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.byID[requestID]; e != nil && len(e.Calls) > 0 {
		e.Calls[len(e.Calls)-1].add(j, "warning: "+text)
	}
	j.print(requestID, "  warning: "+text)
}
