package gateway

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// handshake upgrades a request that $connect lets in. Refusals are HTTP answers, not close frames.
func (a *API) handshake(w http.ResponseWriter, r *http.Request, stage *stage) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !wellFormed(r, key) {
		a.stats.refuse(CauseHandshake)
		w.Header().Set("Connection", "close")                // or net/http waits for the body
		w.Header()["Sec-WebSocket-Version"] = []string{"13"} // RFC 6455 section 4.4
		a.answer(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
		return
	}
	if !a.admits(stage) {
		a.stats.refuse(CauseThrottle)
		a.throttled(w, "TooManyRequestsException")
		return
	}
	if !a.enter() {
		a.unavailable(w)
		return
	}
	c, err := a.newConnection(r, stage)
	var early []byte
	if err == nil {
		early, err = c.hijack(w)
	}
	if err != nil {
		a.work.Done()
		a.cfg.Logger.Error("handshake failed", "error", err)
		a.answer(w, http.StatusInternalServerError, "", "Internal server error")
		return
	}
	// This goroutine is new and its stack small; workers have theirs from the handlers before.
	a.workers.Do(job{c: c, opening: &opened{r, key, early}})
}

// opened is a handshake that HTTP has no part in any more.
type opened struct {
	request *http.Request
	key     string
	early   []byte // what the client has sent too early
}

// begin asks $connect and answers the handshake.
func (c *connection) begin(o *opened) {
	defer c.api.work.Done()
	reply, refused := c.connect(o.request)
	c.spelling = nil
	if refused != "" {
		c.api.stats.refuse(refused)
		c.reject(reply)
		return
	}
	if c.admit(o.key, reply) {
		c.start(o.early)
	}
}

// enter counts a handshake as work, until begin is done, unless the API is shutting down.
func (a *API) enter() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.draining {
		return false
	}
	a.work.Add(1)
	return true
}

func (a *API) unavailable(w http.ResponseWriter) {
	a.stats.refuse(CauseShutdown)
	w.Header().Set("Retry-After", "1")
	a.answer(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable")
}

// isUpgrade tells whether a request wants to be a WebSocket.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header["Connection"], "upgrade") &&
		hasToken(r.Header["Upgrade"], "websocket")
}

func hasToken(values []string, want string) bool {
	for _, v := range values {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), want) {
				return true
			}
		}
	}
	return false
}

// wellFormed checks what RFC 6455 section 4.2.1 asks of a client. A body has no place in a
// handshake: what follows it would be taken for frames by one side only.
func wellFormed(r *http.Request, key string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	return err == nil && len(raw) == 16 && len(r.Header["Sec-Websocket-Key"]) == 1 &&
		r.Header.Get("Sec-WebSocket-Version") == "13" && r.ProtoAtLeast(1, 1) &&
		r.ContentLength == 0 && len(r.TransferEncoding) == 0
}

// newConnection makes the connection that a request asks for.
func (a *API) newConnection(r *http.Request, stage *stage) (*connection, error) {
	id, tail, err := a.ids.connection()
	if err != nil {
		return nil, err
	}
	c := &connection{
		api: a, id: id, tail: tail, stage: stage, host: strings.Clone(r.Host),
		peer: strings.Clone(peerOf(r)), agent: strings.Clone(r.UserAgent()), since: a.cfg.Now(),
	}
	return c, nil
}

