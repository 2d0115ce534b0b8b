package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answering is a Handler that always gives one reply.
func answering(r reply, err error) Handler {
	return HandlerFunc(func(context.Context, event) (reply, error) { return r, err })
}

func wantHead(t *testing.T, c *client, status int, body string) {
	t.Helper()
	if c.head.StatusCode != status || c.body != body {
		t.Errorf("answer %d %q, want %d %q", c.head.StatusCode, c.body, status, body)
	}
}

func TestGW01_NoConnectRouteAdmits(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	for _, target := range []string{"/prod", "/prod/"} {
		c := r.handshake(t, target)
		wantHead(t, c, 101, "")
		// RFC 6455 section 1.3 has this key and this answer.
		if got := c.head.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
			t.Errorf("Sec-WebSocket-Accept: %q", got)
		}
	}
	h.none(t)
}

func TestGW02_UnknownStageIsForbidden(t *testing.T) {
	r := run(t, Config{})
	for _, target := range []string{"/dev", "/", "/prod/more", "//prod"} {
		c := r.handshake(t, target)
		wantHead(t, c, 403, `{"message":"Forbidden"}`)
		if got := c.head.Header.Get("x-amzn-ErrorType"); got != "ForbiddenException" {
			t.Errorf("%s: x-amzn-ErrorType: %q", target, got)
		}
	}
}

func TestGW03_PlainGetIsForbidden(t *testing.T) {
	r := run(t, Config{})
	c := r.request(t, "GET /prod")
	wantHead(t, c, 403, `{"message":"Forbidden"}`)
	if got := c.head.Header.Get("x-amzn-ErrorType"); got != "ForbiddenException" {
		t.Errorf("x-amzn-ErrorType: %q", got)
	}
	if c.head.Header.Get("x-amzn-RequestId") == "" {
		t.Error("no x-amzn-RequestId")
	}

	named := run(t, Config{Forbidden: func(*http.Request) string { return "Forbidden: use /prod" }})
	wantHead(t, named.request(t, "GET /prod"), 403, `{"message":"Forbidden: use /prod"}`)
}

func TestGW04_ConnectReturnsBeforeThe101(t *testing.T) {
	release, inside := make(chan struct{}), make(chan struct{})
	r := run(t, Config{Routes: map[string]Route{"$connect": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			close(inside)
			<-release
			return reply{StatusCode: 200}, nil
		})}}})
	answered := make(chan int, 1)
	go func() { answered <- r.handshake(t, "/prod").head.StatusCode }()
	<-inside
	select {
	case status := <-answered:
		t.Fatalf("answer %d while $connect is running", status)
	case <-time.After(50 * time.Millisecond):
	}
	if n := r.Stats().Open; n != 0 {
		t.Errorf("%d connections while $connect is running", n)
	}
	close(release)
	if status := <-answered; status != 101 {
		t.Errorf("answer %d, want 101", status)
	}
}

func TestGW05_AnySuccessAdmits(t *testing.T) {
	for _, status := range []int{200, 201, 204, 299} {
		r := run(t, Config{Routes: all(answering(reply{StatusCode: status, Body: "ignored"}, nil))})
		wantHead(t, r.handshake(t, "/prod"), 101, "")
	}
}

func TestGW06_RefusalHasTheLambdasBody(t *testing.T) {
	r := run(t, Config{Routes: all(answering(reply{StatusCode: 401, Body: "no"}, nil))})
	wantHead(t, r.handshake(t, "/prod"), 401, "no")

	r = run(t, Config{Routes: all(answering(
		reply{StatusCode: 403, Body: "bm8=", IsBase64Encoded: true}, nil))})
	wantHead(t, r.handshake(t, "/prod"), 403, "no")
}

func TestGW07_RedirectKeepsItsHeader(t *testing.T) {
	r := run(t, Config{Routes: all(answering(reply{StatusCode: 301, Headers: map[string]string{
		"Location": "wss://other.example/prod", "Connection": "upgrade", "content-length": "99",
	}, MultiValueHeaders: map[string][]string{"X-Many": {"a", "b"}}}, nil))})
	c := r.handshake(t, "/prod")
	wantHead(t, c, 301, "")
	if got := c.head.Header.Get("Location"); got != "wss://other.example/prod" {
		t.Errorf("Location: %q", got)
	}
	if got := c.head.Header["X-Many"]; len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("X-Many: %q", got)
	}
}

