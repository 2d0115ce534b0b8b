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
	full atomic.Bool // the reader waits here, so that the client's silence proves nothing

	mu      sync.Mutex
	room    sync.Cond // the reader waits for it when there is too much under way
	waiting []string  // serial: received behind the message that is being handled
	running int       // handlers
	bytes   int       // of the messages waiting or being handled
	closed  *closing  // why the connection ended
}

// put takes a message, and waits while too much is under way. After close it drops it.
func (in *inbox) put(c *connection, body string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.closed == nil && in.tooMuch(len(body)) {
		in.full.Store(true)
		in.room.Wait()
	}
	if in.full.Load() {
		c.heard.Store(c.api.now())
		in.full.Store(false)
	}
	if in.closed != nil {
		return
	}
	in.bytes += len(body)
	if c.api.cfg.Serial && in.running > 0 {
		in.waiting = append(in.waiting, body)
		return
	}
	in.running++
	c.api.work.Add(1)
	c.api.workers.Do(job{c, body})
}

func (in *inbox) tooMuch(size int) bool {
	return in.running >= maxRunning || len(in.waiting) >= maxWaitingLine ||
		in.bytes > 0 && in.bytes+size > maxUnderWay
}

// done ends the handling of one message and gives the next one that waits for it. Without one,
// last is why the connection has ended, where $disconnect was left to the last message's worker.
func (in *inbox) done(c *connection, size int) (body string, more bool, last *closing) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bytes -= size
	in.room.Signal()
	if len(in.waiting) > 0 {
		body, in.waiting = in.waiting[0], in.waiting[1:]
		return body, true, nil
	}
	in.running--
	in.waiting = nil
	if c.api.cfg.Serial {
		last = in.closed
	}
	return "", false, last
}

// close lets $disconnect be handled, with Serial after all that was received before.
func (in *inbox) close(c *connection, why *closing) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = why
	in.room.Broadcast()
	c.api.work.Add(1)
	if c.api.cfg.Serial && in.running > 0 {
		return // the worker does it
	}
	go c.disconnect(why)
}

// job is a message of a connection.
type job struct {
	c    *connection
	body string
}

// work handles the message and those that wait behind it.
func (j job) work() {
	c, body := j.c, j.body
	defer c.api.work.Done()
	for {
		c.handle(body)
		next, more, last := c.in.done(c, len(body))
		if last != nil {
			c.disconnect(last)
		}
		if !more {
			return
		}
		body = next
	}
}