// peerOf is the client's address.
func peerOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// hijack takes the connection from the HTTP server, with what the client has sent too early.
func (c *connection) hijack(w http.ResponseWriter) (early []byte, err error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	c.conn = conn
	if n := buffered.Reader.Buffered(); n > 0 {
		early = make([]byte, n)
		if _, err := io.ReadFull(buffered, early); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if spelled, ok := conn.(*spelledConn); ok {
		c.conn = spelled.Conn
	}
	c.spelling = spellingOf(conn, len(early))
	return early, nil
}

// connect asks the authorizer and the $connect route, and gives why the client is refused, or "".
// Without a $connect route everybody is admitted.
func (c *connection) connect(r *http.Request) (reply events.APIGatewayProxyResponse, refused Cause) {
	live := c.stage.live.Load()
	route := live.routes[ConnectRoute]
	if route == nil && live.log == nil {
		return reply, ""
	}
	event, err := c.connectEvent(r)
	if err != nil {
		c.api.cfg.Logger.Error("handshake failed", "error", err)
		return c.failed(err, ""), CauseRoute
	}
	outcome := result{status: http.StatusOK}
	if route != nil {
		reply, refused, outcome = c.admission(r, route, event)
	}
	if live.log != nil {
		c.logEvent(live.log, event, outcome)
	}
	return reply, refused
}

// admission gives what the authorizer and the integration of $connect say to a handshake.
func (c *connection) admission(r *http.Request, route *route,
	event *events.APIGatewayWebsocketProxyRequest,
) (reply events.APIGatewayProxyResponse, refused Cause, outcome result) {
	request := event.RequestContext.RequestID
	if d := c.authorize(r, route, event); d != nil {
		return c.deny(d, request), CauseAuthorizer, d.outcome(route.Authorizer != nil)
	}
	c.api.stats.connects.Add(1)
	reply, err := c.api.invoke(context.WithoutCancel(r.Context()), route, event)
	outcome = resultOf(reply, err)
	if err != nil {
		c.api.cfg.Logger.Warn("route failed", "route", ConnectRoute, "connection", c.id,
			"error", err)
		reply = c.failed(err, request)
		outcome.status = reply.StatusCode
	}
	if reply.StatusCode >= 300 {
		refused = CauseRoute
	}
	return reply, refused, outcome
}

// admit sends the 101 and makes the connection addressable, in this order for everybody else.
func (c *connection) admit(key string, reply events.APIGatewayProxyResponse) bool {
	now := c.api.now()
	c.heard.Store(now)
	c.active.Store(now)
	c.mu.Lock()
	if !c.api.add(c) {
		c.mu.Unlock()
		c.reject(events.APIGatewayProxyResponse{StatusCode: http.StatusServiceUnavailable})
		c.api.work.Add(1)
		c.in.close(c, &closing{1006, "Connection closed abnormally", CauseShutdown})
		return false
	}
	defer c.mu.Unlock()
	if err := c.greet(key, protocolOf(reply)); err != nil {
		c.api.cfg.Logger.Debug("101 not delivered", "connection", c.id, "error", err)
	}
	c.state = open // who reads finds a lost connection, and ends it
	return true
}

// greet sends the 101. c.mu is held.
func (c *connection) greet(key, protocol string) error {
	b := newBatch()
	defer b.release()
	b.bytes = appendSwitching(b.bytes, key, protocol, c.api.cfg.Now())
	b.ends = append(b.ends, len(b.bytes))
	if c.poller != nil {
		if c.write(b, true) == gone {
			return net.ErrClosed
		}
		return nil
	}
	c.conn.SetWriteDeadline(time.Now().Add(HandshakeTimeout))
	_, err := c.conn.Write(b.bytes)
	c.conn.SetWriteDeadline(time.Time{})
	if err != nil {
		c.conn.Close() // the client may still be there, with a part of it
	}
	return err
}

// appendSwitching appends the 101 (RFC 6455 section 4.2.2).
func appendSwitching(b []byte, key, protocol string, now time.Time) []byte {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nDate: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "...)
	b = base64.StdEncoding.AppendEncode(b, sum[:])
	if protocol != "" {
		b = append(b, "\r\nSec-WebSocket-Protocol: "...)
		b = append(b, protocol...)
	}
	return append(b, "\r\n\r\n"...)
}

// protocolOf is the sub-protocol that $connect has chosen, "" where it is none that a header may
// hold.
func protocolOf(reply events.APIGatewayProxyResponse) string {
	chosen := ""
	for name, value := range reply.Headers {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			chosen = value
		}
	}
	for name, values := range reply.MultiValueHeaders {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") && len(values) > 0 {
			chosen = values[len(values)-1]
		}
	}
	for _, c := range []byte(chosen) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return ""
		}
	}
	return chosen
}

// forwardedPort is the port that the client came to.
func forwardedPort(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return strconv.Itoa(a.Port)
	}
	return "443"
}
