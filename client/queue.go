package client

import (
	"context"
	"iter"
)

// queue is what waits for the caller. It is guarded by the client's mutex.
type queue struct {
	limit  int
	events []Event
	missed int           // hints that were dropped
	ready  chan struct{} // has a token while there may be something
}

func newQueue(limit int) queue { return queue{limit: limit, ready: make(chan struct{}, 1)} }

// room tells whether another message may wait.
func (q *queue) room() bool { return len(q.events) < q.limit }

// put adds an event that must not be dropped.
func (q *queue) put(e Event) {
	q.events = append(q.events, e)
	q.signal()
}

// hint adds an event, or drops it when too many wait.
func (q *queue) hint(e Event) {
	if !q.room() {
		q.missed++
		return
	}
	q.put(e)
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take gives the oldest event; what was dropped is told once all that came before is taken.
func (q *queue) take() (Event, bool) {
	if len(q.events) == 0 {
		if q.missed == 0 {
			return nil, false
		}
		e := Missed{q.missed}
		q.missed = 0
		return e, true
	}
	e := q.events[0]
	q.events[0] = nil
	if q.events = q.events[1:]; len(q.events) == 0 {
		q.events = nil
	} else {
		q.signal()
	}
	return e, true
}

// Events gives what happens, from Dial on, as it happens. An error ends the sequence and is its last
// pair: that of ctx, ErrClosed after Close, or why the client has ended by itself, as
// ErrUnauthenticated.
//
// An event that the loop has got counts as dealt with; who leaves the loop may range again and gets
// the next one. Of several loops at once each gets some of the events. It is no harm to be slow,
// nor to send from within the loop: see [Buffer].
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := c.next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// next waits for an event.
func (c *Client) next(ctx context.Context) (Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.mu.Lock()
		e, ok := c.queue.take()
		if ok {
			c.drained()
		}
		c.mu.Unlock()
		if ok {
			return e, nil
		}
		select {
		case <-c.queue.ready:
		case <-ctx.Done():
		case <-c.ended:
			return nil, c.Err()
		}
	}
}
