package gateway

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// KeepSpelling wraps a listener so that CONNECT events have header names as the client spells them,
// which AWS keeps. Without it the names are as net/http makes them ("X-My-Id" for "x-my-ID"), but
// for the usual ones ("Sec-WebSocket-Key"). It is for plain TCP: under TLS it sees nothing.
func KeepSpelling(l net.Listener) net.Listener { return spelledListener{l} }

type spelledListener struct{ net.Listener }

// Accept waits for the next connection.
func (l spelledListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spelledConn{Conn: conn}, nil
}

// spelledConn remembers the last bytes that were read, until it is hijacked.
type spelledConn struct {
	net.Conn
	mu   sync.Mutex
	seen []byte
	done bool // nothing is remembered any more
}

// maxSeen is how much is remembered: net/http's own limit for a request's headers is higher, but no
// client's handshake is.
const maxSeen = 16 << 10

// Read reads, and remembers.
func (c *spelledConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return n, err
	}
	c.seen = append(c.seen, b[:n]...)
	if over := len(c.seen) - maxSeen; over > 0 {
		c.seen = append(c.seen[:0], c.seen[over:]...)
	}
	return n, err
}

// spellingOf maps header names as net/http has them to the client's spelling. The request's head is
// the last thing that was read, but for after bytes.
func spellingOf(conn net.Conn, after int) map[string]string {
	secure, isSecure := conn.(*tls.Conn)
	if isSecure {
		conn = secure.NetConn()
	}
	c, ok := conn.(*spelledConn)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.seen[:max(0, len(c.seen)-after)]
	c.seen, c.done = nil, true
	if isSecure {
		return nil // it has seen records
	}
	lines := bytes.Split(bytes.TrimRight(head, "\r\n"), []byte("\n"))
	spelling := map[string]string{}
	for i := len(lines) - 1; i >= 0; i-- {
		name, _, ok := bytes.Cut(lines[i], []byte(":"))
		if !ok || bytes.ContainsAny(name, " \t") {
			break // the request line
		}
		if canonical := http.CanonicalHeaderKey(string(name)); canonical != string(name) {
			spelling[canonical] = string(name)
		}
	}
	return spelling
}
