package gateway

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/confab-chat/confab/connections"
)

// posting is what a post needs while it runs: targets are looked up some at a time, so that no
// lock is held while writing.
type posting struct {
	found [16]*connection
	sum   [gone + 1]int
}

var postings = sync.Pool{New: func() any { return new(posting) }}

// Post sends the frames, each a text message, in order to every target, the first target first. It
// does not wait for clients: what a slow one has no room for is dropped and counted. gone are the
// targets without an open connection; unsent, of other endpoints only, are those that were not
// reached before 80 % of ctx's time, or 5 s, was over. A frame over [connections.MaxPayload] bytes
// fails the whole post before anything is sent. The frames may be reused on return.
func (a *API) Post(ctx context.Context, to []connections.Target, frames [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	for _, f := range frames {
		if len(f) > connections.MaxPayload {
			return nil, nil, connections.ErrTooLarge
		}
	}
	if len(to) == 0 || len(frames) == 0 {
		return nil, nil, nil
	}
	if !a.own(to[0]) {
		gone, unsent, err = a.remote.post(ctx, a, to[:1], frames)
		to = to[1:]
	}
	g, others := a.postOwn(to, frames)
	gone = append(gone, g...)
	if !others {
		return gone, unsent, err
	}
	rest := slices.DeleteFunc(slices.Clone(to), a.own)
	if err != nil {
		return gone, append(unsent, rest...), err
	}
	g, late, err := a.remote.post(ctx, a, rest, frames)
	return append(gone, g...), append(unsent, late...), err
}

// postOwn posts to the targets that are the API's own, and tells whether there are others.
func (a *API) postOwn(to []connections.Target, frames [][]byte) (
	missing []connections.Target, others bool,
) {
	b := newBatch()
	defer b.release()
	for _, f := range frames {
		b.text(f)
	}
	p := postings.Get().(*posting)
	defer postings.Put(p)
	p.sum = [gone + 1]int{}
	now := a.now()
	for len(to) > 0 {
		some := to[:min(len(to), len(p.found))]
		to = to[len(some):]
		a.mu.RLock()
		for i := range some {
			p.found[i] = a.conns[some[i].ID]
		}
		a.mu.RUnlock()
		for i, c := range p.found[:len(some)] {
			p.found[i] = nil
			if !a.own(some[i]) {
				others = true
				continue
			}
			result := gone
			if c != nil {
				result = c.post(b)
			}
			p.sum[result]++
			switch result {
			case gone:
				missing = append(missing, some[i])
			case taken:
				c.active.Store(now)
			}
		}
		if len(to) > 0 {
			runtime.Gosched() // a large room must not hold up who else has something to do
		}
	}
	a.stats.sent(p.sum[taken], b)
	return missing, others
}

// Close closes a connection with the code and reason; its $disconnect event carries both. It is
// ErrGone when there is no open connection. Posts made before are delivered before.
func (a *API) Close(ctx context.Context, t connections.Target, code int, reason string) error {
	if !a.own(t) {
		client, err := a.remote.client(a, t.Endpoint)
		if err != nil {
			return err
		}
		return client.Close(ctx, t, code, reason)
	}
	why, err := newClosing(code, reason, CauseManagement)
	if err != nil {
		return err
	}
	if c := a.lookup(t.ID); c == nil || !c.end(why, false) {
		return connections.ErrGone
	}
	return nil
}

// newClosing checks what a caller wants in a close frame.
func newClosing(code int, reason string, cause Cause) (*closing, error) {
	if !validCode(code) || len(reason) > 123 || !utf8.ValidString(reason) {
		return nil, fmt.Errorf("gateway: close code %d with a reason of %d bytes: a close frame "+
			"cannot carry it", code, len(reason))
	}
	return &closing{code, reason, cause}, nil
}

// Describe tells what is known of an open connection, or ErrGone.
func (a *API) Describe(ctx context.Context, t connections.Target) (connections.Info, error) {
	if !a.own(t) {
		client, err := a.remote.client(a, t.Endpoint)
		if err != nil {
			return connections.Info{}, err
		}
		return client.Describe(ctx, t)
	}
	c := a.lookup(t.ID)
	if c == nil || !c.isOpen() {
		return connections.Info{}, connections.ErrGone
	}
	return c.info(), nil
}

func (c *connection) info() connections.Info {
	return connections.Info{
		ConnectedAt:  c.since,
		LastActiveAt: c.api.started.Add(time.Duration(c.active.Load())),
		SourceIP:     c.peer,
		UserAgent:    c.agent,
	}
}
