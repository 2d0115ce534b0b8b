package lambdahost

import (
	"errors"
	"time"
)

// queued is an event that nobody waits for, between its attempts.
type queued struct {
	in        Input
	since     time.Time
	failures  int         // of the function
	throttles int         // in a row
	stop      func() bool // while it waits
}

// How Lambda repeats such events (Developer Guide, "How Lambda handles errors and retries with
// asynchronous invocation"): a function that failed after one minute and after two more, one that
// was throttled after a second and then ever later up to five minutes, for six hours.
const (
	attempts     = 3
	firstBackoff = time.Second
	maxBackoff   = 5 * time.Minute
	maxAge       = 6 * time.Hour
)

// enqueue takes an event that nobody waits for.
func (h *Host) enqueue(in Input) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	if len(h.queued) >= maxQueue {
		return tooMany(limitOfHost)
	}
	q := &queued{in: in, since: h.config.Clock.Now()}
	h.queued[q] = struct{}{}
	h.tasks.Add(1)
	go h.attempt(q)
	return nil
}

// attempt gives an event to its function, and decides what comes next.
func (h *Host) attempt(q *queued) {
	defer h.tasks.Done()
	err := h.once(q.in)
	h.mu.Lock()
	defer h.mu.Unlock()
	var refused *Error
	switch after := firstBackoff; {
	case err == nil:
		delete(h.queued, q)
	case h.closed:
		h.drop(q)
	case errors.As(err, &refused) && refused.Status == 429:
		after <<= min(q.throttles, 16)
		q.throttles++
		h.later(q, min(after, maxBackoff))
	case errors.As(err, &refused):
		h.drop(q) // the function is gone
	default:
		q.failures, q.throttles = q.failures+1, 0
		if q.failures == attempts {
			h.drop(q)
			return
		}
		h.later(q, time.Duration(q.failures)*time.Minute)
	}
}

// once invokes the function of an event; an error is also that of the function.
func (h *Host) once(in Input) error {
	f, arn, err := h.admit(in)
	if err != nil {
		return err
	}
	defer f.leave()
	result, err := f.run(in.invocation(arn))
	if err == nil && result.failed {
		err = functionError(result.payload)
	}
	return err
}

// later tries an event again after a time, unless it is too old by then; under mu.
func (h *Host) later(q *queued, after time.Duration) {
	if h.config.Clock.Now().Add(after).Sub(q.since) > maxAge {
		h.drop(q)
		return
	}
	q.stop = h.config.Clock.AfterFunc(after, func() {
		h.mu.Lock()
		if _, waits := h.queued[q]; !waits || h.closed {
			h.mu.Unlock()
			return
		}
		q.stop = nil
		h.tasks.Add(1)
		h.mu.Unlock()
		h.attempt(q)
	})
}

// drop gives an event up, and says so in the function's log; under mu.
func (h *Host) drop(q *queued) {
	delete(h.queued, q)
	if q.stop != nil {
		q.stop()
	}
	if log := h.config.Log; log != nil {
		name, _ := splitName(q.in.Function)
		r := Record{
			Time: h.config.Clock.Now(), Function: name, RequestID: q.in.RequestID,
			Kind: KindDropped, Text: "Event " + q.in.RequestID + " is dropped",
		}
		h.tasks.Go(func() { log(r) })
	}
}
