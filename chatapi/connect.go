package chatapi

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// native is the dialect of this project's own protocol, as rows of connections carry it.
const native = string(wire.NativeDialect)

// Dialects are the names that ?dialect= takes.
func Dialects() []string {
	var names []string
	for _, d := range wire.Dialects() {
		names = append(names, string(d))
	}
	return names
}

// connect answers $connect: 200 admits the connection, everything else refuses the handshake with
// a sentence.
func (h *Handler) connect(ctx context.Context, e *Event) Response {
	request := auth.Request{Query: e.QueryStringParameters, Headers: e.Headers}
	request.Authorizer, _ = e.RequestContext.Authorizer.(map[string]any)
	if !h.originAllowed(&request) {
		return respond(403, "the page's origin is not allowed to connect here\n")
	}
	dialect := string(h.Dialect)
	if asked := e.QueryStringParameters["dialect"]; asked != "" {
		dialect = asked
	}
	if !slices.Contains(Dialects(), dialect) {
		return respond(400, "unknown dialect; the dialects are: "+strings.Join(Dialects(), ", ")+"\n")
	}
	identity, err := h.Identify(ctx, request)
	if err == nil && identity.Guest && dialect == string(wire.DirectoryDialect) {
		err = chat.BadField("name", "name is missing: a connection of the dialect directory needs it, as ?name=alice")
	}
	var c chat.Connection
	if err == nil {
		c, err = h.Service.Connect(ctx, h.newConnection(e, identity, dialect))
	}
	if err == nil && h.Still != nil {
		if err = h.Still(ctx, identity.User, identity.Session); err != nil {
			h.endRefused(ctx, e)
		}
	}
	if err == nil {
		h.deferOpened(ctx, &c)
		return admitted(identity.Protocol)
	}
	status, known := statuses[chat.KindOf(err)]
	if !known {
		status = 500
		h.logError(ctx, "$connect", e.RequestContext.RequestID, err)
	}
	return respond(status, explain(err)+"\n")
}

// endRefused ends the row of a connection that is refused after all: nothing tells that it has ended.
func (h *Handler) endRefused(ctx context.Context, e *Event) {
	if err := h.end(context.WithoutCancel(ctx), e.RequestContext.ConnectionID); err != nil {
		h.logError(ctx, "$connect", e.RequestContext.RequestID, err)
	}
}

// admitted is the answer to a handshake, with the sub-protocol that was chosen, without which a
// browser that has offered some ends the connection.
func admitted(protocol string) Response {
	r := respond(200, "")
	if protocol != "" {
		r.Headers = map[string]string{"Sec-WebSocket-Protocol": protocol}
	}
	return r
}

func (h *Handler) newConnection(e *Event, who auth.Identity, dialect string) chat.Connection {
	c := chat.Connection{
		ID:          e.RequestContext.ConnectionID,
		User:        who.User,
		Dialect:     dialect,
		Endpoint:    h.Endpoint,
		ConnectedAt: time.UnixMilli(e.RequestContext.ConnectedAt),
		Until:       who.Until,
		Session:     who.Session,
	}
	if !who.Guest {
		c.NamedAt = h.Now()
	}
	if end := c.ConnectedAt.Add(h.MaxConnection); h.MaxConnection > 0 &&
		(c.Until.IsZero() || end.Before(c.Until)) {
		c.Until = end
	}
	return c
}

// originAllowed keeps pages of other sites from using a visitor's connection (cross-site WebSocket
// hijacking): programs send no Origin and pass, pages must be of this very host or be allowed.
func (h *Handler) originAllowed(r *auth.Request) bool {
	origin, sent := r.Header("Origin")
	if !sent {
		return true
	}
	if slices.Contains(h.AllowedOrigins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return false
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	if scheme, sent := r.Header("X-Forwarded-Proto"); sent && scheme != u.Scheme {
		return false
	}
	host, _ := r.Header("Host")
	return strings.EqualFold(withPort(u.Host, u.Scheme), withPort(host, u.Scheme))
}

// withPort gives host:port with the scheme's default port where host has none.
func withPort(host, scheme string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
