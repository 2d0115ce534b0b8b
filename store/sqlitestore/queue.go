package sqlitestore

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

// Bounds of the queue of writes.
const (
	maxQueued = 16_384 // more are refused with Unavailable
	maxBatch  = 1_024  // operations of one transaction
)

// op is one write on its way through the committer.
type op struct {
	// run does it inside the transaction. A *chat.Error of a kind other than Corrupt is the answer
	// of this operation alone, which must not have written anything; any other error ends the batch.
	run func(*writer) error
	// append is done instead of run, if it is not nil.
	append *appending
	// between is done instead of both, between two transactions.
	between func(*writer)

	err  error
	took atomic.Bool   // by the committer, or by the caller who gave up
	done chan struct{} // closed when err is final and, of an Append, then was called
}

// execute runs the operation inside the transaction.
func (o *op) execute(w *writer) error {
	if o.append != nil {
		return o.append.run(w)
	}
	return o.run(w)
}

// queue hands operations to the committer in the order of their arrival.
type queue struct {
	mu     sync.Mutex
	ops    []*op
	closed bool
	wake   chan struct{} // holds one token while there may be something to do
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put appends an operation.
func (q *queue) put(o *op) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return chat.E(chat.Unavailable, "the store is closed")
	case len(q.ops) >= maxQueued:
		return &chat.Error{Kind: chat.Unavailable, Message: "too many writes are waiting", RetryAfter: retryAfter}
	}
	q.ops = append(q.ops, o)
	if len(q.ops) == 1 {
		q.signal()
	}
	return nil
}

// take appends what has queued to into, at most maxBatch, and tells whether the queue is closed
// and empty.
func (q *queue) take(into []*op) (batch []*op, finished bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.ops), maxBatch)
	into = append(into, q.ops[:n]...)
	rest := copy(q.ops, q.ops[n:])
	clear(q.ops[rest:])
	q.ops = q.ops[:rest]
	if rest > 0 || q.closed { // the token of close may have been this one
		q.signal()
	}
	return into, q.closed && n == 0
}

// close refuses further operations; those that have queued are still carried out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// signal leaves a token; the lock is held.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// do queues an operation and waits for it. A context that ends before the committer has taken the
// operation takes it back; after that its outcome is waited for, so that it is known.
func (q *queue) do(ctx context.Context, o *op) error {
	o.done = make(chan struct{})
	if err := ctx.Err(); err != nil {
		return chat.Wrap(chat.Unavailable, "", err)
	}
	if err := q.put(o); err != nil {
		return err
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
	}
	if o.took.CompareAndSwap(false, true) {
		return chat.Wrap(chat.Unavailable, "", ctx.Err())
	}
	<-o.done
	return o.err
}
