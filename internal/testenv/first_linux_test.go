package testenv_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
)

// The sender's copy is posted before all others: when somebody else has a message, it lies in the
// sender's socket already.
func TestSendMessage_SenderFirst(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		for i := range 40 {
			e.Dial(t, fmt.Sprintf("user%d", i))
		}
		bob := e.Dial(t, "bob")
		ws, socket := dialSocket(t, e.URL(0, "alice"))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		for i := range 20 {
			if waiting(t, socket) {
				t.Fatal("something came that no message is")
			}
			text := fmt.Sprintf("text %d", i)
			frame := fmt.Sprintf(`{"action":"sendMessage","id":"m%d","message":%q}`, i, text)
			if err := ws.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
				t.Fatal(err)
			}
			bob.Await("the message", message("lobby", text))
			if !waiting(t, socket) {
				t.Errorf("bob has %q before its sender", text)
			}
			if _, _, err := ws.Read(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// dialSocket connects and gives the socket too.
func dialSocket(t *testing.T, url string) (*websocket.Conn, *net.TCPConn) {
	t.Helper()
	var socket *net.TCPConn
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		socket, _ = conn.(*net.TCPConn)
		return conn, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	ws, _, err := websocket.Dial(t.Context(), url, options) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws, socket
}

// waiting tells whether there are bytes to read, and leaves them there.
func waiting(t *testing.T, socket *net.TCPConn) bool {
	t.Helper()
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = raw.Control(func(fd uintptr) {
		n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}