func TestGW08_ConnectErrorIs502(t *testing.T) {
	panics := HandlerFunc(func(context.Context, event) (reply, error) { panic("crash") })
	for name, h := range map[string]Handler{
		"error":     answering(reply{StatusCode: 200}, errors.New("broken")),
		"panic":     panics,
		"no status": answering(reply{}, nil),
		"101":       answering(reply{StatusCode: 101}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			kept := newRecorder()
			kept.answer = h.Handle
			r := managed(t, Config{Routes: map[string]Route{"$connect": {Handler: kept}}})
			if c := r.handshake(t, "/prod"); c.head.StatusCode != http.StatusBadGateway {
				t.Errorf("answer %s, want 502", c.head.Status)
			}
			_, e := kept.next(t)
			id := contextOf(e)["connectionId"].(string)
			want(t, r.call(t, "POST", at(id), nil, nil), 410, "GoneException", "") // never an address
			if s := r.Stats(); s.Total != 0 || s.HandlerErrors != 1 || s.Refused[CauseRoute] != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestGW09_SlowConnectIs504(t *testing.T) {
	clock, release := newClock(time.Unix(1790000000, 0)), make(chan struct{})
	defer close(release)
	h := newRecorder()
	h.answer = slow(release, "").Handle
	r := run(t, Config{Now: clock.now, Routes: map[string]Route{"$connect": {Handler: h}}})
	ended := make(chan *client)
	go func() { ended <- r.handshake(t, "/prod") }()
	h.next(t)
	clock.add(29 * time.Second) // Developer Guide, "Amazon API Gateway quotas"
	c := <-ended
	if c.head.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("answer %s, want 504", c.head.Status)
	}
	if !strings.Contains(c.body, `"Endpoint request timed out"`) {
		t.Errorf("body %s", c.body)
	}
}

func TestGW10_SubprotocolIsTheReplys(t *testing.T) {
	r := run(t, Config{Routes: all(answering(reply{
		StatusCode: 200,
		Headers:    map[string]string{"sec-websocket-protocol": "b"},
	}, nil))})
	c := r.dial(t, "Sec-WebSocket-Protocol: a, b")
	if got := c.head.Header["Sec-Websocket-Protocol"]; len(got) != 1 || got[0] != "b" {
		t.Errorf("Sec-WebSocket-Protocol: %q, want b", got)
	}

	r = run(t, Config{Routes: all(answering(reply{
		StatusCode: 200,
		Headers:    map[string]string{"Sec-WebSocket-Protocol": "b\r\nX-Injected: 1"},
	}, nil))})
	if c := r.dial(t); c.head.Header.Get("X-Injected") != "" {
		t.Error("a reply can add header lines to the 101")
	}
}

func TestGW11_NoSubprotocolWithoutTheReplys(t *testing.T) {
	r := run(t, Config{Routes: all(newRecorder())})
	c := r.dial(t, "Sec-WebSocket-Protocol: a, b")
	if got, ok := c.head.Header["Sec-Websocket-Protocol"]; ok {
		t.Errorf("Sec-WebSocket-Protocol: %q, want none", got)
	}
}

func TestGW12_NoDisconnectAfterRefusal(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{
		"$connect": {Handler: answering(reply{StatusCode: 401}, nil)}, "$disconnect": {Handler: h},
	}})
	c := r.handshake(t, "/prod")
	wantHead(t, c, 401, "")
	c.conn.Close()
	if err := r.Shutdown(context.Background(), 1001, ""); err != nil { // waits for all handlers
		t.Fatal(err)
	}
	h.none(t)
}

