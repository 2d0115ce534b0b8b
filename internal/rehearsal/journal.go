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
