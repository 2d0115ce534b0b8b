package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Authorizer is a Lambda authorizer of type REQUEST, which decides about every handshake before
// $connect; nothing is cached, as on AWS. What it says goes with all later events of the connection
// as requestContext.authorizer.
type Authorizer struct {
	// Authorize gives what the Lambda function gives, in any form whose JSON is an authorizer
	// response: [events.APIGatewayCustomAuthorizerResponse], a map, a [json.RawMessage]. An error
	// whose text is exactly "Unauthorized" is answered with 401, others with 500.
	Authorize func(ctx context.Context, event AuthorizerEvent) (any, error)
	// IdentitySources must all be in the handshake and not empty, else it is answered with 401 and
	// Authorize not called: route.request.header.NAME, route.request.querystring.NAME,
	// stageVariables.NAME, context.NAME.
	IdentitySources []string
	// Timeout is as that of a [Route].
	Timeout time.Duration
}

// AuthorizerEvent is what a Lambda authorizer of a WebSocket API gets: aws-lambda-go has no type for
// it. Its JSON is that of AWS.
type AuthorizerEvent struct {
	Type                            string              `json:"type"`      // "REQUEST"
	MethodARN                       string              `json:"methodArn"` // …/{stage}/$connect
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	// RequestContext is that of the CONNECT event that follows, with the same ids.
	RequestContext events.APIGatewayWebsocketProxyRequestContext `json:"requestContext"`
}

// MarshalJSON gives exactly the JSON that AWS hands to an authorizer: the maps are there even where
// they are empty, and the context has the members of a CONNECT event alone.
func (e AuthorizerEvent) MarshalJSON() ([]byte, error) {
	o := object{}
	o.member("type", e.Type)
	o.member("methodArn", e.MethodARN)
	o.sorted("headers", anyMap(e.Headers))
	o.sorted("multiValueHeaders", anyMap(e.MultiValueHeaders))
	o.sorted("queryStringParameters", anyMap(e.QueryStringParameters))
	o.sorted("multiValueQueryStringParameters", anyMap(e.MultiValueQueryStringParameters))
	o.sorted("stageVariables", anyMap(e.StageVariables))
	o.nested("requestContext", func(inner *object) { marshalContext(inner, &e.RequestContext) })
	return o.end()
}

// maxVerdict is how large an authorizer's result may be (Developer Guide, "Amazon API Gateway
// quotas": 8 KB).
const maxVerdict = 8 << 10

// The ways in which an authorizer fails to decide.
var (
	errUnauthorized = errors.New("gateway: unauthorized")
	errVerdict      = errors.New("gateway: malformed authorizer result")
)

// sourceKinds are the places that an identity source may name.
var sourceKinds = []string{
	"route.request.header.", "route.request.querystring.", "stageVariables.", "context.",
}

// check refuses what API Gateway refuses when an authorizer is made.
func (z *Authorizer) check() error {
	if z.Authorize == nil {
		return errors.New("the authorizer has no function")
	}
	for _, source := range z.IdentitySources {
		if _, _, err := cutSource(source); err != nil {
			return err
		}
	}
	return nil
}

func cutSource(source string) (kind, name string, err error) {
	for _, kind := range sourceKinds {
		if name, ok := strings.CutPrefix(source, kind); ok && name != "" {
			return kind, name, nil
		}
	}
	return "", "", fmt.Errorf("identity source %q: WebSocket APIs take route.request.header.NAME, "+
		"route.request.querystring.NAME, stageVariables.NAME and context.NAME", source)
}

// identified tells whether the handshake has all identity sources.
func (z *Authorizer) identified(r *http.Request, e *AuthorizerEvent) bool {
	for _, source := range z.IdentitySources {
		value := ""
		switch kind, name, _ := cutSource(source); kind {
		case sourceKinds[0]:
			value = r.Header.Get(name)
			if strings.EqualFold(name, "Host") {
				value = r.Host
			}
		case sourceKinds[1]:
			value = e.QueryStringParameters[name]
		case sourceKinds[2]:
			value = e.StageVariables[name]
		default:
			// Of the context only these are known before $connect; eventType is not.
			if name == "connectionId" || name == "connectedAt" || name == "requestTimeEpoch" {
				value = name
			}
		}
		if value == "" {
			return false
		}
	}
	return true
}

// authorizerEvent is what the authorizer sees of the handshake that $connect would get.
func (c *connection) authorizerEvent(connect *events.APIGatewayWebsocketProxyRequest) AuthorizerEvent {
	e := AuthorizerEvent{
		Type: "REQUEST", MethodARN: c.methodARN(),
		MultiValueHeaders:               map[string][]string{},
		QueryStringParameters:           connect.QueryStringParameters,
		MultiValueQueryStringParameters: connect.MultiValueQueryStringParameters,
		StageVariables:                  connect.StageVariables,
		RequestContext:                  connect.RequestContext,
	}
	for name, values := range connect.MultiValueHeaders {
		e.MultiValueHeaders[name] = values
	}
	e.MultiValueHeaders["Connection"] = []string{"upgrade"}
	e.MultiValueHeaders["Upgrade"] = []string{"websocket"}
	e.MultiValueHeaders["content-length"] = []string{"0"}
	e.Headers = lasts(e.MultiValueHeaders)
	return e
}

// methodARN is what a policy must allow.
func (c *connection) methodARN() string {
	cfg := &c.api.cfg
	return "arn:aws:execute-api:" + cfg.Region + ":" + cfg.Account + ":" + cfg.APIID + "/" +
		c.stage.name + "/" + ConnectRoute
}

// ask calls the authorizer and reads what it says.
func (c *connection) ask(ctx context.Context, z *Authorizer, e AuthorizerEvent) (v verdict, err error) {
	call := func() (result any, err error) {
		defer c.api.recovered("authorizer", &err)
		return z.Authorize(ctx, e)
	}
	var result any
	if z.Timeout < 0 {
		result, err = call()
	} else {
		limit := z.Timeout
		setDefault(&limit, integrationTimeout)
		result, err = within(c.api, limit, call)
	}
	if err != nil {
		if err.Error() == "Unauthorized" {
			return v, errUnauthorized
		}
		return v, err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return v, fmt.Errorf("gateway: encode authorizer result: %w", err)
	}
	if len(text) > maxVerdict {
		return v, fmt.Errorf("gateway: authorizer result has %d bytes, over %d", len(text), maxVerdict)
	}
	return readVerdict(text)
}
