package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/connections"
)

// While a connection is being closed its client may go: Shutdown waits for $disconnect all the same.
func TestAPI_Shutdown_waitsForWhatIsBeingClosed(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
	c := r.dial(t)
	id := r.onlyID(t)
	held := r.lookup(id)
	held.in.mu.Lock() // who closes stops here, behind the close frame and before $disconnect
	closed := make(chan error, 1)
	go func() {
		closed <- r.Close(context.Background(), connections.Target{ID: id}, 4000, "")
	}()
	if _, err := c.read(); err != nil {
		t.Fatal(err)
	}
	c.conn.Close()
	eventually(t, "the client is gone", func() bool { return r.Stats().Open == 0 })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx, 1001, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown before $disconnect: %v, want deadline exceeded", err)
	}
	held.in.mu.Unlock()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	h.next(t)
}

// A handler that ends its goroutine, as a test's helper may, has failed at once.
func TestHandler_endsItsGoroutine(t *testing.T) {
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			runtime.Goexit()
			return reply{}, nil
		})}}})
	c := r.dial(t)
	c.send("x")
	if text, _ := c.message(); !strings.HasPrefix(text, `{"message": "Internal server error", `) {
		t.Errorf("frame %s, want Internal server error", text)
	}
}

// register is a handler that counts who is in, and posts and closes as messages say.
type register struct {
	api     *API
	in, out atomic.Int64
	wrong   atomic.Int64 // posts from $disconnect that arrive
}

func (g *register) Handle(ctx context.Context, e event) (reply, error) {
	to := connections.Target{ID: e.RequestContext.ConnectionID}
	switch e.RequestContext.EventType {
	case "CONNECT":
		g.in.Add(1)
	case "DISCONNECT":
		gone, _, err := g.api.Post(ctx, []connections.Target{to}, [][]byte{[]byte("x")})
		if len(gone) != 1 || err != nil {
			g.wrong.Add(1)
		}
		runtime.Gosched()
		g.out.Add(1)
	default:
		if e.Body == "close" {
			return reply{StatusCode: 200}, g.api.Close(ctx, to, 4000, "")
		}
		_, _, err := g.api.Post(ctx, []connections.Target{to}, [][]byte{[]byte(e.Body)})
		return reply{StatusCode: 200}, err
	}
	return reply{StatusCode: 200}, nil
}

// Shutdown while clients come and go in each of their ways: whom $connect has let in has had its
// $disconnect when Shutdown returns, and nothing is left of anybody.
func TestAPI_Shutdown_underChurn(t *testing.T) {
	for name, server := range map[string]func(*testing.T, *httptest.Server) func() (net.Conn, error){
		"TCP": func(_ *testing.T, s *httptest.Server) func() (net.Conn, error) {
			s.Start()
			return func() (net.Conn, error) { return net.Dial("tcp", s.Listener.Addr().String()) }
		},
		"TLS": func(_ *testing.T, s *httptest.Server) func() (net.Conn, error) {
			s.StartTLS()
			trust := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			trust.ServerName = "example.com"
			return func() (net.Conn, error) {
				return tls.Dial("tcp", s.Listener.Addr().String(), trust)
			}
		},
		"Unix": func(t *testing.T, s *httptest.Server) func() (net.Conn, error) {
			s.Listener.Close()
			path := filepath.Join(t.TempDir(), "s")
			var err error
			if s.Listener, err = net.Listen("unix", path); err != nil {
				t.Fatal(err)
			}
			s.Start()
			return func() (net.Conn, error) { return net.Dial("unix", path) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it takes a second
			g := &register{}
			api, err := New(Config{
				Stages: []Stage{{Name: "prod"}}, Routes: all(g), Serial: name == "TCP",
				NewConnections: unlimited, Requests: unlimited,
			})
			if err != nil {
				t.Fatal(err)
			}
			g.api = api
			s := httptest.NewUnstartedServer(api)
			defer s.Close()
			dial := server(t, s)
			stop := churn(dial)
			eventually(t, "clients come and go", func() bool { return g.out.Load() > 200 })
			if err := api.Shutdown(context.Background(), 1001, ""); err != nil {
				t.Error(err)
			}
			in, out := g.in.Load(), g.out.Load()
			stop()
			if in != out || g.in.Load() != in || g.out.Load() != out {
				t.Errorf("Shutdown returns after %d have come and %d gone; then %d and %d", in, out,
					g.in.Load(), g.out.Load())
			}
			if n := g.wrong.Load(); n > 0 {
				t.Errorf("%d posts to connections that have ended", n)
			}
			if n := api.Stats().Open; n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}

// churn lets clients connect, say something and go, until it is stopped.
func churn(dial func() (net.Conn, error)) (stop func()) {
	var over atomic.Bool
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			for way := i; !over.Load(); way++ {
				conn, err := dial()
				if err != nil {
					continue // the queue of a Unix socket may be full
				}
				stay(conn, way%4)
				conn.Close()
			}
		})
	}
	return func() {
		over.Store(true)
		clients.Wait()
	}
}

// stay is what a client does before TCP is closed. Errors are the end of it.
func stay(conn net.Conn, way int) {
	conn.SetDeadline(time.Now().Add(patience))
	text := "GET /prod HTTP/1.1\r\nHost: h\r\n" + strings.Join(upgradeLines, "\r\n") + "\r\n\r\n"
	if _, err := io.WriteString(conn, text); err != nil {
		return
	}
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 101") {
		return
	}
	last := frame(textFrame, "hello")
	switch way {
	case 0: // it is gone at once
		if c, ok := conn.(*net.TCPConn); ok {
			_ = c.SetLinger(0) // then without a reset
		}
		return
	case 1: // it is closed by the handler
		last = frame(textFrame, "close")
	case 2:
		last = closeWith(1000, "")
	}
	if _, err := conn.Write(last); err == nil {
		_, _ = conn.Read(buf) // an answer or the end
	}
}
