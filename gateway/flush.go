package gateway

import "sync"

// flushSize is how much of a queue leaves in one write.
const flushSize = 64 << 10

var flushBuffers = sync.Pool{New: func() any { return new([flushSize]byte) }}

// beginFlush sees to it that the queue is written. c.mu is held.
func (c *connection) beginFlush() {
	c.flushing = true
	c.progress.Store(c.api.now())
	if c.poller != nil {
		c.poller.arm(c)
		return
	}
	c.api.work.Add(1)
	go c.flush()
}

// flushed ends that: the queue is empty or the socket dead. It tells whether OnDrain is to be
// called. c.mu is held.
func (c *connection) flushed(err error) (drained bool) {
	c.queue.clear()
	c.dropPong()
	c.flushing, c.dead = false, err != nil
	if c.poller != nil {
		c.poller.arm(c)
	}
	c.wakeSenders()
	c.progress.Store(0)
	drained = c.dropped && c.state == open && err == nil
	c.dropped = false
	c.written()
	return drained
}

// flushSome writes what the socket takes of the queue. The poller calls it when it takes something.
func (c *connection) flushSome() {
	buf := flushBuffers.Get().(*[flushSize]byte)
	defer flushBuffers.Put(buf)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.flushing {
		return
	}
	k := c.queue.fill(buf[:])
	n, err := send(c.fd, buf[:k])
	c.api.stats.writes.Add(1)
	c.queue.take(n)
	c.wakeIfHalfFree()
	if n > 0 {
		c.progress.Store(c.api.now())
	}
	if (err != nil || c.queue.frames == 0) && c.flushed(err) {
		c.api.work.Go(func() { c.api.cfg.OnDrain(c.id) })
	}
}

// flush writes the queue until it is empty or the connection is lost. It runs in a goroutine of its
// own, at most one for a connection: under TLS, where a write is a record, and for systems without
// direct access to sockets.
func (c *connection) flush() {
	defer c.api.work.Done()
	for {
		err := c.flushQueue()
		c.mu.Lock()
		if err == nil && c.queue.frames > 0 {
			c.mu.Unlock() // more has come meanwhile
			continue
		}
		drained := c.flushed(err)
		c.mu.Unlock()
		if drained {
			c.api.cfg.OnDrain(c.id)
		}
		return
	}
}

// flushQueue writes until the queue has been seen empty.
func (c *connection) flushQueue() error {
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
		c.api.stats.writes.Add(1)
		if _, err := c.conn.Write(buf[:k]); err != nil {
			return err
		}
		c.progress.Store(c.api.now())
	}
}
