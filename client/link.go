package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/wire"
)

const (
	maxEvent  = 256 << 10 // bytes; events have at most 128 KiB (docs/protocol.md, "Limits")
	maxFrame  = 16 << 10  // bytes of a WebSocket frame; the limit is 32 KiB, more is sent in parts
	farewell  = 2 * time.Second
	lingering = 3 * time.Second // how long a connection is read after another has taken over
)

// link is one connection. What its goroutines share beside the channels is guarded by the client's
// mutex.
type link struct {
	client *Client
	conn   *websocket.Conn
	ctx    context.Context // ends with the link; the cause is why
	cancel context.CancelCauseFunc
	wake   chan struct{} // has a token when there may be something to write
	ready  chan struct{} // closed by welcome
	turn   chan struct{} // has a token when another link should take over
	done   chan struct{} // closed when nothing of the link runs any more

	greeted   bool // hello is written
	welcomed  time.Time
	heartbeat time.Duration
	pipeline  int
	alone     time.Time // until when one message at a time is sent
	turnAt    time.Time // when another link should take over, zero: never
	leave     bool      // the server wants it to go then
	ping      string    // id of the ping that is not answered yet
	pinged    time.Time // when the last one was sent
	pingAt    time.Time // when the next one is
}

// open connects, and returns when the server has welcomed the client. Then the link is the one that
// is written to.
func (c *Client) open(ctx context.Context) (*link, error) {
	limit, stop := context.WithTimeout(ctx, c.o.answer)
	defer stop()
	conn, err := c.dial(limit)
	if err != nil {
		if limit.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrSilent, err)
		}
		return nil, err
	}
	l := c.newLink(ctx, conn)
	select {
	case <-l.ready:
		return l, nil
	case <-l.ctx.Done():
	case <-limit.Done():
		l.fail(fmt.Errorf("%w: no welcome", ErrSilent))
	}
	<-l.done
	return nil, context.Cause(l.ctx)
}

// newLink starts the goroutines of a link.
func (c *Client) newLink(ctx context.Context, conn *websocket.Conn) *link {
	l := &link{
		client: c, conn: conn, wake: make(chan struct{}, 1), ready: make(chan struct{}),
		turn: make(chan struct{}, 1), done: make(chan struct{}),
	}
	// The end of the client is no end of its connection before it was closed in good order.
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		l.fail(l.write())
		conn.CloseNow() // which ends the reader
	}()
	go func() {
		defer close(l.done)
		l.fail(l.read())
		<-writing
		c.lost(l)
	}()
	return l
}

// fail ends the link; only the first reason counts.
func (l *link) fail(err error) { l.cancel(err) }

// read takes events until the link ends.
func (l *link) read() error {
	var frame bytes.Buffer
	l.conn.SetReadLimit(maxEvent)
	for {
		// Of the end the writer tells, by closing: a context that can end costs 8 allocations a frame.
		_, r, err := l.conn.Reader(context.Background())
		if err != nil {
			return err
		}
		frame.Reset()
		if _, err := io.Copy(&frame, r); err != nil {
			return err
		}
		if e, err := wire.DecodeEvent(frame.Bytes()); err == nil {
			l.client.take(l, e) // what is no event is the gateway's word, and answers nothing
		}
	}
}

// write writes what is due until the link ends.
func (l *link) write() error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-timer.C:
		case <-l.ctx.Done():
			return nil
		}
		frames, next, err := l.client.due(l, time.Now())
		if err != nil {
			return err
		}
		for _, frame := range frames {
			if err := l.send(frame); err != nil {
				return err
			}
		}
		timer.Reset(time.Until(next))
	}
}

// send writes one message, in parts where it is longer than a frame may be.
func (l *link) send(message []byte) error {
	ctx, stop := context.WithTimeout(l.ctx, l.client.o.answer)
	defer stop()
	if len(message) <= maxFrame {
		return l.conn.Write(ctx, websocket.MessageText, message)
	}
	w, err := l.conn.Writer(ctx, websocket.MessageText)
	for err == nil && len(message) > 0 {
		part := message[:min(maxFrame, len(message))]
		message = message[len(part):]
		_, err = w.Write(part)
	}
	if err != nil {
		return err
	}
	return w.Close()
}

// poke lets the writer look for what is due.
func (l *link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close ends the link in good order after a while, or at once when ctx ends. The server has as long
// as farewell to answer.
func (l *link) close(ctx context.Context, after time.Duration) {
	select {
	case <-time.After(after):
	case <-ctx.Done():
	case <-l.done:
		return
	}
	stop := time.AfterFunc(farewell, func() { l.conn.CloseNow() })
	defer stop.Stop()
	_ = l.conn.Close(websocket.StatusNormalClosure, "") // it is over either way
	l.fail(ErrClosed)
	<-l.done
}

// dial makes the handshake.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	where, header, protocols, err := c.address(ctx)
	if err != nil {
		return nil, err
	}
	options := &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: header, Subprotocols: protocols}
	conn, response, err := websocket.Dial(ctx, where, options) //nolint:bodyclose // the library closes it
	if err == nil {
		return conn, nil
	}
	if response == nil || response.StatusCode == http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("client: connect: %w", err)
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1024)) // the status says most
	return nil, &HandshakeError{response.StatusCode, string(bytes.TrimSpace(text))}
}

// final tells an end after which connecting again, unchanged, would end the same.
func final(err error) bool {
	var refused *HandshakeError
	if errors.As(err, &refused) {
		switch refused.Status {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
			return true
		}
		return false
	}
	switch websocket.CloseStatus(err) {
	case websocket.StatusProtocolError, websocket.StatusUnsupportedData,
		websocket.StatusInvalidFramePayloadData, websocket.StatusMessageTooBig:
		return true // docs/protocol.md, "Close codes"
	}
	return errors.Is(err, ErrOtherUser) || errors.Is(err, ErrProtocol)
}
