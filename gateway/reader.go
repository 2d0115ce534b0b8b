package gateway

import (
	"sync"

	"github.com/gobwas/ws"
)

// readSize is how much of a client's bytes is taken at once.
const readSize = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// source is the reading side of a connection.
type source struct {
	c       *connection
	frames  frameReader
	discard bool // what comes no longer matters, only that it ends

	// What the last call of ready has read; buf is nil while nothing has come.
	buf *[readSize]byte
	n   int
}

// read is the connection's goroutine: it reads until TCP ends. early is what came with the
// handshake.
func (c *connection) read(early []byte) {
	defer c.api.work.Done()
	s := &source{c: c}
	s.feed(early)
	if c.raw != nil {
		s.readDirect()
	} else {
		s.readBlocking()
	}
	c.end(&closing{1006, "Connection closed abnormally", CauseLost}, true)
	c.conn.Close()
	c.api.remove(c)
}

// readDirect waits without a buffer.
func (s *source) readDirect() {
	ready := s.ready
	for s.c.raw.Read(ready) == nil && s.n > 0 {
		s.feed(s.buf[:s.n])
		readBuffers.Put(s.buf)
		s.buf = nil
	}
}

// ready reads what has come, or says that it has to be waited for.
func (s *source) ready(fd uintptr) bool {
	buf := readBuffers.Get().(*[readSize]byte)
	n, again, err := receive(fd, buf[:])
	if again || err != nil || n == 0 {
		readBuffers.Put(buf)
		s.n = 0
		return !again
	}
	s.buf, s.n = buf, n
	return true
}

// readBlocking waits with a small buffer, and reads on with a large one while a message is
// unfinished.
func (s *source) readBlocking() {
	small := make([]byte, 256)
	for {
		n, err := s.c.conn.Read(small)
		s.feed(small[:n])
		for err == nil && !s.frames.idle() && !s.discard {
			buf := readBuffers.Get().(*[readSize]byte)
			n, err = s.c.conn.Read(buf[:])
			s.feed(buf[:n])
			readBuffers.Put(buf)
		}
		if err != nil {
			return
		}
	}
}

// feed takes bytes of the client. Messages in it are handed over, the rest is kept.
func (s *source) feed(b []byte) {
	c := s.c
	if len(b) == 0 {
		return
	}
	now := c.api.now()
	c.heard.Store(now)
	c.pinged.Store(0)
	c.api.stats.bytesIn.Add(uint64(len(b)))
	for len(b) > 0 && !s.discard {
		n, op, payload, fault := s.frames.next(b, c.api.terms)
		b = b[n:]
		if fault != nil {
			s.discard = true
			c.begun.Store(0)
			c.end(fault, true)
			return
		}
		if op == ws.OpContinuation {
			break
		}
		s.take(op, payload, now)
	}
	switch {
	case s.frames.idle() || s.discard:
		c.begun.Store(0)
	case c.begun.Load() == 0:
		c.begun.Store(now)
	}
}

// take acts on one message or control frame.
func (s *source) take(op ws.OpCode, payload []byte, now int64) {
	c := s.c
	switch op {
	case ws.OpText, ws.OpBinary:
		c.begun.Store(0)
		c.active.Store(now)
		c.api.stats.messagesIn.Add(1)
		c.api.terms.take(c, op, payload)
	case ws.OpPing:
		c.control(ws.OpPong, payload)
	case ws.OpClose:
		s.discard = true
		if !c.end(parseClose(payload), true) {
			c.mu.Lock()
			c.answered = true
			c.written()
			c.mu.Unlock()
		}
	}
}
