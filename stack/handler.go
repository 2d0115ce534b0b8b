package stack

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/lambdahost"
)

// stage makes a stage for the gateway.
func (d *Deployment) stage(api *API, s *Stage) gateway.Stage {
	made := gateway.Stage{
		Name: s.Name, Variables: s.Variables, Throttle: s.Throttle,
		Routes: map[string]gateway.Route{},
	}
	if s.AccessLog != "" && d.target.AccessLog != nil {
		if w := d.target.AccessLog(api, s); w != nil {
			made.AccessLog = gateway.AccessLog{Format: s.AccessLog, Writer: w}
		}
	}
	for _, r := range s.Routes {
		call := Call{API: api, Stage: s, Route: r}
		route := gateway.Route{
			Handler: d.handler(call), Timeout: r.Timeout, Response: r.Response,
			Throttle: r.Throttle,
			IAM:      r.IAM, APIKeyRequired: r.APIKeyRequired,
		}
		if a := r.Authorizer; a != nil {
			route.Authorizer = &gateway.Authorizer{
				Authorize: d.authorizer(call), IdentitySources: a.IdentitySources,
			}
		}
		made.Routes[r.Key] = route
	}
	return made
}

// errRefused is what an integration fails with that does not run here; the diagnostics have named
// it.
var errRefused = errors.New("stack: the integration does not run here")

// handler makes a route's integration.
func (d *Deployment) handler(c Call) gateway.Handler {
	if m := c.Route.Mock; m != nil {
		if mock, err := gateway.Mock(m.Request, m.Response); err == nil {
			return mock
		}
	}
	return gateway.HandlerFunc(func(ctx context.Context,
		event events.APIGatewayWebsocketProxyRequest) (
		response events.APIGatewayProxyResponse, err error,
	) {
		payload, err := gateway.MarshalEvent(event)
		if err != nil {
			return response, err
		}
		c := c
		c.RequestID, c.ConnectionID = event.RequestContext.RequestID,
			event.RequestContext.ConnectionID
		answer, err := d.invoke(ctx, c, c.Route.Function, c.Route.Qualifier, payload)
		if err != nil {
			return response, err
		}
		response, warning, err := gateway.UnmarshalResponse(answer)
		if warning != "" && d.target.Warn != nil {
			d.target.Warn(c, warning)
		}
		return response, err
	})
}

// authorizer makes a route's authorizer.
func (d *Deployment) authorizer(c Call) func(context.Context, gateway.AuthorizerEvent) (any, error) {
	c.Authorizer = true
	return func(ctx context.Context, event gateway.AuthorizerEvent) (any, error) {
		payload, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		c := c
		c.RequestID, c.ConnectionID = event.RequestContext.RequestID,
			event.RequestContext.ConnectionID
		answer, err := d.invoke(ctx, c, c.Route.Authorizer.Function,
			c.Route.Authorizer.Qualifier, payload)
		return json.RawMessage(answer), err
	}
}

// invoke gives an event to a function. What the function fails with is the error.
func (d *Deployment) invoke(
	ctx context.Context, c Call, f *Function, qualifier string, payload []byte,
) ([]byte, error) {
	if f == nil || f.Refused != "" {
		return nil, errRefused
	}
	in := lambdahost.Input{Function: f.Name, Qualifier: qualifier, Payload: payload}
	var out lambdahost.Output
	var err error
	if d.target.Invoke != nil {
		out, err = d.target.Invoke(ctx, c, in)
	} else {
		out, err = d.target.Host.Invoke(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return out.Payload, out.Err()
}
