package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

func TestKeepSpelling_keepsNothingAfterwards(t *testing.T) {
	server, peer := net.Pipe()
	defer peer.Close()
	defer server.Close()
	c := &spelledConn{Conn: server}
	text := strings.Repeat("a", 3*maxSeen) +
		"\r\nPOST / HTTP/1.1\r\nx-Own: 1\r\nHost: h\r\n\r\nrest"
	go io.WriteString(peer, text)
	buf := make([]byte, 1000)
	for n := 0; n < len(text); {
		k, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if len(c.seen) > maxSeen {
		t.Errorf("remembers %d bytes", len(c.seen))
	}
	if got := spellingOf(c, len("rest")); len(got) != 1 || got["X-Own"] != "x-Own" {
		t.Errorf("spelling %v, want X-Own as x-Own", got)
	}
	for _, conn := range []net.Conn{c, tls.Server(c, nil)} { // under TLS it sees records only
		c.seen, c.done = []byte("\x17\x03\x03\r\nx-Own: 1"), false
		if got := spellingOf(conn, 0); conn != c && got != nil {
			t.Errorf("under TLS: spelling %v", got)
		}
		go io.WriteString(peer, "later")
		if _, err := io.ReadFull(c, buf[:5]); err != nil {
			t.Fatal(err)
		}
		if len(c.seen) > 0 {
			t.Errorf("%T: remembers %q after the handshake", conn, c.seen)
		}
	}
}
