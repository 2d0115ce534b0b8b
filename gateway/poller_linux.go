//go:build linux && (amd64 || arm64) && !portable

package gateway

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// poller waits for the sockets of all connections in one goroutine, so that an idle connection needs
// none: no stack and nothing of package net. It reads, and writes what has queued; a connection's
// descriptor is closed by it alone.
type poller struct {
	epoll *os.File // waited for by the runtime, as any other file
	raw   syscall.RawConn
	fd    int

	mu    sync.Mutex
	conns []*connection // by descriptor
}

const (
	readable = syscall.EPOLLIN
	writable = syscall.EPOLLOUT
	hungUp   = syscall.EPOLLERR | syscall.EPOLLHUP
)

// newPoller makes a poller that runs until close.
func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd) // it has failed already
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{epoll: os.NewFile(uintptr(fd), "epoll"), fd: fd}
	if p.raw, err = p.epoll.SyscallConn(); err != nil {
		p.epoll.Close()
		return nil, err
	}
	go p.loop()
	return p, nil
}

func (p *poller) close() { p.epoll.Close() }

// adopt takes over the socket of a connection that nobody else uses. It tells whether it could: it
// can wait for plain TCP and Unix sockets only.
func (p *poller) adopt(c *connection) bool {
	var plain syscall.Conn
	switch conn := c.conn.(type) {
	case *net.TCPConn:
		plain = conn
	case *net.UnixConn:
		plain = conn
	default:
		return false
	}
	fd, err := duplicate(plain)
	if err != nil {
		return false
	}
	c.conn.Close()
	c.conn, c.poller, c.fd = nil, p, fd
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.conns) <= fd {
		p.conns = append(p.conns, nil)
	}
	p.conns[fd] = c
	return true
}

// arm has the poller wait for what the connection wants now. c.mu is held.
func (p *poller) arm(c *connection) {
	var want uint32
	if c.reading {
		want |= readable
	}
	if c.flushing {
		want |= writable
	}
	if want == c.armed || c.fd < 0 {
		return
	}
	op := syscall.EPOLL_CTL_MOD
	switch {
	case c.armed == 0:
		op = syscall.EPOLL_CTL_ADD
	case want == 0: // else a broken socket would be reported for ever
		op = syscall.EPOLL_CTL_DEL
	}
	event := syscall.EpollEvent{Events: want, Fd: int32(c.fd)}
	if err := syscall.EpollCtl(p.fd, op, c.fd, &event); err != nil {
		c.api.cfg.Logger.Error("socket not waited for", "connection", c.id, "error", err)
		return
	}
	c.armed = want
}

// drop closes the connection's socket. Only the poller's goroutine calls it.
func (p *poller) drop(c *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.mu.Lock()
	p.conns[c.fd] = nil
	p.mu.Unlock()
	_ = syscall.Close(c.fd) // whatever it says, the descriptor is free
	c.fd = -1
	if c.flushing {
		c.flushed(net.ErrClosed)
	}
}

// loop acts on what happens to the sockets until the poller is closed.
func (p *poller) loop() {
	var events [128]syscall.EpollEvent
	buf := make([]byte, readSize)
	n := 0
	wait := func(fd uintptr) bool {
		n = pollNow(fd, events[:])
		return n > 0
	}
	for p.raw.Read(wait) == nil {
		for _, e := range events[:n] {
			p.mu.Lock()
			c := p.conns[e.Fd]
			p.mu.Unlock()
			if c != nil {
				c.ready(e.Events, buf)
			}
		}
		runtime.Gosched() // what has been read is handled before more is read
	}
}

// pollNow gives the events that there are, without waiting.
func pollNow(fd uintptr, events []syscall.EpollEvent) int {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd,
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case syscall.EINTR:
		default: // the poller is closed
			return 0
		}
	}
}

// ready acts on events of the connection's socket.
func (c *connection) ready(events uint32, buf []byte) {
	c.mu.Lock()
	flushing, reading := c.flushing, c.reading
	c.mu.Unlock()
	if flushing && events&(writable|hungUp) != 0 {
		c.flushSome()
	}
	if !reading || events&(readable|hungUp) == 0 {
		return
	}
	n, again, err := receive(c.fd, buf)
	switch {
	case again:
	case err != nil || n == 0:
		c.finish()
	default:
		c.feed(buf[:n])
	}
}
