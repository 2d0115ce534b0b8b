package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/client"
)

// stage is a server that a test plays frame by frame, on a network in memory and in the time of a
// synctest bubble.
type stage struct {
	t      *testing.T
	server *http.Server
	http   *http.Client
	conns  chan net.Conn // that clients have dialed
	peers  chan *peer    // that were accepted
	closed chan struct{}

	mu     sync.Mutex
	isDown bool // nobody can dial
	dialed []time.Time
	// refuse answers a handshake, where it is set and gives a status.
	refuse func() int
}

// play runs a test in a bubble, with its stage.
func play(t *testing.T, test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{
			t: t, conns: make(chan net.Conn), peers: make(chan *peer, 8), closed: make(chan struct{}),
		}
		transport := &http.Transport{DialContext: s.dial}
		s.http = &http.Client{Transport: transport}
		s.server = &http.Server{Handler: s} //nolint:gosec // in memory
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = s.server.Serve(s) // until Close
		}()
		test(t, s)
		_ = s.server.Close()
		transport.CloseIdleConnections()
		<-served
	})
}

func (s *stage) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dialed = append(s.dialed, time.Now())
	down := s.isDown
	s.mu.Unlock()
	if down {
		return nil, fmt.Errorf("the network is down")
	}
	in, out := net.Pipe()
	select {
	case s.conns <- out:
		return in, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// down takes the network away, or gives it back.
func (s *stage) down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isDown = down
}

// refuses has handshakes answered.
func (s *stage) refuses(refuse func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// dials is when clients have dialed.
func (s *stage) dials() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dialed)
}

// Accept, Close and Addr make the stage a net.Listener.
func (s *stage) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *stage) Close() error {
	close(s.closed)
	return nil
}

func (s *stage) Addr() net.Addr { return &net.IPAddr{} }

// peer is one connection of a client.
type peer struct {
	t      *testing.T
	conn   *websocket.Conn
	query  url.Values
	header http.Header
	frames chan frame // what the client says, until it ends
	code   websocket.StatusCode
}

// frame is an action of the client, and when it came.
type frame struct {
	at     time.Time
	raw    string
	fields map[string]any
}

func (f frame) id() string { return fmt.Sprint(f.fields["id"]) }

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != nil {
		if status := refuse(); status != 0 {
			http.Error(w, "a sentence", status)
			return
		}
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"confab"}})
	if err != nil {
		s.t.Error(err)
		return
	}
	conn.SetReadLimit(1 << 20)
	p := &peer{t: s.t, conn: conn, query: r.URL.Query(), header: r.Header, frames: make(chan frame, 4096)}
	s.peers <- p
	defer close(p.frames)
	for {
		_, text, err := conn.Read(context.Background())
		if err != nil {
			p.code = websocket.CloseStatus(err)
			conn.CloseNow()
			return
		}
		f := frame{at: time.Now(), raw: string(text)}
		if err := json.Unmarshal(text, &f.fields); err != nil {
			s.t.Errorf("the client says %s: %v", text, err)
		}
		p.frames <- f
	}
}

// await gives the next action of that name; others in front of it are skipped.
func (p *peer) await(action string) frame {
	p.t.Helper()
	for f := range p.frames {
		if f.fields["action"] == action {
			return f
		}
	}
	p.t.Fatalf("the client ended without %s", action)
	return frame{}
}

// next gives the next action, which must have the name.
func (p *peer) next(action string) frame {
	p.t.Helper()
	f, ok := <-p.frames
	if !ok || f.fields["action"] != action {
		p.t.Fatalf("the client says %s, want %s", f.raw, action)
	}
	return f
}

// silent tells that the client has nothing to say now.
func (p *peer) silent() {
	p.t.Helper()
	synctest.Wait()
	select {
	case f, ok := <-p.frames:
		if ok {
			p.t.Fatalf("the client says %s, want nothing", f.raw)
		}
	default:
	}
}

func (p *peer) send(format string, args ...any) {
	p.t.Helper()
	err := p.conn.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, format, args...))
	if err != nil {
		p.t.Error(err)
	}
}

