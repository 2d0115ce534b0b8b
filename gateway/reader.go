package gateway

import (
	"bytes"
	"sync"

	"github.com/gobwas/ws"
)

// readSize is how much of a client's bytes is taken at once.
const readSize = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// frameReaders are lent to connections while they read.
var frameReaders = sync.Pool{New: func() any { return new(frameReader) }}

// source is the reading side of a connection. One goroutine at a time uses it: who reads, or, while
// too much is under way, who makes room. Between messages it holds nothing.
type source struct {
	frames  *frameReader  // of an unfinished message or control frame, else nil
	discard bool          // what comes no longer matters, only that it ends
	held    string        // a message that has to wait for room
	rest    []byte        // what came behind it
	wake    chan struct{} // tells a goroutine that reads of room
}

// start begins to read from the client. early is what came with the handshake.
func (c *connection) start(early []byte) {
	if c.poller == nil {
		c.source.wake = make(chan struct{}, 1)
		go c.read(early)
		return
	}
	if len(early) == 0 || c.eat(early) {
		c.listen(true)
		return
	}
	c.goOn() // it listens once there is room, and from then on the source is the poller's
}

// read waits for bytes with a small buffer, and reads on with a large one while a message is
// unfinished. It is for connections without a poller.
func (c *connection) read(early []byte) {
	defer c.finish()
	c.give(early)
	small := make([]byte, 256)
	for {
		n, err := c.conn.Read(small)
		c.give(small[:n])
		for err == nil && c.source.frames != nil && !c.source.discard {
			buf := readBuffers.Get().(*[readSize]byte)
			n, err = c.conn.Read(buf[:])
			c.give(buf[:n])
			readBuffers.Put(buf)
		}
		if err != nil {
			return
		}
	}
}

// give feeds, and waits until there is room for all.
func (c *connection) give(b []byte) {
	for more := c.feed(b); !more; more = c.goOn() {
		<-c.source.wake
	}
}

// finish is the end of reading: TCP has ended.
func (c *connection) finish() {
	c.end(&closing{1006, "Connection closed abnormally", CauseLost}, true)
	if c.poller != nil {
		c.poller.drop(c)
	} else {
		c.conn.Close()
	}
	c.api.remove(c)
	c.api.work.Done()
}

// listen tells the poller whether to read from the client.
func (c *connection) listen(on bool) {
	if c.poller == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = on
	c.poller.arm(c)
}

// feed takes bytes of the client. Messages in it are handed over, what is unfinished is kept. When
// too much is under way it keeps the rest, tells no more to come, and resume will be called.
func (c *connection) feed(b []byte) (more bool) {
	return len(b) == 0 || c.eat(b) || c.goOn()
}

// eat takes bytes of the client, keeps those for which there is no room, and tells whether there are
// none.
func (c *connection) eat(b []byte) (all bool) {
	c.heard.Store(c.api.now())
	c.pinged.Store(0)
	c.api.stats.bytesIn.Add(uint64(len(b)))
	rest, all := c.split(b)
	if !all {
		c.source.rest = bytes.Clone(rest)
	}
	return all
}

// goOn hands over what waits for room, and tells whether all of it could be.
func (c *connection) goOn() bool {
	s := &c.source
	for all := false; !all; s.rest, all = c.split(s.rest) {
		for !c.in.put(c, s.held) {
			c.listen(false)
			if c.in.pause(len(s.held)) {
				return false
			}
		}
		s.held = ""
	}
	s.rest = nil
	c.listen(true)
	return true
}

// resume is called once there is room for what waits.
func (c *connection) resume() {
	if c.poller == nil {
		c.source.wake <- struct{}{}
		return
	}
	c.goOn()
}

// split finds messages and control frames in b and acts on them, up to a message for which there is
// no room.
func (c *connection) split(b []byte) (rest []byte, all bool) {
	s, now := &c.source, c.api.now()
	r := s.frames
	if r == nil {
		r = frameReaders.Get().(*frameReader)
	}
	var pongs *batch // a client may send thousands of pings at once: they cost one write
	for all = true; all && len(b) > 0 && !s.discard; {
		n, op, payload, fault := r.next(b, c.api.terms)
		b = b[n:]
		if op == ws.OpPing {
			if pongs == nil {
				pongs = newBatch()
			}
			pongs.control(ws.OpPong, payload)
			continue
		}
		c.answer(pongs)
		pongs = nil
		switch {
		case fault != nil:
			s.discard = true
			c.end(fault, true)
		case op != ws.OpContinuation:
			all = c.take(op, payload, now)
		}
	}
	c.answer(pongs)
	s.frames = r
	switch {
	case s.discard:
		s.frames = nil
		c.begun.Store(0)
	case r.idle():
		s.frames = nil
		frameReaders.Put(r)
		c.begun.Store(0)
	case c.begun.Load() == 0:
		c.begun.Store(now)
	}
	return b, all
}

// answer sends pongs, if there are any.
func (c *connection) answer(pongs *batch) {
	if pongs != nil {
		c.pong(pongs)
		pongs.release()
	}
}

// take acts on a message or control frame other than a ping, and tells whether there was room for it.
func (c *connection) take(op ws.OpCode, payload []byte, now int64) bool {
	switch op {
	case ws.OpText, ws.OpBinary:
		c.begun.Store(0)
		c.active.Store(now)
		c.api.stats.messagesIn.Add(1)
		body := string(payload)
		if !c.api.terms.put(c, op, body) {
			c.source.held = body
			return false
		}
	case ws.OpClose:
		c.source.discard = true
		if !c.end(parseClose(payload), true) {
			c.mu.Lock()
			c.answered = true
			c.written()
			c.mu.Unlock()
		}
	}
	return true
}
