package client_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/wire"
)

// pump is a server that pushes messages of the lobby and does not allocate for it, so that what is
// counted is the client's.
type pump struct {
	tb    testing.TB
	conns chan net.Conn
}

// ServeHTTP makes the handshake (RFC 6455 section 4.2.2) and hands the connection to the test.
func (p *pump) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.tb.Error(err)
		return
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	if _, err := conn.Write([]byte(answer)); err != nil {
		p.tb.Error(err)
	}
	p.conns <- conn
}

// appendFrame appends an event as one WebSocket frame.
func appendFrame(dst []byte, e wire.Event) []byte {
	start := len(dst)
	dst = append(dst, 0x81, 126, 0, 0)
	dst = wire.Append(dst, e)
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-4))
	return dst
}

// start gives a client with room for so many messages, and its connection, past welcome.
func (p *pump) start(ctx context.Context, messages int) (*client.Client, net.Conn) {
	p.tb.Helper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		p.tb.Fatal(err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	p.tb.Cleanup(func() { server.Close() })
	c, err := client.Dial(ctx, "ws://"+l.Addr().String(), client.Name("alice"), client.Lazy(),
		client.Buffer(messages+1)) // this server has no history
	if err != nil {
		p.tb.Fatal(err)
	}
	conn := <-p.conns
	p.tb.Cleanup(func() {
		conn.Close()
		c.Close()
	})
	welcome := wire.Welcome{
		ID: "~hello", Protocol: 1, User: "alice", HeartbeatSeconds: 3600, Pipeline: 32,
		Rooms: []wire.WelcomeRoom{{Room: "lobby", Epoch: "p0q2"}},
	}
	if _, err := conn.Write(appendFrame(nil, welcome)); err != nil {
		p.tb.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	return c, conn
}

// BenchmarkClient_receive is the cost of a message from the socket to the caller.
func BenchmarkClient_receive(b *testing.B) {
	for name, size := range map[string]int{"64 bytes": 64, "4096 bytes": 4096} {
		b.Run(name, func(b *testing.B) {
			p := &pump{tb: b, conns: make(chan net.Conn)}
			c, conn := p.start(b.Context(), b.N)
			m := &wire.Message{
				Room: "lobby", Epoch: "p0q2", ID: "OE4NMWBZHPQ377YEW23IBF7CI5", From: "bob",
				Text: strings.Repeat("x", size), At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
			}
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				var frames []byte
				for m.Seq < uint64(b.N) {
					frames = frames[:0]
					for i := 0; i < 16 && m.Seq < uint64(b.N); i++ {
						m.Seq++
						frames = appendFrame(frames, m)
					}
					if _, err := conn.Write(frames); err != nil {
						return
					}
				}
			}()
			shown := 0
			for event, err := range c.Events(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				if _, ok := event.(client.Message); ok {
					if shown++; shown == b.N {
						break
					}
				}
			}
		})
	}
}
