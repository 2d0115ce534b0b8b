package gateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// The event types of requestContext.
const (
	eventConnect    = "CONNECT"
	eventMessage    = "MESSAGE"
	eventDisconnect = "DISCONNECT"
)

const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// event begins an event of the connection: all that the three types share.
func (c *connection) event(kind, route string) (*events.APIGatewayWebsocketProxyRequest, error) {
	request, err := c.api.ids.request()
	if err != nil {
		return nil, err
	}
	now := c.api.cfg.Now()
	return &events.APIGatewayWebsocketProxyRequest{
		StageVariables: c.stage.live.Load().variables,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			Stage:             c.stage.name,
			RequestID:         request,
			ExtendedRequestID: request,
			Identity: events.APIGatewayRequestIdentity{
				SourceIP: c.peer, UserAgent: c.agent,
			},
			Authorizer:       c.authorizer,
			APIID:            c.api.cfg.APIID,
			ConnectedAt:      c.since.UnixMilli(),
			ConnectionID:     c.id,
			DomainName:       c.domain(),
			EventType:        kind,
			MessageDirection: "IN",
			RequestTime:      c.api.requestTime(now),
			RequestTimeEpoch: now.UnixMilli(),
			RouteKey:         route,
		},
	}, nil
}

func (c *connection) domain() string {
	if name := c.api.cfg.DomainName; name != "" {
		return name
	}
	return c.host
}

// second is a formatted second; events come many a second.
type second struct {
	unix int64
	text string
}

func (a *API) requestTime(now time.Time) string {
	unix := now.Unix()
	if s := a.second.Load(); s != nil && s.unix == unix {
		return s.text
	}
	s := &second{unix, now.UTC().Format(requestTimeLayout)}
	a.second.Store(s)
	return s.text
}

// handle gives a message to its route, and the client the frame that AWS answers a failure with.
func (c *connection) handle(body string) {
	r := c.route(body)
	key := DefaultRoute
	if r != nil {
		key = r.key
	}
	event, err := c.event(eventMessage, key)
	if err == nil {
		var id string
		id, err = c.api.ids.message(c.tail)
		event.RequestContext.MessageID = id
	}
	if err != nil {
		c.api.cfg.Logger.Error("message not handled", "connection", c.id, "error", err)
		return
	}
	event.Body = body
	reply, err := c.integrate(r, event)
	if err != nil {
		c.refuse(failure(err), event.RequestContext.RequestID)
	}
	if log := c.stage.live.Load().log; log != nil {
		c.logEvent(log, event, resultOf(reply, err))
	}
}

// integrate gives a message to the integration of its route, nil where it has none.
func (c *connection) integrate(r *route, event *events.APIGatewayWebsocketProxyRequest) (
	reply events.APIGatewayProxyResponse, err error,
) {
	if c.throttled(r) {
		c.api.stats.drop(CauseThrottle)
		return reply, errThrottled
	}
	c.api.stats.meter(event.Body)
	if r == nil {
		return reply, errNoRoute
	}
	reply, err = c.api.invoke(background, r, event)
	switch {
	case err == nil && r.Response:
		err = c.respond(&reply)
	case err == nil && reply.StatusCode >= 400 && c.api.cfg.Knobs.StatusErrors:
		err = fmt.Errorf("gateway: status %d", reply.StatusCode)
	}
	if err != nil {
		c.api.cfg.Logger.Warn("route failed", "route", r.key, "connection", c.id, "error", err)
	}
	return reply, err
}

// respond is the route response: it sends the body of the reply to the client.
func (c *connection) respond(reply *events.APIGatewayProxyResponse) error {
	body := []byte(reply.Body)
	if reply.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(reply.Body); err != nil {
			return fmt.Errorf("%w: %w", errMalformed, err)
		}
	}
	switch {
	case len(body) == 0 && !c.api.cfg.Knobs.EmptyResponses:
	case len(body) > MaxMessage:
		c.end(faultTooBig, false)
	default:
		if err := c.send(background, [][]byte{body}); err != nil {
			c.api.cfg.Logger.Debug("response not delivered", "connection", c.id, "error", err)
		}
	}
	return nil
}

// refuse tells the client that its message came to nothing, with the spacing that AWS has.
func (c *connection) refuse(message, request string) {
	b := newBatch()
	defer b.release()
	b.text([]byte(errorBody(message, c.id, request)))
	if c.post(b) == taken {
		c.api.stats.sent(1, b)
	}
}

// errorBody is the text of an error frame, and of a refused handshake. Without a message it is null.
func errorBody(message, connection, request string) string {
	text := "null"
	if message != "" {
		text = strconv.Quote(message)
	}
	return fmt.Sprintf(`{"message": %s, "connectionId":%q, "requestId":%q}`, text, connection, request)
}

// disconnect tells the $disconnect route that the connection has ended. Errors are only logged.
func (c *connection) disconnect(why *closing) {
	defer c.api.work.Done()
	live := c.stage.live.Load()
	r := live.routes[DisconnectRoute]
	if c.api.cfg.Knobs.NoDisconnectAfterDelete && why.cause == CauseManagement {
		r = nil
	}
	if r == nil && live.log == nil {
		return
	}
	event, err := c.disconnectEvent(why)
	if err != nil {
		c.api.cfg.Logger.Error("end not handled", "connection", c.id, "error", err)
		return
	}
	outcome := result{status: http.StatusOK}
	if r != nil {
		c.api.stats.disconnects.Add(1)
		outcome = resultOf(c.api.invoke(background, r, event))
	}
	if outcome.err != nil {
		c.api.cfg.Logger.Warn("route failed", "route", DisconnectRoute, "connection", c.id,
			"error", outcome.err)
	}
	if live.log != nil {
		c.logEvent(live.log, event, outcome)
	}
}

// disconnectEvent is the DISCONNECT event of a connection that has ended.
func (c *connection) disconnectEvent(why *closing) (*events.APIGatewayWebsocketProxyRequest, error) {
	event, err := c.event(eventDisconnect, DisconnectRoute)
	if err != nil {
		return nil, err
	}
	event.Headers = map[string]string{
		"Host": c.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "",
	}
	event.MultiValueHeaders = map[string][]string{}
	for name, value := range event.Headers {
		event.MultiValueHeaders[name] = []string{value}
	}
	event.RequestContext.DisconnectStatusCode = int64(why.code)
	event.RequestContext.DisconnectReason = &why.reason
	return event, nil
}
