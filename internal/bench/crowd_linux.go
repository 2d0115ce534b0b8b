package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

// patience is how long a crowd waits for what must come.
const patience = 30 * time.Second

// crowd is clients of one server, in rooms of equal size. Each reads all the time, but for those
// that stall.
type crowd struct {
	server  *server
	clients []*client
	rooms   []string
	stalled []string      // users
	texts   int           // published
	owed    atomic.Int64  // deliveries that have not come
	settled chan struct{} // told when none is owed
	failed  atomic.Pointer[error]
}

// client is one connection.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	buf    []byte // the payload that next gave last
	user   string
	room   string
	stalls bool
}

const dialers = 16

// gather connects size clients, to rooms of roomSize. Every stallEvery-th one, but for the first
// of a room, reads nothing once it has joined; 0: none does.
func gather(s *server, size, roomSize, stallEvery int) (*crowd, error) {
	c := &crowd{
		server: s, clients: make([]*client, size), settled: make(chan struct{}, 1),
	}
	for i := range (size + roomSize - 1) / roomSize {
		c.rooms = append(c.rooms, fmt.Sprintf("growth-%d-%d-%d-%d", size, roomSize, stallEvery, i))
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range dialers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < size && c.err() == nil; i = int(next.Add(1)) - 1 {
				stalls := stallEvery > 0 && i%stallEvery == stallEvery-1 && i >= len(c.rooms)
				c.join(i, stalls)
			}
		})
	}
	wait.Wait()
	err := c.err()
	if err == nil && stallEvery > 0 {
		err = c.stall()
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// stall sends those who stall direct messages until neither their sockets nor the server's queues
// for them hold more. The server closes them 10 s later.
func (c *crowd) stall() error {
	for _, cl := range c.clients {
		if cl.stalls {
			c.stalled = append(c.stalled, cl.user)
		}
	}
	// 100 of 16 KB: sockets as small as theirs hold 200 KB, and a queue 1 MiB. The sender gets a copy
	// of each, and must not fall behind.
	const times, some = 5, 20
	long := strings.Repeat("stalling", 2048)
	for i := range times * len(c.stalled) {
		err := c.settle(some, func() (err error) {
			for range some {
				c.texts++
				err = errors.Join(err, c.clients[0].say("to", c.stalled[i/times], c.texts, long))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

func (c *crowd) err() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *crowd) join(i int, stalls bool) {
	user, room := fmt.Sprintf("u%d", i), c.rooms[i%len(c.rooms)]
	target := "/production?name=" + user
	if c.server.bare {
		target = "/ws?room=" + room
	}
	cl, err := dial(c.server.addr, target, stalls)
	if err == nil {
		cl.user, cl.room = user, room
		c.clients[i] = cl
		if !c.server.bare {
			err = cl.send(fmt.Sprintf(`{"action":"joinRoom","id":"join","room":%q}`, room))
		}
	}
	for joined := c.server.bare; err == nil && !joined; {
		var text []byte
		text, err = cl.next()
		joined = bytes.Contains(text, []byte(`"id":"join"`))
	}
	if err != nil {
		c.fail(fmt.Errorf("client %d: %w", i, err))
		return
	}
	if !stalls {
		go c.listen(cl)
	}
}

// listen counts deliveries until the connection ends.
func (c *crowd) listen(cl *client) {
	for {
		text, err := cl.next()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				c.fail(err)
			}
			return
		}
		if bytes.HasPrefix(text, []byte(`{"event":"message"`)) && c.owed.Add(-1) == 0 {
			c.settled <- struct{}{}
		}
	}
}

// publish sends one message in each of some rooms, round and round, and waits for all deliveries to
// those who read. It gives how many there were.
func (c *crowd) publish(rooms int) (int, error) {
	rooms = min(rooms, len(c.rooms))
	deliveries := rooms * (len(c.clients) - len(c.stalled)) / len(c.rooms)
	return deliveries, c.settle(deliveries, func() error {
		for range rooms {
			from := c.clients[c.texts%len(c.rooms)] // the first of its room
			c.texts++
			if err := from.publish(c.server.bare, c.texts); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle sends what makes so many deliveries, and waits for them.
func (c *crowd) settle(deliveries int, send func() error) error {
	c.owed.Store(int64(deliveries))
	if err := send(); err != nil {
		return err
	}
	select {
	case <-c.settled:
		return c.err()
	case <-time.After(patience):
		return fmt.Errorf("%d of %d deliveries did not come: %w", c.owed.Load(), deliveries,
			errors.Join(errTimeout, c.err()))
	}
}

var errTimeout = errors.New("time is over")

// text is the message: 200 bytes.
var text = strings.Repeat("growing ", 25)

func (c *crowd) close() {
	for _, cl := range c.clients {
		if cl != nil {
			cl.conn.Close()
		}
	}
}

// tiny makes a socket hold as little as it can.
func tiny(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Where the system refuses, the socket holds more, and the plot says less.
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
	})
}

// dial connects to a path.
func dial(addr, target string, stalls bool) (*client, error) {
	var dialer net.Dialer
	if stalls {
		dialer.Control = tiny
	}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	cl := &client{conn: conn, in: bufio.NewReaderSize(conn, 2<<10), stalls: stalls}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", target)
	for line := ""; err == nil && line != "\r\n"; {
		line, err = cl.in.ReadString('\n')
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return cl, nil
}

// publish sends a message to the client's room. A bare loop is sent what the others are to get.
func (cl *client) publish(bare bool, n int) error {
	if bare {
		return cl.send(`{"event":"message","message":"` + text + `"}`)
	}
	return cl.say("room", cl.room, n, text)
}

// say sends a message to a room or a user.
func (cl *client) say(field, name string, n int, text string) error {
	return cl.send(fmt.Sprintf(`{"action":"sendMessage","id":"m%d",%q:%q,"message":%q}`,
		n, field, name, text))
}

// send sends a text frame, in one write.
func (cl *client) send(text string) error {
	frame, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
	if err != nil {
		return err
	}
	_, err = cl.conn.Write(frame)
	return err
}

// next gives the payload of the next text frame, which is valid until the next call. It answers
// pings.
func (cl *client) next() ([]byte, error) {
	for {
		op, length, err := cl.header()
		if err != nil {
			return nil, err
		}
		cl.buf = slices.Grow(cl.buf[:0], length)
		payload := cl.buf[:length]
		if _, err := io.ReadFull(cl.in, payload); err != nil {
			return nil, err
		}
		switch op {
		case ws.OpText:
			return payload, nil
		case ws.OpPing:
			if err := ws.WriteFrame(cl.conn, ws.MaskFrame(ws.NewPongFrame(payload))); err != nil {
				return nil, err
			}
		}
	}
}

// header reads a frame's header. A server's frames have no mask, and package ws would allocate.
func (cl *client) header() (op ws.OpCode, length int, err error) {
	head, err := cl.in.Peek(2)
	if err != nil {
		return 0, 0, err
	}
	op, length = ws.OpCode(head[0]&0x0f), int(head[1])
	size := 2
	if length >= 126 {
		size = 4 + 6*(length-126)
		if head, err = cl.in.Peek(size); err != nil {
			return 0, 0, err
		}
		length = 0
		for _, b := range head[2:] {
			length = length<<8 | int(b)
		}
	}
	_, err = cl.in.Discard(size)
	return op, length, err
}
