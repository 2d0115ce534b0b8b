package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// The places of Config.APIKeySource (Developer Guide, "WebSocket API selection expressions").
const (
	keyInHeader     = "$request.header.x-api-key"
	keyOfAuthorizer = "$context.authorizer.usageIdentifierKey"
)

// What AWS says to who may not connect.
const (
	messageDenied = "User is not authorized to access this resource with an explicit deny in an " +
		"identity-based policy"
	messageNotAllowed = "User is not authorized to access this resource because no identity-based " +
		"policy allows the execute-api:Invoke action"
)

// denial is the answer to who may not connect. "" is the message null. page, where there is one, is
// the whole body.
type denial struct {
	status  int
	message string
	page    string
}

// authorize decides whether a handshake comes to $connect, and puts what the authorizer says into
// its event and those that follow.
func (c *connection) authorize(r *http.Request, route *route,
	event *events.APIGatewayWebsocketProxyRequest,
) *denial {
	usageKey := ""
	if z := route.Authorizer; z != nil {
		if len(r.Header["Authorization"]) > 1 {
			return &denial{status: http.StatusBadRequest, page: badRequest}
		}
		e := c.authorizerEvent(event)
		if !z.identified(r, &e) {
			return &denial{status: http.StatusUnauthorized, message: "Unauthorized"}
		}
		began := c.api.now()
		v, err := c.ask(context.WithoutCancel(r.Context()), z, e)
		latency := time.Duration(c.api.now() - began)
		if err == nil {
			err = c.judge(v)
		}
		if err != nil {
			return c.denied(err)
		}
		event.RequestContext.Authorizer = c.principal(v, latency)
		usageKey = v.usageKey
	}
	if route.IAM {
		auth, refused := c.api.claim(r)
		if refused == nil {
			refused = c.api.verify(r, &auth, emptyHash)
		}
		if refused != nil {
			return &denial{status: http.StatusForbidden, message: refused.message}
		}
	}
	if route.APIKeyRequired {
		key := r.Header.Get("x-api-key")
		if c.api.cfg.APIKeySource == keyOfAuthorizer {
			key = usageKey
		}
		if key == "" || !slices.Contains(c.api.cfg.APIKeys, key) {
			return &denial{status: http.StatusForbidden, message: "Forbidden"}
		}
	}
	return nil
}

// emptyHash is the hash of a handshake's body.
var emptyHash = func() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}()

// The ways in which a policy refuses.
var (
	errDenied     = errors.New("gateway: the authorizer's policy denies")
	errNotAllowed = errors.New("gateway: the authorizer's policy does not allow")
)

// judge applies the authorizer's policy to the handshake.
func (c *connection) judge(v verdict) error {
	switch allowed, denied := decide(v.policy, c.methodARN()); {
	case denied:
		return errDenied
	case !allowed:
		return errNotAllowed
	}
	return nil
}

// denied is the answer where the authorizer has not let the handshake pass.
func (c *connection) denied(err error) *denial {
	switch {
	case errors.Is(err, errUnauthorized):
		return &denial{status: http.StatusUnauthorized, message: "Unauthorized"}
	case errors.Is(err, errDenied):
		return &denial{status: http.StatusForbidden, message: messageDenied}
	case errors.Is(err, errNotAllowed):
		return &denial{status: http.StatusForbidden, message: messageNotAllowed}
	}
	c.api.cfg.Logger.Warn("authorizer failed", "connection", c.id, "error", err)
	c.api.stats.handlerErrors.Add(1)
	if errors.Is(err, errVerdict) {
		return &denial{status: http.StatusInternalServerError}
	}
	return &denial{status: http.StatusInternalServerError, message: "Internal server error"}
}

// principal keeps what the authorizer says for the connection's events, and gives the map of the
// CONNECT event, which alone has the authorizer's latency, in milliseconds.
func (c *connection) principal(v verdict, latency time.Duration) map[string]any {
	kept := make(map[string]any, len(v.context)+1)
	for name, text := range v.context {
		kept[name] = text
	}
	if v.principal != nil {
		kept["principalId"] = *v.principal
	}
	c.authorizer = kept
	connect := maps.Clone(kept)
	connect["integrationLatency"] = latency.Milliseconds()
	return connect
}
