package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/gobwas/ws"
)

// socket is a WebSocket with its bytes in the open.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
	tcp  *net.TCPConn
}

// refusedError is a handshake that was not answered with 101.
type refusedError struct{ status int }

func (e refusedError) Error() string { return fmt.Sprintf("handshake answered %d", e.status) }

// dial opens a socket. query goes to $connect; the template's authorizer wants an observer in it,
// "none" or the id of the connection that is told of the end of this one.
func (p *prober) dial(ctx context.Context, query url.Values) (*socket, error) {
	if !query.Has("observer") {
		query.Set("observer", "none")
	}
	address := p.url.Host
	if p.url.Port() == "" {
		address += map[string]string{"wss": ":443", "ws": ":80"}[p.url.Scheme]
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, tcp: conn.(*net.TCPConn)}
	if p.url.Scheme == "wss" {
		s.conn = tls.Client(conn, &tls.Config{ServerName: p.url.Hostname()})
	}
	s.in = bufio.NewReader(s.conn)
	if err := s.handshake(p.url, query); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) handshake(stage *url.URL, query url.Values) error {
	var key [16]byte
	rand.Read(key[:])
	s.conn.SetDeadline(time.Now().Add(time.Minute))
	defer s.conn.SetDeadline(time.Time{})
	_, err := fmt.Fprintf(s.conn, "GET %s?%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		stage.EscapedPath(), query.Encode(), stage.Host, base64.StdEncoding.EncodeToString(key[:]))
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return refusedError{answer.StatusCode}
	}
	return nil
}

// send sends one masked frame.
func (s *socket) send(op ws.OpCode, payload string) error {
	frame := ws.MaskFrame(ws.NewFrame(op, true, []byte(payload)))
	return ws.WriteFrame(s.conn, frame)
}

// kill cuts TCP without a word.
func (s *socket) kill() error {
	if err := s.tcp.SetLinger(0); err != nil {
		return err
	}
	return s.tcp.Close()
}

// closedError is a close frame of the server.
type closedError struct {
	code   int
	reason string
}

func (e closedError) Error() string { return fmt.Sprintf("closed with %d %q", e.code, e.reason) }

// frame reads one frame; API Gateway's are of 32 KB at most.
func (s *socket) frame() (ws.Frame, error) {
	h, err := ws.ReadHeader(s.in)
	if err != nil || h.Length > 1<<20 {
		return ws.Frame{Header: h}, cmp.Or(err, errors.New("a frame of over 1 MB"))
	}
	f := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
	_, err = io.ReadFull(s.in, f.Payload)
	return f, err
}

// errNothing says that no message has come in time.
var errNothing = errors.New("no message")

// message waits for one message.
func (s *socket) message(patience time.Duration) (string, error) {
	s.conn.SetReadDeadline(time.Now().Add(patience))
	text := ""
	for {
		f, err := s.frame()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return "", errNothing
		case err != nil:
			return "", err
		case f.Header.OpCode == ws.OpClose:
			code, reason := ws.ParseCloseFrameData(f.Payload)
			return "", closedError{int(code), reason}
		case f.Header.OpCode.IsControl():
			continue
		}
		text += string(f.Payload)
		if f.Header.Fin {
			return text, nil
		}
	}
}

// reply is what the template's function answers, or an error frame of the gateway.
type reply struct {
	Route   string `json:"route"`
	ID      string `json:"id"`      // of the connection
	Message string `json:"message"` // of an error frame
	Closed  string `json:"closed"`  // the connection whose end an observer is told
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
}

// ask sends a message and waits for the answer.
func (s *socket) ask(p *prober, text string) (r reply, err error) {
	if err := s.send(ws.OpText, text); err != nil {
		return r, err
	}
	return s.next(p.patience)
}

// next waits for a message of the function or the gateway.
func (s *socket) next(patience time.Duration) (r reply, err error) {
	text, err := s.message(patience)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("message %q: %w", text, err)
	}
	return r, nil
}
