package client

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/confab-chat/confab/wire"
)

// reserved begins the ids of requests, so that they never are those of messages.
const reserved = "~"

// requests are the actions that wait for an answer, beside messages. They are guarded by the
// client's mutex.
type requests struct {
	last  uint64
	byID  map[string]*request
	order []*request
}

// request is one of them.
type request struct {
	action action
	frame  []byte // as it is sent
	once   bool   // repeating it would do it twice
	link   *link  // that it was sent on; nil: it is to be sent
	sent   time.Time
	answer chan wire.Event
}

func newRequests() requests { return requests{byID: map[string]*request{}} }

func (rs *requests) newID() string {
	rs.last++
	return reserved + strconv.FormatUint(rs.last, 10)
}

// add takes an action, and refuses one that would end the connection.
func (rs *requests) add(a action, once bool) (*request, error) {
	a.ID = rs.newID()
	frame, err := a.encode()
	if err != nil {
		return nil, err
	}
	r := &request{action: a, frame: frame, once: once, answer: make(chan wire.Event, 1)}
	rs.byID[a.ID] = r
	rs.order = append(rs.order, r)
	return r, nil
}

func (rs *requests) remove(r *request) {
	delete(rs.byID, r.action.ID)
	if i := slices.Index(rs.order, r); i >= 0 {
		rs.order = slices.Delete(rs.order, i, i+1)
	}
}

// answer answers a request, where that id is of one.
func (rs *requests) answer(id string, e wire.Event) {
	if r := rs.byID[id]; r != nil {
		rs.remove(r)
		r.answer <- e
	}
}

// joining counts the rooms that are being joined.
func (rs *requests) joining() int {
	n := 0
	for _, r := range rs.order {
		if r.action.Action == wire.JoinRoom {
			n++
		}
	}
	return n
}

// lost answers what was sent on a link and must not be sent on another one.
func (rs *requests) lost(l *link) {
	for _, r := range slices.Clone(rs.order) {
		if r.once && r.link == l {
			rs.answer(r.action.ID, wire.Failure{Code: wire.UnknownOutcome, Message: "connection lost"})
		}
	}
}

// ask sends the requests that wait.
func (c *Client) ask(l *link, d *dues) {
	for _, r := range c.requests.order {
		if r.link == l && (!c.waited(l, r.sent, d) || r.once) {
			continue
		}
		if r.link != nil && r.link != l && r.once {
			continue // its own link may still answer
		}
		r.link, r.sent = l, d.now
		d.frames = append(d.frames, r.frame)
		c.waited(l, r.sent, d)
	}
}

// request sends an action and waits for its answer. Unless it is to be done once it is repeated on
// the next connection, where one is lost.
func (c *Client) request(ctx context.Context, a action, once bool) (wire.Event, error) {
	c.mu.Lock()
	r, err := c.requests.add(a, once)
	c.poke()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case e := <-r.answer:
		if f, ok := e.(wire.Failure); ok {
			return nil, failure(f)
		}
		return e, nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.requests.remove(r)
		return nil, ctx.Err()
	case <-c.ended:
		return nil, c.Err()
	}
}
