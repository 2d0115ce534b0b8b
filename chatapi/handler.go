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
		h.Dialect = wire.NativeDialect
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
		err := h.end(ctx, e.RequestContext.ConnectionID)
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
	host      string // and stage: where the connection is
	stage     string
	errands   []errand // that a message has brought
}

// dialect is that of the connection that asks.
func (r *request) dialect() wire.Dialect { return wire.Dialect(r.conn.Dialect) }

// self is the connection that asks.
func (r *request) self() connections.Target {
	return connections.Target{ID: r.conn.ID, Endpoint: r.conn.Endpoint}
}

func (h *Handler) message(ctx context.Context, e *Event) {
	action, decodeErr := wire.Decode([]byte(e.Body))
	r := &request{Action: action, requestID: e.RequestContext.RequestID}
	r.messageID, _ = e.RequestContext.MessageID.(string)
	r.host, r.stage = e.RequestContext.DomainName, e.RequestContext.Stage
	var err error
	r.conn, err = h.Service.Touch(ctx, e.RequestContext.ConnectionID, pulseOf(action.Name))
	if chat.Is(err, chat.NotFound) {
		h.refuseUnknown(ctx, e.RequestContext.ConnectionID)
		return
	}
	r.conn.ID = e.RequestContext.ConnectionID
	if err == nil {
		err = h.limit(e.RequestContext.Identity.SourceIP)
	}
	if r.isSeed() { // the dialect is known only now
		r.Action, decodeErr = r.dialect().Decode([]byte(e.Body))
	}
	switch {
	case err != nil:
	case decodeErr != nil && r.dialect() == wire.BroadcastDialect && unmatched(decodeErr, e.Body):
		err = h.instruct(ctx, r)
	case decodeErr != nil:
		err = decodeErr
	default:
		err = routes[r.Name](h, ctx, r)
	}
	if err != nil {
		h.fail(ctx, r, err)
	}
}

// pulseOf is what an action tells of its connection.
func pulseOf(action string) chat.Pulse {
	switch action {
	case wire.Hello:
		return chat.Greets
	case wire.Ping:
		return chat.Beats
	}
	return chat.Acts
}

// isSeed tells whether the connection speaks another dialect than the native one.
func (r *request) isSeed() bool { return r.conn.Dialect != "" && r.conn.Dialect != native }

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
	if h.Observe != nil {
		h.Observe.Failed(f.Code)
	}
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

// reply sends an event to the connection that asked, unless its dialect does not show it. That the
// connection is gone is no error of the action.
func (h *Handler) reply(ctx context.Context, r *request, e wire.Event) error {
	frame, said := r.dialect().AppendAnswer(nil, e)
	if !said {
		return nil
	}
	return h.send(ctx, r, [][]byte{frame})
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
	return h.end(ctx, id)
}

// end ends the row of a connection, and tells the lounge when a user has left it.
func (h *Handler) end(ctx context.Context, id string) error {
	c, err := h.Service.Disconnect(ctx, id)
	if !inLounge(&c) {
		return err
	}
	return errors.Join(err, h.tellLeft(ctx, c.User))
}

func (h *Handler) young(connectedAt time.Time) bool {
	return h.Now().Sub(connectedAt) <= suspectAge
}

func (h *Handler) logError(ctx context.Context, op, requestID string, err error) {
	h.Logger.ErrorContext(ctx, "failed", "op", op, "requestId", requestID, "error", err)
}
