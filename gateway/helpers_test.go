package gateway

// A check of API Gateway's behaviour has a number, GW-01 to GW-100, and its tests are named for it:
// TestGW07_RedirectKeepsItsHeader is about GW-07, and says in words what AWS does. A check may have
// several such tests, and a test several numbers; docs/fidelity.md is made of them. What is this
// package's own is named for its subject: TestConfig_OnDrain.

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	event = events.APIGatewayWebsocketProxyRequest
	reply = events.APIGatewayProxyResponse
)

// recorder is a Handler that keeps the JSON of every event, as AWS would hand it to a Lambda.
type recorder struct {
	events chan string
	answer func(ctx context.Context, e event) (reply, error) // nil: 200
}

func newRecorder() *recorder { return &recorder{events: make(chan string, 1000)} }

func (r *recorder) Handle(ctx context.Context, e event) (reply, error) {
	text, err := MarshalEvent(e)
	if err != nil {
		return reply{}, err
	}
	r.events <- string(text)
	if r.answer != nil {
		return r.answer(ctx, e)
	}
	return reply{StatusCode: 200}, nil
}

// next waits for an event and gives it as JSON and decoded.
func (r *recorder) next(t *testing.T) (text string, decoded map[string]any) {
	t.Helper()
	select {
	case text = <-r.events:
	case <-time.After(patience):
		t.Fatal("no event")
	}
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		t.Fatalf("event is no JSON: %v\n%s", err, text)
	}
	return text, decoded
}

// none checks that no event has come so far.
func (r *recorder) none(t *testing.T) {
	t.Helper()
	select {
	case text := <-r.events:
		t.Errorf("unexpected event %s", text)
	default:
	}
}

// all routes that every API knows, with one integration.
func all(h Handler) map[string]Route {
	return map[string]Route{"$connect": {Handler: h}, "$disconnect": {Handler: h}, "$default": {Handler: h}}
}

// rig is an API behind a real server.
type rig struct {
	*API
	addr string // host:port
}

// run serves an API until the test ends. The stage is "prod" and connections may come at any rate
// unless cfg says otherwise.
func run(tb testing.TB, cfg Config) *rig {
	tb.Helper()
	return runOn(tb, cfg, KeepSpelling)
}

// runOn is run with a listener around the server's.
func runOn(tb testing.TB, cfg Config, wrap func(net.Listener) net.Listener) *rig {
	tb.Helper()
	if cfg.Stages == nil {
		cfg.Stages = []Stage{{Name: "prod"}}
	}
	setDefault(&cfg.NewConnections, unlimited)
	api, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewUnstartedServer(api)
	server.Listener = wrap(server.Listener)
	server.Start()
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := api.Shutdown(ctx, 1001, ""); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
		server.Close()
	})
	return &rig{api, server.Listener.Addr().String()}
}

// client is a raw socket that speaks WebSocket.
type client struct {
	tb   testing.TB
	conn net.Conn
	in   *bufio.Reader
	head *http.Response // the answer to the handshake
	body string         // of it, where it is no 101
}

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455 section 1.3

var upgradeLines = []string{
	"Upgrade: websocket", "Connection: Upgrade",
	"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + sampleKey,
}

// handshake opens a socket and sends a handshake with these further header lines.
func (r *rig) handshake(tb testing.TB, target string, lines ...string) *client {
	tb.Helper()
	return r.request(tb, "GET "+target, append(slices.Clone(upgradeLines), lines...)...)
}

// request sends an HTTP request without a body and reads the answer.
func (r *rig) request(tb testing.TB, method string, lines ...string) *client {
	tb.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		tb.Fatal(err)
	}
	return r.over(tb, conn, method, lines...)
}

