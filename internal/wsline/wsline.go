// Package wsline talks to any WebSocket server from a terminal or a script: a line in is a frame
// out, a frame in is a line out.
package wsline

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/terminal"
)

// maxMessage is the longest message that is read, in bytes.
const maxMessage = 64 << 20

// ErrUnreachable means that no server has answered.
var ErrUnreachable = errors.New("no answer")

// Options say whom to talk to, and how.
type Options struct {
	URL          string      // ws, wss, http or https
	Header       http.Header // beside those of the handshake
	Subprotocols []string
	TLS          *tls.Config   // nil: the system's certificates
	Connect      time.Duration // how long the handshake may take; 0: for ever

	Execute []string      // frames to send instead of lines of the input
	Wait    time.Duration // from the last frame sent to the end; below 0: until the server closes
	Count   int           // end when so many frames have come, which is to be within Wait; 0: any
	Ping    time.Duration // between pings, each answered before the next; 0: none

	Binary    bool // lines are bytes in hexadecimal, and go out as binary frames
	JSON      bool // every event is printed as a line of JSON
	ShowPings bool // pings and pongs are printed
}

// session is one connection.
type session struct {
	Options
	conn    *websocket.Conn
	console *terminal.Console
	print   printer
}

// Run connects, sends lines and prints frames until the input, the connection or the context ends.
// It is an error when the server does not want the connection, or ends it with another code than
// 1000 or 1001.
func Run(ctx context.Context, o Options, console *terminal.Console) error {
	s := &session{Options: o, console: console}
	s.print = printer{console: console, json: o.JSON}
	if err := s.dial(ctx); err != nil {
		return err
	}
	defer s.conn.CloseNow()
	s.print.opened(s.conn.Subprotocol())
	// What cancels ctx closes the connection in good order first.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	over, sent := make(chan error, 2), make(chan error, 1)
	go func() { over <- s.receive(inner) }()
	go func() { sent <- s.send(inner) }()
	if o.Ping > 0 {
		go func() { over <- s.ping(inner) }()
	}
	select {
	case err := <-over:
		return s.closedByServer(err)
	case err := <-sent:
		return s.end(ctx, err, over)
	case <-ctx.Done():
		s.close()
		return context.Cause(ctx)
	}
}

// dial makes the connection.
func (s *session) dial(ctx context.Context) error {
	if s.Connect > 0 {
		bounded, cancel := context.WithTimeout(ctx, s.Connect)
		defer cancel()
		ctx = bounded
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = s.TLS, false
	options := &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: s.Header,
		Host: s.Header.Get("Host"), Subprotocols: s.Subprotocols,
	}
	if s.ShowPings {
		options.OnPingReceived = func(_ context.Context, payload []byte) bool {
			s.print.control("ping", payload)
			return true
		}
		options.OnPongReceived = func(_ context.Context, payload []byte) {
			s.print.control("pong", payload)
		}
	}
	conn, response, err := websocket.Dial(ctx, s.URL, options) //nolint:bodyclose // it closes it
	if err != nil {
		return refusal(s.URL, response, err)
	}
	conn.SetReadLimit(maxMessage)
	s.conn = conn
	return nil
}

// refusal says why there is no connection: what the server answers, or that it does not.
func refusal(url string, response *http.Response, err error) error {
	if response == nil {
		return fmt.Errorf("%w from %s: %w", ErrUnreachable, url, cause(err))
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return fmt.Errorf("%s: %w", url, cause(err))
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1024)) // what is there says enough
	sentence := terminal.CleanLine(strings.TrimSpace(string(body)))
	if sentence != "" {
		sentence = ": " + sentence
	}
	return fmt.Errorf("%s refuses the connection with %s%s",
		url, terminal.CleanLine(response.Status), sentence)
}

// cause is an error without the library's own words around it.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil || !strings.HasPrefix(err.Error(), "failed to ") {
			return err
		}
		err = inner
	}
}

// errEnough ends a connection whose frames have all come.
var errEnough = errors.New("enough")

// receive prints what comes until the connection ends, or enough has come.
func (s *session) receive(ctx context.Context) error {
	for count := 1; ; count++ {
		kind, frame, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := s.print.frame(kind, frame); err != nil {
			return err
		}
		if count == s.Count {
			return errEnough
		}
	}
}

// send sends the frames of the command line, or lines until there are no more.
func (s *session) send(ctx context.Context) error {
	if len(s.Execute) > 0 {
		for _, frame := range s.Execute {
			if err := s.write(ctx, frame); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		line, err := s.console.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if line == "" {
			continue
		}
		err = s.write(ctx, line)
		if errors.Is(err, ErrNotHex) && s.console.Interactive() {
			s.console.Notice("%v", err)
			continue
		}
		if err != nil {
			return err
		}
	}
}

// write sends one frame.
func (s *session) write(ctx context.Context, line string) error {
	if !s.Binary {
		return s.conn.Write(ctx, websocket.MessageText, []byte(line))
	}
	frame, err := fromHex(line)
	if err != nil {
		return err
	}
	return s.conn.Write(ctx, websocket.MessageBinary, frame)
}

// ping keeps the connection alive, and ends it when there is no answer.
func (s *session) ping(ctx context.Context) error {
	ticker := time.NewTicker(s.Ping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		bounded, cancel := context.WithTimeout(ctx, s.Ping)
		err := s.conn.Ping(bounded)
		cancel()
		if err != nil {
			return fmt.Errorf("a ping was not answered within %v", s.Ping)
		}
	}
}
