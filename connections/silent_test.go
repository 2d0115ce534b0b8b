package connections

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// relay stands before a server as a network that can lose a connection without a word.
type relay struct {
	net.Listener
	server  string
	mu      sync.Mutex
	silent  chan struct{} // closed: what was connected before hears nothing any more
	conns   []net.Conn
	running sync.WaitGroup
}

func startRelay(t *testing.T, server string) *relay {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, server: server, silent: make(chan struct{})}
	t.Cleanup(r.stop)
	r.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, conn)
			silent := r.silent
			r.mu.Unlock()
			r.running.Go(func() { r.carry(t, conn, silent) })
		}
	})
	return r
}

func (r *relay) stop() {
	_ = r.Close()
	r.mu.Lock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// carry gives each side what the other one says, until the relay is silent: then it takes what the client
// says, and tells nobody.
func (r *relay) carry(t *testing.T, client net.Conn, silent <-chan struct{}) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.server)
	if err != nil {
		t.Error(err)
		return
	}
	defer server.Close()
	ended := make(chan struct{})
	r.running.Go(func() { _, _ = io.Copy(client, server) })
	r.running.Go(func() {
		defer close(ended)
		_, _ = io.Copy(server, client)
	})
	select {
	case <-silent:
		_ = server.Close()
		_, _ = io.Copy(io.Discard, client)
	case <-ended:
	}
}

// lose makes all connections silent that there are.
func (r *relay) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.silent)
	r.silent = make(chan struct{})
}

// A post over a connection that was lost while the function was frozen reaches its target by another one,
// within Budget. A machine that stands still for a part of it leaves too little: then it is tried again.
func TestClient_Post_lostConnection(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // it takes its seconds
			for range 3 {
				took, got := postAfterLoss(t, version)
				if strings.Join(got, " ") == "before after" {
					return
				}
				t.Logf("in %v there came %q", took, got)
			}
			t.Error("no post has come after the connection was lost")
		})
	}
}

// postAfterLoss makes a post, loses its connection and makes another one. It gives the time that took,
// and what has come.
func postAfterLoss(t *testing.T, version string) (took time.Duration, got []string) {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Proto != version {
			t.Errorf("%s: %v", r.Proto, err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
	}))
	server.EnableHTTP2 = version == "HTTP/2.0"
	server.StartTLS()
	defer server.Close()
	r := startRelay(t, strings.TrimPrefix(server.URL, "https://"))
	httpClient := NewHTTPClient(0)
	transport := httpClient.Transport.(*http.Transport)
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	defer transport.CloseIdleConnections()
	c, err := New(Config{
		Endpoint: "https://" + r.Addr().String() + "/prod", AccessKey: "AKID", SecretKey: "secret",
		HTTPClient: httpClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	post := func(frame string) {
		if gone, _, err := c.Post(context.Background(), targets(1), [][]byte{[]byte(frame)}); err != nil || len(gone) > 0 {
			t.Fatal(gone, err)
		}
	}
	post("before")
	r.lose()
	begin := time.Now()
	post("after")
	mu.Lock()
	defer mu.Unlock()
	return time.Since(begin), got
}
