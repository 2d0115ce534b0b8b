package main

import (
	"context"
	"errors"
	"time"

	"github.com/gobwas/ws"

	"github.com/confab-chat/confab/connections"
)

// vigil keeps a connection and does one thing again and again, until the connection is closed or
// should have been.
type vigil struct{ get, post, ping, talk bool }

// observe gives the close frame, or "open".
func (v vigil) observe(ctx context.Context, p *prober) (string, error) {
	return with(ctx, p, func(s *socket) (string, error) {
		self, err := s.ask(p, `{"action":"echo"}`)
		if err != nil {
			return "", err
		}
		limit := p.idle
		if v.talk {
			limit = p.duration
		}
		for deadline := time.Now().Add(limit + limit/5); time.Now().Before(deadline); {
			if _, err := s.message(p.idle / 4); err != nil && !errors.Is(err, errNothing) {
				return ended(err)
			}
			if err := v.act(ctx, p, s, connections.Target{ID: self.ID}); err != nil {
				return "", err
			}
		}
		return "open", nil
	})
}

// act does what might put the end off.
func (v vigil) act(ctx context.Context, p *prober, s *socket, self connections.Target) error {
	to := []connections.Target{self}
	var err error
	switch {
	case v.get:
		_, err = p.client.Describe(ctx, self)
	case v.post:
		_, _, err = p.client.Post(ctx, to, [][]byte{[]byte(`{}`)})
	case v.ping:
		return s.send(ws.OpPing, "")
	default:
		return s.send(ws.OpText, `{"action":"echo"}`)
	}
	if errors.Is(err, connections.ErrGone) {
		return nil // its close frame is about to be read
	}
	return err
}