// message pushes a message of the room tea.
func (p *peer) message(seq int, id, from, text string) {
	p.t.Helper()
	p.send(`{"event":"message","room":"tea","seq":%d,"epoch":"e1","id":%q,"from":%q,"message":%q,"at":"2026-11-21T12:00:00.000Z"}`,
		seq, id, from, text)
}

// texts pushes messages "text N" of bob.
func (p *peer) texts(numbers ...int) {
	p.t.Helper()
	for _, n := range numbers {
		p.message(n, fmt.Sprintf("b%d", n), "bob", fmt.Sprintf("text %d", n))
	}
}

// page answers a history with "text N" for each number.
func (p *peer) page(asked frame, more bool, numbers ...int) {
	p.t.Helper()
	items := ""
	for i, n := range numbers {
		if i > 0 {
			items += ","
		}
		items += fmt.Sprintf(
			`{"room":"tea","seq":%d,"epoch":"e1","id":"b%d","from":"bob","message":"text %d","at":"2026-11-21T12:00:00.000Z"}`,
			n, n, n)
	}
	last := 0
	if len(numbers) > 0 {
		last = numbers[len(numbers)-1]
	}
	p.send(`{"event":"history","id":%q,"room":"tea","messages":[%s],"more":%t,"seq":%d,"epoch":"e1"}`,
		asked.id(), items, more, last)
}

// welcome answers hello: alice is in the room tea, which is at seq. more are other members.
func (p *peer) welcome(seq int, more string) frame {
	p.t.Helper()
	hello := p.next("hello")
	p.send(`{"event":"welcome","id":%q,"protocol":1,"server":"0.1.0","user":"alice","connectionId":"c1",`+
		`"heartbeatSeconds":10,"pipeline":2,%s"rooms":[{"room":"tea","seq":%d,"epoch":"e1","read":0}]}`,
		hello.id(), more, seq)
	return hello
}

// pong answers a heartbeat: the room tea is at seq.
func (p *peer) pong(ping frame, seq int) {
	p.t.Helper()
	p.send(`{"event":"pong","id":%q,"rooms":[{"room":"tea","seq":%d,"epoch":"e1"}]}`, ping.id(), seq)
}

// cut ends the connection without a word.
func (p *peer) cut() { p.conn.CloseNow() }

// client dials as alice, and answers hello with tea at seq.
func (s *stage) client(seq int, more string, options ...client.Option) (*client.Client, *peer) {
	s.t.Helper()
	options = append([]client.Option{client.Name("alice"), client.HTTPClient(s.http), client.Lazy()}, options...)
	c, err := client.Dial(s.t.Context(), "ws://chat.example/production", options...)
	if err != nil {
		s.t.Fatal(err)
	}
	p := <-s.peers
	p.welcome(seq, more)
	s.expect(c, client.Connected{User: "alice", ConnectionID: "c1"})
	return c, p
}

// event gives the next event.
func (s *stage) event(c *client.Client) client.Event {
	s.t.Helper()
	for event, err := range c.Events(context.Background()) {
		if err != nil {
			s.t.Fatal(err)
		}
		return event
	}
	return nil
}

// expect takes the next event and compares it.
func (s *stage) expect(c *client.Client, want client.Event) {
	s.t.Helper()
	if got := s.event(c); got != want {
		s.t.Fatalf("event %#v, want %#v", got, want)
	}
}

// shows takes the next events, which must be "text N" for these numbers.
func (s *stage) shows(c *client.Client, numbers ...int) {
	s.t.Helper()
	for _, n := range numbers {
		m, ok := s.event(c).(client.Message)
		if !ok || m.Seq != uint64(n) || m.Text != fmt.Sprintf("text %d", n) || m.Room != "tea" || m.Epoch != "e1" {
			s.t.Fatalf("shown %#v, want text %d", m, n)
		}
	}
}

// nothing tells that no event waits.
func (s *stage) nothing(c *client.Client) {
	s.t.Helper()
	synctest.Wait()
	ctx, stop := context.WithTimeout(context.Background(), time.Nanosecond)
	defer stop()
	for event, err := range c.Events(ctx) {
		if err == nil {
			s.t.Fatalf("event %#v, want none", event)
		}
	}
}

// end closes the client.
func (s *stage) end(c *client.Client) {
	s.t.Helper()
	if err := c.Close(); err != nil {
		s.t.Error(err)
	}
}
