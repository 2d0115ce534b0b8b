package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/confab-chat/confab/internal/sim/checker"
)

// followed is a room at a client.
type followed struct {
	name, epoch string
	joined      bool
	last        uint64 // the number up to which everything is shown
	held        map[uint64]checker.Entry
	fetching    bool
	asked       time.Time // since when
	reading     *checker.Read
	readID      string // of the reading: answers of earlier ones may come again
}

func newFollowed(name string) *followed {
	return &followed{name: name, held: map[uint64]checker.Entry{}}
}

// greet begins a connection: hello with the cursors, then what the client is not in yet is joined.
func (c *Client) greet() {
	type cursor struct {
		Epoch string `json:"epoch"`
		Seq   uint64 `json:"seq"`
	}
	cursors := map[string]cursor{}
	for name, r := range c.rooms {
		r.fetching, r.reading = false, nil
		if r.joined {
			cursors[name] = cursor{r.epoch, r.last}
			c.book.Resume(name, r.last)
		}
	}
	resume, err := json.Marshal(cursors)
	if err != nil {
		c.seen.Problems = append(c.seen.Problems, err)
	}
	c.send(`{"action":"hello","id":"hello","resume":%s}`, resume)
	c.joinRest()
	c.outbox.repeat()
	c.sendWaiting()
}

// joinRest joins the rooms that the client is not in yet. An answer may be lost, so it is asked for
// again where that is expected.
func (c *Client) joinRest() {
	c.joinAt = time.Now().Add(c.o.Answer / 5)
	for _, name := range c.o.Rooms {
		if !c.rooms[name].joined {
			c.send(`{"action":"joinRoom","id":"join","room":%q}`, name)
		}
	}
}

// take is called with each event.
func (c *Client) take(f *Frame) error {
	r := c.rooms[f.Room]
	switch f.Event {
	case "welcome":
		c.seen.Welcomes++
		if !c.left.IsZero() {
			c.seen.Gaps = append(c.seen.Gaps, time.Since(c.left))
		}
	case "joined":
		c.join(r, f)
	case "message":
		c.book.Push(f.Room, f.entry())
		if r != nil {
			c.show(r, f.entry())
		}
		if f.From == c.o.User {
			c.acknowledged(f)
		}
	case "history":
		c.page(r, f)
	case "resumed":
		if f.More {
			c.fetch(r)
		}
	case "pong":
		for _, head := range f.Rooms {
			c.behind(c.rooms[head.Room], head.Seq)
		}
	case "resync":
		c.seen.Resyncs++
		c.behind(r, f.Seq)
	case "reset":
		c.seen.Resets++
	case "reconnect":
		c.seen.Reconnects = append(c.seen.Reconnects, time.Duration(f.AfterMs)*time.Millisecond)
		return errLeave
	case "error", "": // "" is the gateway's own: some event has failed
		c.failed(f)
	}
	return nil
}

// again has everything asked for again that has no answer, since what has failed is not told. It is
// asked for at a heartbeat, on the same connection: where one event in two fails, few connections
// would see all of theirs succeed.
func (c *Client) again() {
	if c.o.Answer == 0 {
		return
	}
	c.joinAt = time.Now()
	c.outbox.lost()
	for _, r := range c.rooms {
		r.fetching, r.reading = false, nil
	}
}

// passing tells whether a refusal says nothing but that something has failed inside.
func (c *Client) passing(f *Frame) bool { return c.o.Answer > 0 && f.Code == "internal" }

func (c *Client) join(r *followed, f *Frame) {
	if r == nil || r.joined {
		return
	}
	r.joined, r.epoch, r.last = true, f.Epoch, f.Seq
	c.book.Follow(r.name, r.last)
	if c.joined++; c.joined == len(c.o.Rooms) {
		c.sendWaiting()
	}
}

func (c *Client) failed(f *Frame) {
	if f.Event == "" {
		c.again()
		return
	}
	if s := c.outbox.open[f.ID]; s != nil {
		c.refused(s, f)
		return
	}
	failing := f.Code == "unavailable" || f.Code == "unknown_outcome" || c.passing(f)
	if c.o.Answer > 0 && failing {
		c.again()
		return
	}
	c.seen.Problems = append(c.seen.Problems, fmt.Errorf("%s got %s", c.o.User, f.Raw))
}

// show shows an entry if it is the next one, and what was held for it. One that comes too early is
// held, and what is missing is fetched.
func (c *Client) show(r *followed, e checker.Entry) {
	if !r.joined || e.Seq <= r.last {
		return
	}
	r.held[e.Seq] = e
	for {
		next, ok := r.held[r.last+1]
		if !ok {
			break
		}
		delete(r.held, next.Seq)
		r.last = next.Seq
		c.book.Show(r.name, next)
	}
	if len(r.held) > 0 {
		c.fetch(r)
	}
}

// behind fetches what is missing up to a number.
func (c *Client) behind(r *followed, seq uint64) {
	if r != nil && r.joined && seq > r.last {
		c.fetch(r)
	}
}

func (c *Client) fetch(r *followed) {
	if r == nil || r.fetching {
		return
	}
	r.fetching, r.asked = true, time.Now()
	c.send(`{"action":"history","id":"fetch","room":%q,"after":%d,"limit":200}`, r.name, r.last)
}

// readBack is how far before what it has shown a reading begins.
const readBack = 20

// read reads the end of the log for the checker.
func (c *Client) read(r *followed) {
	if r.reading != nil {
		return
	}
	after := r.last - min(r.last, readBack)
	r.reading = c.book.Read(r.name, after)
	c.reads++
	r.readID = fmt.Sprintf("read-%d", c.reads)
	c.send(`{"action":"history","id":%q,"room":%q,"after":%d,"limit":200}`, r.readID, r.name, after)
}

// page takes a page of history.
func (c *Client) page(r *followed, f *Frame) {
	if r == nil {
		return
	}
	entries := make([]checker.Entry, len(f.Messages))
	for i := range f.Messages {
		entries[i] = f.Messages[i].entry()
	}
	if strings.HasPrefix(f.ID, "read-") {
		if r.reading != nil && f.ID == r.readID {
			r.reading.Done(entries, f.More)
			r.reading = nil
		}
		return
	}
	before := r.last
	r.fetching = true // no page is asked for within this one
	for _, e := range entries {
		c.show(r, e)
	}
	r.fetching = false
	if f.More && r.last > before {
		c.fetch(r)
	}
}
