package chatapi

import (
	"context"
	"errors"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// Handler handles the events of one deployment.
type Handler struct {
	Config
}

// New makes a Handler.
func New(c Config) *Handler {
	h := &Handler{Config: c}
	if c.Identify == nil {
		h.Identify = auth.Open{}.Identify
	}
	if c.Dialect == "" {
		h.Dialect = native
	}
	if c.ResumeMax == 0 {
		h.ResumeMax = chat.ResumeMax
	}
	return h
}

// Handle is the Lambda function behind every route. Of the route key it uses only $connect and
// $disconnect: an action is what the frame says.
func (h *Handler) Handle(ctx context.Context, e Event) (Response, error) {
	switch e.RequestContext.RouteKey {
	case "$connect":
		return h.connect(ctx, &e), nil
	case "$disconnect":
		err := h.Service.Disconnect(ctx, e.RequestContext.ConnectionID)
		if err != nil {
			h.logError(ctx, "$disconnect", e.RequestContext.RequestID, err)
		}
		return respond(200, ""), nil
	}
	h.message(ctx, &e)
	return respond(200, ""), nil
}

func respond(status int, body string) Response {
	return Response{StatusCode: status, Body: body}
}

// request is one action of one connection.
type request struct {
	wire.Action
	conn      chat.Connection
	requestID string
	messageID string
}

// self is the connection that asks.
func (r *request) self() connections.Target {
	return connections.Target{ID: r.conn.ID, Endpoint: r.conn.Endpoint}
}

func (h *Handler) message(ctx context.Context, e *Event) {
	action, decodeErr := wire.Decode([]byte(e.Body))
	r := &request{Action: action, requestID: e.RequestContext.RequestID}
	r.messageID, _ = e.RequestContext.MessageID.(string)
	var err error
	r.conn, err = h.Service.Touch(ctx, e.RequestContext.ConnectionID, action.Name == wire.Hello)
	if chat.Is(err, chat.NotFound) {
		h.refuseUnknown(ctx, e.RequestContext.ConnectionID)
		return
	}
	r.conn.ID = e.RequestContext.ConnectionID
	if err == nil {
		err = h.limit(e.RequestContext.Identity.SourceIP)
	}
	switch {
	case err != nil:
	case decodeErr != nil:
		err = decodeErr
	default:
		err = routes[action.Name](h, ctx, r)
	}
	if err != nil {
		h.fail(ctx, r, err)
	}
}

// limit refuses an action of an address that is over its rate.
func (h *Handler) limit(address string) error {
	if h.Limit == nil {
		return nil
	}
	wait := h.Limit(address)
	if wait == 0 {
		return nil
	}
	err := chat.E(chat.Limited, "too many actions from this address")
	err.RetryAfter = wait
	return err
}

// refuseUnknown ends a socket whose row is closed or lapsed.
func (h *Handler) refuseUnknown(ctx context.Context, id string) {
	target := connections.Target{ID: id}
	err := h.Poster.Close(ctx, target, closePolicy, "this connection has ended: connect again")
	if err != nil && !errors.Is(err, connections.ErrGone) {
		h.logError(ctx, "close", "", err)
	}
}

// fail answers an action with its error, and closes a connection that does not heed its rate.
func (h *Handler) fail(ctx context.Context, r *request, err error) {
	f := failure(err)
	f.ID, f.RequestID = r.ID, r.requestID
	if f.Code == wire.InternalError {
		h.logError(ctx, r.Name, r.requestID, err)
	}
	if err := h.reply(ctx, r, f); err != nil {
		h.logError(ctx, "reply", r.requestID, err)
	}
	if h.ExcessMax > 0 && r.conn.Excess > h.ExcessMax {
		err := h.Poster.Close(ctx, r.self(), closePolicy, "too many actions")
		if err != nil && !errors.Is(err, connections.ErrGone) {
			h.logError(ctx, "close", r.requestID, err)
		}
	}
}

// reply sends events to the connection that asked. That it is gone is no error of the action.
func (h *Handler) reply(ctx context.Context, r *request, events ...wire.Event) error {
	frames := make([][]byte, len(events))
	for i, e := range events {
		frames[i] = wire.Append(nil, e)
	}
	return h.send(ctx, r, frames)
}

func (h *Handler) send(ctx context.Context, r *request, frames [][]byte) error {
	err := h.Poster.Send(ctx, r.self(), frames)
	if errors.Is(err, connections.ErrGone) {
		return h.forget(ctx, r.conn.ID, r.conn.ConnectedAt)
	}
	return err
}

// forget ends the row of a connection that a post found gone. A young one may be not yet open:
// its row stays, and the log has what it misses.
func (h *Handler) forget(ctx context.Context, id string, connectedAt time.Time) error {
	if h.young(connectedAt) {
		return nil
	}
	return h.Service.Disconnect(ctx, id)
}

func (h *Handler) young(connectedAt time.Time) bool {
	return h.Now().Sub(connectedAt) <= suspectAge
}

func (h *Handler) logError(ctx context.Context, op, requestID string, err error) {
	h.Logger.ErrorContext(ctx, "failed", "op", op, "requestId", requestID, "error", err)
}
