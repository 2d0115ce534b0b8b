package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
)

// Handler is the integration behind a route, an AWS_PROXY Lambda function as a Go value.
type Handler interface {
	// Handle is called at most once for each event, from several goroutines at once. The maps of
	// the event are shared: they must not be changed. Of the response, the status, the body and
	// the headers count on $connect; on other routes it only has to be well formed, that is, have
	// a status from 200 to 599. An error, a panic or a malformed response is answered as AWS
	// answers a failed function, and context.DeadlineExceeded as one that was too slow.
	Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
		events.APIGatewayProxyResponse, error)
}

// HandlerFunc makes a function a Handler.
type HandlerFunc func(context.Context, events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error)

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error,
) {
	return f(ctx, event)
}

// errMalformed is the answer of an integration that API Gateway cannot use.
var errMalformed = errors.New("gateway: malformed response: status is not from 200 to 599")

// invoke calls h and turns a panic into an error.
func (a *API) invoke(ctx context.Context, h Handler,
	event *events.APIGatewayWebsocketProxyRequest,
) (reply events.APIGatewayProxyResponse, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("gateway: handler panicked: %v", p)
			a.cfg.Logger.Error("handler panicked", "route", event.RequestContext.RouteKey,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		if err != nil {
			a.stats.handlerErrors.Add(1)
		}
	}()
	reply, err = h.Handle(ctx, *event)
	if err == nil && (reply.StatusCode < 200 || reply.StatusCode > 599) {
		err = errMalformed
	}
	return reply, err
}
