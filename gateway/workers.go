package gateway

import "sync"

// maxIdle is how many goroutines wait for another message.
const maxIdle = 256

// workers handle messages on goroutines that are kept for the next one: a new goroutine begins
// with a small stack, which a handler would make it copy several times over, message for message.
type workers struct {
	mu   sync.Mutex
	open bool // some connection is there; otherwise nobody waits
	idle []chan job
}

// job is one message of a connection, and what waits behind it.
type job struct {
	c    *connection
	body string
}

// do handles a message on a goroutine that waits, or on a new one.
func (w *workers) do(j job) {
	w.mu.Lock()
	if last := len(w.idle) - 1; last >= 0 {
		waiting := w.idle[last] // the one whose stack is warmest
		w.idle = w.idle[:last]
		w.mu.Unlock()
		waiting <- j
		return
	}
	w.mu.Unlock()
	go w.loop(j)
}

func (w *workers) loop(j job) {
	next := make(chan job, 1)
	for more := true; more; {
		j.c.work(j.body)
		if !w.wait(next) {
			return
		}
		j, more = <-next
	}
}

// wait puts a goroutine among those that wait, unless there are enough.
func (w *workers) wait(next chan job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open || len(w.idle) >= maxIdle {
		return false
	}
	w.idle = append(w.idle, next)
	return true
}

// keep says whether goroutines may wait; without it those that do, end.
func (w *workers) keep(open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = open
	if open {
		return
	}
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
}
