// Package checker tells whether what the clients of a fault test saw is what Confab promises.
//
// Clients write into a [History] what they send, what they are answered, what is pushed to them
// and what they show to a person; readers add the rooms' logs as they are at the end. Then
// [History.Check] compares all of it, and [History.Linear] asks whether one order of the appends
// and reads explains every answer. The package knows no other one of the module, so that the
// clients may be goroutines on a store as well as programs on a network.
//
//	h := checker.New()
//	alice := h.Client("alice")
//	alice.Follow("lobby", 0)           // shows the lobby from number 1 on
//	try := alice.Send("lobby", "m1", "hi")
//	try.Ack(1)                         // or Nack or Unknown; nothing is as Unknown
//	alice.Push("lobby", entry)         // each frame as it came
//	alice.Show("lobby", entry)         // once, in order
//	h.Log("lobby", entries)            // once or more, by several readers
//	t.Log(h.Check().Line(faults, seed))
package checker

import "sync"

// Entry is a number of a room's log.
type Entry struct {
	Seq     uint64
	From    string
	ID      string
	Text    string
	Void    bool // the number was never used: nothing else counts
	Deleted bool // the text is gone: From and ID may be empty
}

// same tells whether two entries can be what one number is. A tombstone is the same as the
// message that it was.
func (e Entry) same(other Entry) bool {
	switch {
	case e.Seq != other.Seq || e.Void != other.Void:
		return false
	case e.Void || e.Deleted || other.Deleted:
		return true
	}
	return e == other
}

// History is what the clients of one test have seen. It is safe for concurrent use; its times are
// the order in which it was told, so that it serves virtual time as well.
type History struct {
	mu      sync.Mutex
	clock   int64
	clients []*Client
	sends   []*Send
	reads   []*Read
	logs    map[string][][]Entry // by room, one by each reader
}

// New makes an empty history.
func New() *History { return &History{logs: map[string][][]Entry{}} }

// tick gives the next moment. The caller holds mu.
func (h *History) tick() int64 {
	h.clock++
	return h.clock
}

// Client adds a client of a user; a user may have several.
func (h *History) Client(user string) *Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &Client{h: h, user: user, number: len(h.clients) + 1, views: map[string]*view{}}
	h.clients = append(h.clients, c)
	return c
}

// Log adds a room's whole log, from number 1, as a reader found it when all sends had ended. Every
// room that was sent to or followed needs one; those of several readers must agree.
func (h *History) Log(room string, log []Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logs[room] = append(h.logs[room], log)
}

// Client records what one client does and sees.
type Client struct {
	h      *History
	user   string
	number int
	views  map[string]*view

	stopped bool
}

// view is one room at one client.
type view struct {
	after   uint64 // the number before the first that is to be shown
	until   uint64 // the last that is to be shown; ended tells that there is one
	ended   bool
	shown   []Entry
	pushed  []Entry
	resumes int
}

// view gives the client's view of a room, which ends before the first number until the client
// follows it. The caller holds mu.
func (c *Client) view(room string) *view {
	v := c.views[room]
	if v == nil {
		v = &view{ended: true}
		c.views[room] = v
	}
	return v
}

// Follow says that the client is in the room and has to show every number above after. A room
// that is pushed or shown without it is a fault of isolation. Of one who leaves and joins again
// the second stay is another Client's.
func (c *Client) Follow(room string, after uint64) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	v := c.view(room)
	v.after, v.ended = after, false
}

// Unfollow says that the client has left the room and must not see a number above until.
func (c *Client) Unfollow(room string, until uint64) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	v := c.view(room)
	v.until, v.ended = until, true
}

// Stop says that the client has died: what it has not shown by then is not missed.
func (c *Client) Stop() {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.stopped = true
}

// Push records a pushed frame of a room. Pushes may be lost, doubled and reordered, but never
// wrong.
func (c *Client) Push(room string, e Entry) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	v := c.view(room)
	v.pushed = append(v.pushed, e)
}

// Show records what the client shows to a person.
func (c *Client) Show(room string, e Entry) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	v := c.view(room)
	v.shown = append(v.shown, e)
}

// Resume records that the client came back and asked for what follows the number after, which
// must be the last that it has shown.
func (c *Client) Resume(room string, after uint64) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	v := c.view(room)
	v.resumes++
	v.shown = append(v.shown, Entry{Seq: after, ID: resumeMark})
}

// resumeMark is the ID of what stands among the shown for a resume. No message has it: an id has
// at most 64 bytes.
const resumeMark = "resume mark: longer than the id of any message that a server would accept"

// outcome is how an attempt to send ended.
type outcome uint8

const (
	open outcome = iota
	acked
	nacked
)

// Send is one attempt to send a message. An attempt that is told no outcome may have stored.
type Send struct {
	h           *History
	room        string
	entry       Entry // with the acked number
	call, ended int64
	outcome     outcome
}

// Send records the start of an attempt to send. A retry is another attempt with the same id.
func (c *Client) Send(room, id, text string) *Send {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	s := &Send{
		h: c.h, room: room, call: c.h.tick(),
		entry: Entry{From: c.user, ID: id, Text: text},
	}
	c.h.sends = append(c.h.sends, s)
	return s
}

// Ack records the sender's own copy of the message, as first or as duplicate.
func (s *Send) Ack(seq uint64) {
	s.end(acked)
	s.entry.Seq = seq
}

// Nack records an answer that promises that nothing was stored.
func (s *Send) Nack() { s.end(nacked) }

// Unknown records that no answer came, or one that does not tell.
func (s *Send) Unknown() { s.end(open) }

func (s *Send) end(o outcome) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	s.outcome, s.ended = o, s.h.tick()
}

// Read is one reading of a room's log.
type Read struct {
	h           *History
	room        string
	after       uint64
	entries     []Entry
	more        bool
	call, ended int64 // ended 0: no answer came
}

// Read records the start of a reading of what follows the number after.
func (c *Client) Read(room string, after uint64) *Read {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	r := &Read{h: c.h, room: room, after: after, call: c.h.tick()}
	c.h.reads = append(c.h.reads, r)
	return r
}

// Done records the answer; more tells that it may end before the log does.
func (r *Read) Done(entries []Entry, more bool) {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	r.entries, r.more, r.ended = entries, more, r.h.tick()
}
