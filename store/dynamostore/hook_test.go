package dynamostore_test

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// hook sees the requests of a client, the retried ones too: it is given the operation's input and
// what carries it out.
type hook func(ctx context.Context, input any, next request) (output any, err error)

type request func(ctx context.Context, input any) (output any, err error)

// hooked makes the requests of a client go through h.
func hooked(h hook) func(*dynamodb.Options) {
	around := middleware.InitializeMiddlewareFunc("hook", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
		out.Result, err = h(ctx, in.Parameters, func(ctx context.Context, input any) (any, error) {
			var made middleware.InitializeOutput
			made, meta, err = next.HandleInitialize(ctx, middleware.InitializeInput{Parameters: input})
			return made.Result, err
		})
		return out, meta, err
	})
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(around, middleware.Before)
		})
	}
}

// crasher lets n requests be carried out, the last without its answer, and none after. However slow
// they are, none is given up and made again, which would count twice.
type crasher struct {
	mu   sync.Mutex
	left int
	on   bool
}

func (c *crasher) arm(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.on = n, n > 0
}

func (c *crasher) hook(ctx context.Context, input any, next request) (any, error) {
	c.mu.Lock()
	on, left := c.on, c.left
	c.left--
	c.mu.Unlock()
	switch {
	case !on:
		return next(ctx, input)
	case left > 1:
		return next(context.WithoutCancel(ctx), input)
	case left == 1:
		if _, err := next(context.WithoutCancel(ctx), input); err != nil {
			return nil, err
		}
	}
	return nil, context.Canceled
}

// staller holds the put of a message back, once.
type staller struct {
	mu   sync.Mutex
	hold func(seq uint64)
}

func (s *staller) arm(hold func(seq uint64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = hold
}

// take gives the hold that is armed, and disarms it.
func (s *staller) take() func(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := s.hold
	s.hold = nil
	return hold
}

func (s *staller) hook(ctx context.Context, input any, next request) (any, error) {
	if put, ok := input.(*dynamodb.PutItemInput); ok && seqOf(put.Item) > 0 {
		if hold := s.take(); hold != nil {
			hold(seqOf(put.Item))
		}
	}
	return next(ctx, input)
}
