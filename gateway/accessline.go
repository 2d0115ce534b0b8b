package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// eventCall is the event type that lines of @connections calls have.
const eventCall = "CONNECTION_API"

// result is what became of an event.
type result struct {
	status  int
	message string // why it failed, in the words that the client got; "" if it did not
	kind    string // error.responseType
	invoked bool   // the integration was
	err     error  // of the integration
	judged  bool   // message and status are an authorizer's
}

// resultOf gives the result of a message or a $disconnect.
func resultOf(reply events.APIGatewayProxyResponse, err error) result {
	if err == nil {
		return result{status: reply.StatusCode, invoked: true}
	}
	r := result{
		status: http.StatusInternalServerError, message: failure(err), kind: "INTEGRATION_FAILURE",
		invoked: true, err: err,
	}
	switch {
	case errors.Is(err, errNoRoute):
		return result{status: http.StatusForbidden, message: r.message}
	case errors.Is(err, errThrottled):
		return result{status: http.StatusTooManyRequests, message: r.message, kind: "THROTTLED"}
	case errors.Is(err, errTimeout):
		r.status, r.kind = http.StatusGatewayTimeout, "INTEGRATION_TIMEOUT"
	}
	return r
}

// outcome gives the result of a handshake that was refused before $connect.
func (d *denial) outcome(judged bool) result {
	r := result{status: d.status, message: d.message, judged: judged}
	switch d.status {
	case http.StatusUnauthorized:
		r.kind = "UNAUTHORIZED"
	case http.StatusForbidden:
		r.kind = "ACCESS_DENIED"
	default:
		r.kind = "AUTHORIZER_FAILURE"
	}
	return r
}

// logEvent writes the line of an event of the connection.
func (c *connection) logEvent(log *accessLog, event *events.APIGatewayWebsocketProxyRequest,
	r result,
) {
	e := recordOf(&event.RequestContext)
	e.fail(r)
	if r.invoked {
		latency := c.api.cfg.Now().UnixMilli() - event.RequestContext.RequestTimeEpoch
		if said, ok := event.RequestContext.Authorizer.(map[string]any); ok {
			before, _ := said["integrationLatency"].(int64) // on $connect
			latency -= before
		}
		e["integrationLatency"] = strconv.FormatInt(latency, 10)
	}
	c.api.log(log, e)
}

// log writes a line.
func (a *API) log(log *accessLog, e record) {
	a.logging.Lock()
	defer a.logging.Unlock()
	if err := log.write(e); err != nil {
		a.cfg.Logger.Error("access log not written", "error", err)
	}
}

// recordOf begins the record of an event.
func recordOf(c *events.APIGatewayWebsocketProxyRequestContext) record {
	e := record{
		"apiId": c.APIID, "stage": c.Stage, "domainName": c.DomainName, "routeKey": c.RouteKey,
		"eventType": c.EventType, "requestId": c.RequestID,
		"extendedRequestId": c.ExtendedRequestID,
		"requestTime":       c.RequestTime, "requestTimeEpoch": strconv.FormatInt(c.RequestTimeEpoch, 10),
		"connectionId": c.ConnectionID, "connectedAt": strconv.FormatInt(c.ConnectedAt, 10),
		"identity.sourceIp": c.Identity.SourceIP, "identity.userAgent": c.Identity.UserAgent,
	}
	if id, ok := c.MessageID.(string); ok {
		e["messageId"] = id
	}
	if said, ok := c.Authorizer.(map[string]any); ok {
		for name, value := range maps.All(said) {
			e["authorizer."+name] = fmt.Sprint(value)
		}
		if c.EventType == eventConnect {
			e["authorizer.status"], e["authorizer.integrationStatus"] = "200", "200"
			e["authorizer.latency"] = e["authorizer.integrationLatency"]
		}
	}
	return e
}

// fail adds what became of the event.
func (e record) fail(r result) {
	e["status"] = strconv.Itoa(r.status)
	e["error.message"], e["error.responseType"] = r.message, r.kind
	if r.err != nil {
		e["integrationErrorMessage"] = r.err.Error()
	}
	if r.judged {
		e["authorizer.status"], e["authorizer.error"] = e["status"], r.message
	}
}

// logCalls serves an @connections call and writes its line.
func (a *API) logCalls(log *accessLog, w http.ResponseWriter, r *http.Request, s *stage,
	id string,
) {
	now := a.cfg.Now()
	noted := &notedAnswer{ResponseWriter: w}
	a.serveConnections(noted, r, s.name, id)
	if noted.status == http.StatusRequestEntityTooLarge {
		return // Developer Guide, "Monitor WebSocket API execution with CloudWatch metrics"
	}
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	e := record{
		"apiId": a.cfg.APIID, "stage": s.name, "domainName": a.cfg.DomainName,
		"routeKey": r.Method + " /@connections/{connectionId}", "eventType": eventCall,
		"requestId":         noted.header("x-amzn-RequestId"),
		"extendedRequestId": noted.header("x-amz-apigw-id"),
		"requestTime":       a.requestTime(now),
		"requestTimeEpoch":  strconv.FormatInt(now.UnixMilli(), 10),
		"connectionId":      id, "identity.sourceIp": peerOf(r), "identity.userAgent": r.UserAgent(),
	}
	if e["domainName"] == "" {
		e["domainName"] = r.Host
	}
	e.fail(result{status: noted.status, message: noted.message()})
	a.log(log, e)
}

// notedAnswer notes what is answered.
type notedAnswer struct {
	http.ResponseWriter
	status int
	body   []byte
}

// WriteHeader notes the status.
func (n *notedAnswer) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

func (n *notedAnswer) Write(b []byte) (int, error) {
	n.body = append(n.body, b...)
	return n.ResponseWriter.Write(b)
}

// header gives a header by its name as head writes it, which is not Go's spelling.
func (n *notedAnswer) header(name string) string { return strings.Join(n.Header()[name], ", ") }

// message is what an error's body says; keys of any case are one to package json.
func (n *notedAnswer) message() string {
	var said struct{ Message string }
	if n.status < http.StatusBadRequest || json.Unmarshal(n.body, &said) != nil {
		return ""
	}
	return said.Message
}
