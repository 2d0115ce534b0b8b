package wsline

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/confab-chat/confab/internal/terminal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is how long anything here may take.
const limit = 20 * time.Second

// peer is a server whose end of each connection a test writes.
func peer(t *testing.T, o *websocket.AcceptOptions, talk func(context.Context, *websocket.Conn)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, o)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		talk(r.Context(), conn)
	}))
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// untilClosed reads until the client closes, and gives its code.
func untilClosed(ctx context.Context, conn *websocket.Conn) websocket.StatusCode {
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// run gives what is printed and said, and the outcome.
func run(t *testing.T, ctx context.Context, input io.Reader, o Options) (printed, said string, err error) { //nolint:revive // the test comes first
	t.Helper()
	dir := t.TempDir()
	var files []*os.File
	for _, name := range []string{"out", "err"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		files = append(files, f)
	}
	console, err := terminal.OpenConsole(input, files[0], files[1], "> ", true)
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	o.Connect = limit
	err = Run(ctx, o, console)
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return string(b)
	}
	return text("out"), text("err"), err
}

func TestRun_BytesStay(t *testing.T) {
	naughty := "\x1b[2J\u202e\u009b two\nlines"
	server := peer(t, nil, func(ctx context.Context, conn *websocket.Conn) {
		_ = conn.Write(ctx, websocket.MessageText, []byte(naughty))
		_ = conn.Write(ctx, websocket.MessageBinary, []byte{0, 0xff, 0x10})
		_ = conn.Close(websocket.StatusNormalClosure, "bye\x1b")
	})
	printed, said, err := run(t, t.Context(), strings.NewReader(""), Options{URL: server.URL, Wait: -1})
	if want := naughty + "\n00ff10\n"; printed != want || err != nil {
		t.Errorf("printed %q, %v, want %q", printed, err, want)
	}
	if want := "Closed by the server with code 1000: bye^[.\n"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestRun_CloseCodes(t *testing.T) {
	for code, want := range map[websocket.StatusCode]string{
		1000: "", 1001: "", 1008: "code 1008: why", 1011: "code 1011: why", 4000: "code 4000: why",
	} {
		server := peer(t, nil, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(code, "why") })
		_, _, err := run(t, t.Context(), strings.NewReader(""), Options{URL: server.URL, Wait: -1})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("code %d: %v", code, err)
		}
	}
	lost := peer(t, nil, func(_ context.Context, conn *websocket.Conn) { conn.CloseNow() })
	printed, _, err := run(t, t.Context(), strings.NewReader(""), Options{URL: lost.URL, Wait: -1, JSON: true})
	if err == nil || !strings.Contains(err.Error(), "the connection was lost") {
		t.Errorf("lost: %v", err)
	}
	if !strings.Contains(printed, `{"type":"close","code":1006,"reason":""}`) {
		t.Errorf("lost: printed %s", printed)
	}
}

// TestRun_Ends closes with 1000 after the input, and after an interruption.
func TestRun_Ends(t *testing.T) {
	codes := make(chan websocket.StatusCode, 1)
	server := peer(t, nil, func(ctx context.Context, conn *websocket.Conn) {
		_ = conn.Write(ctx, websocket.MessageText, []byte("hello"))
		codes <- untilClosed(ctx, conn)
	})
	if _, _, err := run(t, t.Context(), strings.NewReader("a\nb"), Options{URL: server.URL}); err != nil {
		t.Errorf("end of the input: %v", err)
	}
	if code := <-codes; code != 1000 {
		t.Errorf("end of the input: code %d", code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe() // nothing comes
	defer writer.Close()
	time.AfterFunc(0, cancel)
	_, _, err := run(t, ctx, reader, Options{URL: server.URL, Wait: -1})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestRun_Pings(t *testing.T) {
	pinged := make(chan struct{}, 100)
	server := peer(t, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
		pinged <- struct{}{}
		return len(pinged) < 2 // the second one gets no answer
	}}, func(ctx context.Context, conn *websocket.Conn) { untilClosed(ctx, conn) })
	o := Options{URL: server.URL, Wait: -1, Ping: 200 * time.Millisecond, ShowPings: true}
	_, said, err := run(t, t.Context(), strings.NewReader(""), o)
	if err == nil || !strings.Contains(err.Error(), "connection was lost: a ping was not answered within 200ms") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(said, "pong") || len(pinged) < 2 {
		t.Errorf("%d pings, said %q", len(pinged), said)
	}
}

func TestRun_Refused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not \x1b[31m you", http.StatusForbidden)
	}))
	defer server.Close()
	_, _, err := run(t, t.Context(), strings.NewReader(""), Options{URL: server.URL})
	if err == nil || !strings.HasSuffix(err.Error(), "refuses the connection with 403 Forbidden: not ^[[31m you") {
		t.Errorf("%v", err)
	}
	server.Close()
	if _, _, err = run(t, t.Context(), strings.NewReader(""), Options{URL: server.URL}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestRun_TLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"two"}})
		if err == nil {
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(r.Header.Get("X-Tea")+" "+r.Host))
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}
	}))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	for name, config := range map[string]*tls.Config{
		"unknown": nil, "ca": {RootCAs: pool, MinVersion: tls.VersionTLS12},
		"insecure": {InsecureSkipVerify: true}, //nolint:gosec // that is what is tried
	} {
		o := Options{
			URL: "wss" + strings.TrimPrefix(server.URL, "https"), TLS: config, JSON: true, Wait: -1,
			Header: http.Header{"X-Tea": {"milk"}, "Host": {"chat.example"}}, Subprotocols: []string{"one", "two"},
		}
		printed, _, err := run(t, t.Context(), strings.NewReader(""), o)
		if name == "unknown" {
			if err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("an unknown certificate: %v", err)
			}
			continue
		}
		want := `{"type":"open","subprotocol":"two"}` + "\n" + `{"type":"text","data":"milk chat.example"}` + "\n"
		if err != nil || !strings.HasPrefix(printed, want) {
			t.Errorf("%s: %v, printed %s", name, err, printed)
		}
	}
}
