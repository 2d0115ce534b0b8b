package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Handler is the integration behind a route, an AWS_PROXY Lambda function as a Go value.
type Handler interface {
	// Handle is called at most once for each event, from several goroutines at once. The maps of
	// the event are shared: they must not be changed. Of the response, the status, the body and
	// the headers count on $connect, and the body on a route with a route response; on others it
	// only has to be well formed, that is, have a status from 200 to 599. An error, a panic or a
	// malformed response is answered as AWS answers a failed function.
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
var errMalformed = errors.New("gateway: malformed response")

// Why a message reaches no integration.
var (
	errNoRoute   = errors.New("gateway: no route")
	errThrottled = errors.New("gateway: throttled")
)

// Why there is no answer of an integration.
var (
	errTimeout = errors.New("gateway: integration timed out")
	errExited  = errors.New("gateway: handler ended its goroutine") // as t.FailNow does
)

// invoke gives an event to a route's integration and waits for it as long as the route says.
func (a *API) invoke(ctx context.Context, r *route, event *events.APIGatewayWebsocketProxyRequest) (
	reply events.APIGatewayProxyResponse, err error,
) {
	if r.Timeout < 0 {
		reply, err = a.call(ctx, r.Handler, event)
	} else {
		reply, err = within(a, r.Timeout, func() (events.APIGatewayProxyResponse, error) {
			return a.call(ctx, r.Handler, event)
		})
	}
	if err == nil && (reply.StatusCode < 200 || reply.StatusCode > 599) {
		err = fmt.Errorf("%w: status %d is not from 200 to 599", errMalformed, reply.StatusCode)
	}
	if err != nil {
		a.stats.handlerErrors.Add(1)
	}
	return reply, err
}

// call calls h and turns a panic into an error.
func (a *API) call(ctx context.Context, h Handler, event *events.APIGatewayWebsocketProxyRequest) (
	reply events.APIGatewayProxyResponse, err error,
) {
	defer a.recovered(event.RequestContext.RouteKey, &err)
	return h.Handle(ctx, *event)
}

// recovered is deferred around the code of others: a panic becomes an error.
func (a *API) recovered(route string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("gateway: handler panicked: %v", p)
		a.cfg.Logger.Error("handler panicked", "route", route, "panic", fmt.Sprint(p),
			"stack", string(debug.Stack()))
	}
}

// within gives what f gives, or errTimeout when it takes longer than limit by the API's clock. f
// then goes on, and what it gives is dropped.
func within[T any](a *API, limit time.Duration, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	deadline := a.now() + int64(limit)
	a.work.Go(func() {
		r := result{err: errExited}
		defer func() { done <- r }()
		r.value, r.err = f()
	})
	timer := time.NewTimer(min(limit, a.look))
	defer timer.Stop()
	for {
		select {
		case r := <-done:
			return r.value, r.err
		case <-timer.C:
		}
		left := deadline - a.now()
		if left <= 0 {
			var none T
			return none, errTimeout
		}
		timer.Reset(min(time.Duration(left), a.look))
	}
}

// lookOf gives how often a wait looks at the clock: one that is not time.Now may be turned at any
// time.
func lookOf(now func() time.Time) time.Duration {
	if now == nil {
		return math.MaxInt64
	}
	return 5 * time.Millisecond
}