// over is request on a connection that exists.
func (r *rig) over(tb testing.TB, conn net.Conn, method string, lines ...string) *client {
	tb.Helper()
	tb.Cleanup(func() { conn.Close() })
	c := &client{tb: tb, conn: conn, in: bufio.NewReader(conn)}
	text := strings.Join(lines, "\r\n")
	if !strings.Contains(text, "Host: ") {
		text = "Host: " + r.addr + "\r\n" + text
	}
	text = method + " HTTP/1.1\r\n" + text
	if !strings.Contains(text, "\r\n\r\n") { // else a test has written what follows the head
		text = strings.TrimRight(text, "\r\n") + "\r\n\r\n"
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		tb.Fatal(err)
	}
	answer, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodGet})
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	c.head = answer
	if answer.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			tb.Fatal(err)
		}
		c.body = string(body)
	}
	return c
}

// dial opens a WebSocket.
func (r *rig) dial(tb testing.TB, lines ...string) *client {
	tb.Helper()
	c := r.handshake(tb, "/prod", lines...)
	if c.head.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatalf("handshake: %s %s", c.head.Status, c.body)
	}
	return c
}

// onlyID gives the id of the only connection.
func (r *rig) onlyID(tb testing.TB) string {
	tb.Helper()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.conns) != 1 {
		tb.Fatalf("%d connections instead of 1", len(r.conns))
	}
	for id := range r.conns {
		return id
	}
	return ""
}

// frame sends one masked frame.
func (c *client) frame(op ws.OpCode, fin bool, payload []byte) {
	c.tb.Helper()
	f := ws.MaskFrameWith(ws.NewFrame(op, fin, append([]byte(nil), payload...)), [4]byte{1, 2, 3, 4})
	c.raw(ws.MustCompileFrame(f))
}

func (c *client) raw(b []byte) {
	c.tb.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.tb.Fatalf("write: %v", err)
	}
}

func (c *client) send(text string) {
	c.tb.Helper()
	c.frame(ws.OpText, true, []byte(text))
}

// fragments sends a text message in frames of at most size bytes.
func (c *client) fragments(message []byte, size int) {
	c.tb.Helper()
	op := ws.OpText
	for first := true; first || len(message) > 0; first = false {
		part := message[:min(size, len(message))]
		message = message[len(part):]
		c.frame(op, len(message) == 0, part)
		op = ws.OpContinuation
	}
}

// read reads one frame.
func (c *client) read() (ws.Frame, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		return ws.Frame{}, err
	}
	if h.Length > 1<<20 {
		c.tb.Fatalf("a frame of %d bytes", h.Length)
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(c.in, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

// message reads one message and gives the sizes of its frames.
func (c *client) message() (text string, sizes []int) {
	c.tb.Helper()
	for {
		f, err := c.read()
		if err != nil {
			c.tb.Fatalf("no message: %v", err)
		}
		if f.Header.OpCode == ws.OpClose {
			c.tb.Fatalf("closed instead of a message: %q", f.Payload)
		}
		if f.Header.OpCode.IsControl() {
			continue
		}
		text += string(f.Payload)
		sizes = append(sizes, len(f.Payload))
		if f.Header.Fin {
			return text, sizes
		}
	}
}

// expect reads one message and compares it.
func (c *client) expect(want string) {
	c.tb.Helper()
	if got, _ := c.message(); got != want {
		c.tb.Fatalf("message %q, want %q", got, want)
	}
}

// closed reads up to the close frame, compares it, and checks that TCP ends in time.
func (c *client) closed(code int, reason string) {
	c.tb.Helper()
	for {
		f, err := c.read()
		if err != nil {
			c.tb.Fatalf("no close frame: %v", err)
		}
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		gotCode, gotReason := ws.ParseCloseFrameData(f.Payload)
		if int(gotCode) != code || gotReason != reason {
			c.tb.Fatalf("closed with %d %q, want %d %q", gotCode, gotReason, code, reason)
		}
		break
	}
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.tb.Fatalf("after the close frame: %d bytes, %v", len(rest), err)
	}
}

// eventually waits until check holds.
func eventually(tb testing.TB, what string, check func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !check(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("never: %s", what)
		}
	}
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock(at time.Time) *clock { return &clock{at: at} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
