package egress

import (
	"errors"
	"net"
	"sync"
	"time"
)

// firstByte is how long a client may take to say its first byte.
const firstByte = 10 * time.Second

// handshakeRecord is the first byte of every TLS connection (RFC 8446, section 5.1).
const handshakeRecord = 22

// Split parts the connections of a listener in those that begin as TLS does and all others, so that
// one port answers ws:// and https:// both. Closing either closes the listener.
func Split(l net.Listener) (plain, secure net.Listener) {
	p, s := newBranch(l), newBranch(l)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				p.fail(err)
				s.fail(err)
				return
			}
			go sort(conn, p, s)
		}
	}()
	return p, s
}

// sort reads a connection's first byte and hands it to the branch that it belongs to.
func sort(conn net.Conn, plain, secure *branch) {
	first := make([]byte, 1)
	conn.SetReadDeadline(time.Now().Add(firstByte))
	if _, err := conn.Read(first); err != nil {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Time{})
	to := plain
	if first[0] == handshakeRecord {
		to = secure
	}
	to.deliver(&replayed{Conn: conn, first: first})
}

// replayed is a connection whose first bytes were read already.
type replayed struct {
	net.Conn
	first []byte
}

// Read gives what was read before first.
func (r *replayed) Read(b []byte) (int, error) {
	if len(r.first) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.first)
	r.first = r.first[n:]
	return n, nil
}

// branch is a listener that is handed its connections.
type branch struct {
	net.Listener // whose address and end it shares
	conns        chan net.Conn
	once         sync.Once
	done         chan struct{}
	err          error
}

func newBranch(l net.Listener) *branch {
	return &branch{Listener: l, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for the next connection.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, b.err
	}
}

// Close ends the branch and the listener that it is of, which both branches may do.
func (b *branch) Close() error {
	err := b.Listener.Close()
	b.fail(net.ErrClosed)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// deliver gives the branch a connection, which is closed where nobody accepts any more.
func (b *branch) deliver(conn net.Conn) {
	select {
	case b.conns <- conn:
	case <-b.done:
		conn.Close()
	}
}

func (b *branch) fail(err error) {
	b.once.Do(func() {
		b.err = err
		close(b.done)
	})
}
