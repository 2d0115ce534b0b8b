package gateway

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// connection is one client. A poller waits for its socket; where there is none for it, as under TLS,
// a goroutine reads and another one writes while something waits for the socket. Handlers run in
// goroutines of their own.
type connection struct {
	api   *API
	id    string
	tail  [idTail]byte // of its message ids
	stage *stage
	host  string // that the client used
	peer  string // its address
	agent string // its User-Agent, "" without one
	since time.Time

	authorizer any // what the authorizer said, a map[string]any; nil without one

	spelling map[string]string // of the handshake's header names, until $connect
	conn     net.Conn          // nil with a poller
	poller   *poller

	// Times since the API was made, 0 for never; the watch compares them.
	heard    atomic.Int64 // when bytes last came
	active   atomic.Int64 // when data last went either way
	pinged   atomic.Int64 // when it was pinged in its present silence
	begun    atomic.Int64 // when the unfinished message began
	progress atomic.Int64 // when the socket last took some of the queue, 0 while there is none
	closeBy  atomic.Int64 // when TCP is closed whatever the client does

	in     inbox
	source source

	mu       sync.Mutex // guards what follows, and the order of writes
	fd       int        // with a poller: the socket, -1 when it is closed
	armed    uint32     // what the poller waits for
	reading  bool       // it is to read
	state    connState
	answered bool // no further close frame of the client matters
	flushing bool // who flushes the queue owns the socket: nothing is written past it
	dead     bool // nobody is there: a write has failed, or nothing was heard for too long
	dropped  bool // frames were dropped since the queue was last empty
	queue    queue
	lastPong *batch        // its last message waits for room in the queue; or nil
	room     chan struct{} // closed when half of the queue is free; nil: nobody waits for that
}

type connState uint8

const (
	opening connState = iota // the 101 has not gone out
	open
	ended // a close frame was sent or TCP is lost: it is gone for everybody else
)

// outcome is what became of a post to one connection.
type outcome uint8

const (
	taken   outcome = iota // by the socket or the queue
	dropped                // some of it, by a full queue
	gone
)

// post writes b, or queues what the socket does not take now.
func (c *connection) post(b *batch) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return gone
	}
	return c.write(b, false)
}

// write sends what the socket takes at once and queues the rest; where must is set also beyond the
// queue's limits. c.mu is held.
func (c *connection) write(b *batch, must bool) outcome {
	if c.dead {
		return gone
	}
	n := 0
	if !c.flushing && c.poller != nil {
		var err error
		c.api.stats.writes.Add(1)
		if n, err = send(c.fd, b.bytes); err != nil {
			c.dead = true
			return gone
		}
		if n == len(b.bytes) {
			return taken
		}
	}
	over := c.queue.add(b, n, &c.api.cfg, must)
	if !c.flushing && (c.queue.frames > 0 || over != "") {
		c.beginFlush()
	}
	if over == "" {
		return taken
	}
	c.dropped = true
	c.api.stats.drop(over)
	return dropped
}

// ping sends a ping, unless the client does not read.
func (c *connection) ping() {
	b := newBatch()
	defer b.release()
	b.control(ws.OpPing, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == open && c.queue.frames < c.api.cfg.MaxQueueFrames {
		c.write(b, true)
	}
}

// pong sends the pongs in b. Of those that come while the client does not read only the last is kept
// (RFC 6455 section 5.5.3).
func (c *connection) pong(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return
	}
	if c.queue.frames < c.api.cfg.MaxQueueFrames {
		c.write(b, true)
		return
	}
	c.dropPong()
	for range b.ends[1:] {
		c.api.stats.drop(CausePongs)
	}
	b.hold()
	c.lastPong = b
}

// sendLastPong queues the pong that waits for room. c.mu is held.
func (c *connection) sendLastPong() {
	if c.lastPong == nil || c.state != open {
		return
	}
	from := 0
	if n := len(c.lastPong.ends); n > 1 {
		from = c.lastPong.ends[n-2]
	}
	c.queue.push(c.lastPong, from, len(c.lastPong.bytes))
	c.lastPong.release()
	c.lastPong = nil
}

// dropPong drops the pong that waits for room. c.mu is held.
func (c *connection) dropPong() {
	if c.lastPong != nil {
		c.lastPong.release()
		c.lastPong = nil
		c.api.stats.drop(CausePongs)
	}
}

// end takes the connection out of service: sends the close frame unless TCP is lost, and hands the
// $disconnect event to its route. answered says that no close frame of the client is waited for.
// Only the first call counts.
func (c *connection) end(why *closing, answered bool) bool {
	b := newBatch()
	defer b.release()
	b.closeFrame(why.code, why.reason)

	c.mu.Lock()
	if c.state != open {
		c.mu.Unlock()
		return false
	}
	c.state, c.answered = ended, answered
	c.api.work.Add(1)      // $disconnect, while the reader still counts
	c.api.stats.close(why) // before anybody can see the close frame
	now := c.api.now()
	if why.code == 1006 {
		c.closeBy.Store(now)
		c.dead = true
	} else {
		c.closeBy.Store(now + int64(closeTimeout))
		if why.cause == CauseStalled {
			c.closeBy.Store(now + int64(lingerTimeout))
			c.queue.truncate()
		}
		c.write(b, true)
		c.written()
	}
	c.mu.Unlock()
	c.in.close(c, why)
	return true
}

// written is called with c.mu held when something was written: once the close frame has left, the
// client has little time, and when it has been answered, no more is to come.
func (c *connection) written() {
	if c.state != ended || c.flushing {
		return
	}
	limit := c.api.now() + int64(lingerTimeout)
	c.closeBy.Store(min(c.closeBy.Load(), limit))
	if c.answered {
		// The client may still be sending: it reads the close frame and our end of the
		// stream, and what it sends meanwhile is read, so that no reset destroys either.
		c.closeWrite()
	}
}

// closeWrite ends our half of the stream, which fails where TCP has ended. c.mu is held.
func (c *connection) closeWrite() {
	if c.poller != nil {
		if c.fd >= 0 {
			_ = shut(c.fd, shutWrite)
		}
		return
	}
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		// Under TLS this is a record, for which the socket may have no room for seconds.
		c.api.work.Go(func() { _ = half.CloseWrite() })
	}
}

// kill ends TCP at once; under TLS without a last word, which could block. What a client has not
// taken that reads nothing, or is not there, is forgotten: the system would keep it for minutes.
func (c *connection) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	forget := c.flushing || c.dead
	if c.poller != nil {
		if c.fd >= 0 {
			if forget {
				_ = reset(c.fd) // as below
			}
			_ = shut(c.fd, shutBoth) // it fails where the client has ended TCP: the poller knows
		}
		return
	}
	conn := c.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok && forget {
		_ = t.SetLinger(0) // it fails where TCP has ended
	}
	conn.Close()
}

// isOpen tells whether the connection can be addressed.
func (c *connection) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == open
}
