package gateway

import "sync"

// flushSize is how much of a queue leaves in one write.
const flushSize = 64 << 10

var flushBuffers = sync.Pool{New: func() any { return new([flushSize]byte) }}

// flush writes the queue until it is empty or the connection is lost, and then tells who waits for
// that. It runs in a goroutine of its own, at most one for a connection.
func (c *connection) flush() {
	defer c.api.work.Done()
	for {
		err := c.flushQueue()
		c.mu.Lock()
		if err == nil && c.queue.frames > 0 {
			c.mu.Unlock() // more has come meanwhile
			continue
		}
		c.queue.clear()
		c.flushing = false
		c.wakeSenders()
		c.progress.Store(0)
		drained := c.dropped && c.state == open && err == nil
		c.dropped = false
		c.written()
		c.mu.Unlock()
		if drained {
			c.api.cfg.OnDrain(c.id)
		}
		return
	}
}

// flushQueue writes until the queue has been seen empty.
func (c *connection) flushQueue() (err error) {
	if c.raw == nil {
		return c.flushBlocking()
	}
	waited := c.raw.Write(func(fd uintptr) (done bool) {
		done, err = c.flushSome(fd)
		return done
	})
	if err == nil {
		err = waited
	}
	return err
}

// flushSome writes until the socket takes no more. Done: the queue is empty or the socket dead.
func (c *connection) flushSome(fd uintptr) (done bool, err error) {
	buf := flushBuffers.Get().(*[flushSize]byte)
	defer flushBuffers.Put(buf)
	for {
		c.mu.Lock()
		k := c.queue.fill(buf[:])
		n, err := send(fd, buf[:k])
		c.queue.take(n)
		c.wakeIfHalfFree()
		if n > 0 {
			c.progress.Store(c.api.now())
		}
		empty := c.queue.frames == 0
		c.mu.Unlock()
		if empty || err != nil {
			return true, err
		}
		if n < k {
			return false, nil
		}
	}
}

// flushBlocking writes through package net: for TLS, where a write is a record, and for systems
// without direct access to sockets.
func (c *connection) flushBlocking() error {
	buf := flushBuffers.Get().(*[flushSize]byte)
	defer flushBuffers.Put(buf)
	for {
		c.mu.Lock()
		k := c.queue.fill(buf[:])
		c.queue.take(k)
		c.wakeIfHalfFree()
		c.mu.Unlock()
		if k == 0 {
			return nil
		}
		if _, err := c.conn.Write(buf[:k]); err != nil {
			return err
		}
		c.progress.Store(c.api.now())
	}
}