func TestAPI_handshake_refusesMalformed(t *testing.T) {
	r := run(t, Config{})
	const (
		upgrade = "Upgrade: websocket"
		connect = "Connection: keep-alive, Upgrade"
		version = "Sec-WebSocket-Version: 13"
		key     = "Sec-WebSocket-Key: " + sampleKey
	)
	for name, test := range map[string]struct {
		want  int
		lines []string
	}{
		"ok":              {101, []string{upgrade, connect, version, key}},
		"no upgrade":      {403, []string{connect, version, key}},
		"no connection":   {403, []string{upgrade, version, key}},
		"no version":      {400, []string{upgrade, connect, key}},
		"version 8":       {400, []string{upgrade, connect, "Sec-WebSocket-Version: 8", key}},
		"no key":          {400, []string{upgrade, connect, version}},
		"short key":       {400, []string{upgrade, connect, version, "Sec-WebSocket-Key: AAAA"}},
		"two keys":        {400, []string{upgrade, connect, version, key, key}},
		"content length":  {400, []string{upgrade, connect, version, key, "Content-Length: 5"}},
		"chunked":         {400, []string{upgrade, connect, version, key, "Transfer-Encoding: chunked"}},
		"zero length":     {101, []string{upgrade, connect, version, key, "Content-Length: 0"}},
		"lower-case name": {101, []string{"upgrade: WebSocket", connect, version, key}},
	} {
		t.Run(name, func(t *testing.T) {
			head := r.request(t, "GET /prod", test.lines...).head
			if head.StatusCode != test.want {
				t.Errorf("answer %d, want %d", head.StatusCode, test.want)
			}
			// RFC 6455 section 4.4: who speaks another version is told which one is spoken.
			refused := head.StatusCode == http.StatusBadRequest
			if version := head.Header.Get("Sec-WebSocket-Version"); refused && version != "13" {
				t.Errorf("Sec-WebSocket-Version %q, want 13", version)
			}
		})
	}
	c := r.request(t, "POST /prod", upgrade, connect, version, key)
	wantHead(t, c, 403, `{"message":"Forbidden"}`)
}

func TestAPI_handshake_takesEarlyFrames(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
	text := "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: " + sampleKey + "\r\n\r\n" + "\x81\x85\x00\x00\x00\x00early"
	c := r.request(t, "GET /prod", text)
	wantHead(t, c, 101, "")
	if _, e := h.next(t); e["body"] != "early" {
		t.Errorf("body %q, want early", e["body"])
	}
}

// More may come with the handshake than may be under way: it waits, and what follows waits behind it.
func TestAPI_handshake_takesManyEarlyFrames(t *testing.T) {
	const messages = 3000
	all := make(chan string, messages)
	count := HandlerFunc(func(_ context.Context, e event) (reply, error) {
		all <- e.Body
		return reply{StatusCode: 200}, nil
	})
	r := run(t, Config{Serial: true, Routes: map[string]Route{"$default": {Handler: count, Timeout: -1}}})
	text := strings.Join(upgradeLines, "\r\n") + "\r\n\r\n"
	for i := range messages {
		text += string(frame(textFrame, strconv.Itoa(i)))
	}
	wantHead(t, r.request(t, "GET /prod", text), 101, "")
	for i := range messages {
		select {
		case got := <-all:
			if got != strconv.Itoa(i) {
				t.Fatalf("message %s, want %d", got, i)
			}
		case <-time.After(patience):
			t.Fatalf("message %d does not come", i)
		}
	}
}

func TestAPI_Shutdown(t *testing.T) {
	t.Parallel() // it takes a second
	h := newRecorder()
	r := run(t, Config{Routes: all(h)})
	c := r.dial(t)
	h.next(t)
	shut := make(chan error, 1)
	go func() { shut <- r.Shutdown(context.Background(), 1012, "restart") }()
	c.closed(1012, "restart")
	if err := <-shut; err != nil {
		t.Fatal(err)
	}
	_, e := h.next(t)
	requestContext := e["requestContext"].(map[string]any)
	if requestContext["disconnectStatusCode"] != 1012.0 {
		t.Errorf("$disconnect %v, want 1012", requestContext["disconnectStatusCode"])
	}
	after := r.handshake(t, "/prod")
	if after.head.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("handshake after Shutdown: %s, want 503", after.head.Status)
	}
	if err := r.Shutdown(context.Background(), 1005, ""); err == nil {
		t.Error("Shutdown takes 1005, which no close frame can carry")
	}
}

func TestAPI_Shutdown_waitsForHandlers(t *testing.T) {
	release := make(chan struct{})
	r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			<-release
			return reply{StatusCode: 200}, nil
		})}}})
	c := r.dial(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx, 1001, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown with a handler that hangs: %v, want deadline exceeded", err)
	}
	if _, err := io.Copy(io.Discard, c.conn); err != nil && !errors.Is(err, io.EOF) {
		t.Logf("client: %v", err) // cut
	}
	close(release)
}
