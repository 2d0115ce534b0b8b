package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// MarshalEvent gives exactly the JSON that AWS hands to a Lambda function: its keys in its order,
// and none that the type of event does not have. aws-lambda-go's own encoding has others, from the
// days of REST APIs, and no body where that is empty.
func MarshalEvent(event events.APIGatewayWebsocketProxyRequest) ([]byte, error) {
	o := object{}
	kind := event.RequestContext.EventType
	if kind != eventMessage {
		o.sorted("headers", anyMap(event.Headers))
		o.sorted("multiValueHeaders", anyMap(event.MultiValueHeaders))
	}
	if kind == eventConnect && len(event.MultiValueQueryStringParameters) > 0 {
		o.sorted("queryStringParameters", anyMap(event.QueryStringParameters))
		o.sorted("multiValueQueryStringParameters", anyMap(event.MultiValueQueryStringParameters))
	}
	if len(event.StageVariables) > 0 {
		o.sorted("stageVariables", anyMap(event.StageVariables))
	}
	o.nested("requestContext", func(inner *object) { marshalContext(inner, &event.RequestContext) })
	if kind == eventMessage {
		o.member("body", event.Body)
	}
	o.member("isBase64Encoded", event.IsBase64Encoded)
	return o.end()
}

func marshalContext(o *object, c *events.APIGatewayWebsocketProxyRequestContext) {
	o.member("routeKey", c.RouteKey)
	if c.Authorizer != nil {
		o.authorizer(c.Authorizer)
	}
	if c.EventType == eventMessage {
		o.member("messageId", c.MessageID)
	}
	if c.EventType == eventDisconnect {
		o.member("disconnectStatusCode", c.DisconnectStatusCode)
	}
	o.member("eventType", c.EventType)
	o.member("extendedRequestId", c.ExtendedRequestID)
	o.member("requestTime", c.RequestTime)
	o.member("messageDirection", c.MessageDirection)
	if c.EventType == eventDisconnect {
		reason := ""
		if c.DisconnectReason != nil {
			reason = *c.DisconnectReason
		}
		o.member("disconnectReason", reason)
	}
	o.member("stage", c.Stage)
	o.member("connectedAt", c.ConnectedAt)
	o.member("requestTimeEpoch", c.RequestTimeEpoch)
	o.nested("identity", func(inner *object) {
		if c.Identity.UserAgent != "" {
			inner.member("userAgent", c.Identity.UserAgent)
		}
		inner.member("sourceIp", c.Identity.SourceIP)
	})
	o.member("requestId", c.RequestID)
	o.member("domainName", c.DomainName)
	o.member("connectionId", c.ConnectionID)
	o.member("apiId", c.APIID)
}

// authorizer adds what the authorizer said, its principal first and its latency last.
func (o *object) authorizer(said any) {
	members, ok := said.(map[string]any)
	if !ok {
		o.member("authorizer", said)
		return
	}
	o.nested("authorizer", func(inner *object) {
		const first, last = "principalId", "integrationLatency"
		if principal, ok := members[first]; ok {
			inner.member(first, principal)
		}
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if key != first && key != last {
				inner.member(key, members[key])
			}
		}
		if latency, ok := members[last]; ok {
			inner.member(last, latency)
		}
	})
}

// object is a JSON object in the making, its members in the order of the calls.
type object struct {
	buf bytes.Buffer
	err error
}

func (o *object) member(name string, value any) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil && o.err == nil {
		o.err = err
	}
	o.raw(name, bytes.TrimRight(text.Bytes(), "\n"))
}

func (o *object) raw(name string, value []byte) {
	if o.buf.Len() > 0 {
		o.buf.WriteByte(',')
	}
	quoted, err := json.Marshal(name)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.buf.Write(quoted)
	o.buf.WriteByte(':')
	o.buf.Write(value)
}

func (o *object) nested(name string, fill func(*object)) {
	inner := object{}
	fill(&inner)
	text, err := inner.end()
	if err != nil && o.err == nil {
		o.err = err
	}
	o.raw(name, text)
}

// sorted adds a map, in the order of the names without regard to case.
func (o *object) sorted(name string, values map[string]any) {
	o.nested(name, func(inner *object) {
		for _, key := range slices.SortedFunc(maps.Keys(values), func(a, b string) int {
			return strings.Compare(strings.ToLower(a), strings.ToLower(b))
		}) {
			inner.member(key, values[key])
		}
	})
}

func (o *object) end() ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	return slices.Concat([]byte{'{'}, o.buf.Bytes(), []byte{'}'}), nil
}

func anyMap[V any](m map[string]V) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
