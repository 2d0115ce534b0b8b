package gateway

import (
	"sync"
	"sync/atomic"
)

// What one connection may have under way; beyond it the gateway stops reading from the client.
const (
	maxRunning     = 256
	maxUnderWay    = 512 << 10 // bytes of messages waiting or being handled
	maxWaitingLine = 256
)

// inbox hands a connection's messages to their handlers: at once, or one after the other.
type inbox struct {
	full atomic.Bool // nothing is read from the client, so that its silence proves nothing

	mu      sync.Mutex
	waiting []string // serial: received behind the message that is being handled
	running int      // handlers
	bytes   int      // of the messages waiting or being handled
	need    int      // of the message that waits for room while full
	closed  *closing // why the connection ended
}

// put takes a message unless too much is under way. After close it drops it.
func (in *inbox) put(c *connection, body string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed != nil:
		return true
	case in.tooMuch(len(body)):
		return false
	}
	in.bytes += len(body)
	if c.api.cfg.Serial && in.running > 0 {
		in.waiting = append(in.waiting, body)
		return true
	}
	in.running++
	c.api.work.Add(1)
	c.api.workers.Do(job{c: c, body: body})
	return true
}

// pause tells whether a message of this size still has to wait. Then the connection's resume is
// called once it has to no more.
func (in *inbox) pause(size int) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed != nil || !in.tooMuch(size) {
		return false
	}
	in.need = size
	in.full.Store(true)
	return true
}

// unpause tells whether resume is to be called. in.mu is held.
func (in *inbox) unpause(c *connection) bool {
	if !in.full.Load() || in.closed == nil && in.tooMuch(in.need) {
		return false
	}
	c.heard.Store(c.api.now()) // first: its silence until now proves nothing
	in.full.Store(false)
	return true
}

func (in *inbox) tooMuch(size int) bool {
	return in.running >= maxRunning || len(in.waiting) >= maxWaitingLine ||
		in.bytes > 0 && in.bytes+size > maxUnderWay
}

// done ends the handling of one message and gives the next one that waits for it. Without one,
// last is why the connection has ended, where $disconnect was left to the last message's worker.
// Where resume is set, the connection's resume is to be called.
func (in *inbox) done(c *connection, size int) (body string, more bool, last *closing, resume bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bytes -= size
	if len(in.waiting) > 0 {
		body, in.waiting = in.waiting[0], in.waiting[1:]
		return body, true, nil, in.unpause(c)
	}
	in.running--
	in.waiting = nil
	if c.api.cfg.Serial {
		last = in.closed
	}
	return "", false, last, in.unpause(c)
}

// close lets $disconnect be handled, which the caller has counted as work, with Serial after all that
// was received before.
func (in *inbox) close(c *connection, why *closing) {
	in.mu.Lock()
	in.closed = why
	resume := in.unpause(c)
	if !c.api.cfg.Serial || in.running == 0 { // else the worker does it
		go c.disconnect(why)
	}
	in.mu.Unlock()
	if resume {
		c.resume()
	}
}

// job is a message of a connection, or its handshake.
type job struct {
	c       *connection
	body    string
	opening *opened
}

// work does the job: it handles the message and those that wait behind it.
func (j job) work() {
	c, body := j.c, j.body
	if j.opening != nil {
		c.begin(j.opening)
		return
	}
	defer c.api.work.Done()
	for {
		c.handle(body)
		next, more, last, resume := c.in.done(c, len(body))
		if resume {
			c.resume()
		}
		if last != nil {
			c.disconnect(last)
		}
		if !more {
			return
		}
		body = next
	}
}
