package dynamostore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// hook sees the requests of a client: it is given the operation's input and what carries it out.
// It is called for each request, retries too.
type hook func(ctx context.Context, input any, next func(context.Context) (any, error)) (any, error)

// hooked makes the requests of a client go through h.
func hooked(h hook) func(*dynamodb.Options) {
	around := middleware.InitializeMiddlewareFunc("hook", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
		out.Result, err = h(ctx, in.Parameters, func(ctx context.Context) (any, error) {
			var made middleware.InitializeOutput
			made, meta, err = next.HandleInitialize(ctx, in)
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

// pair is two stores on a fresh table, with the clock of both; requests of the first go through
// the crasher and the staller.
type pair struct {
	a, b    *dynamostore.Store
	clock   *storetest.Clock
	crasher *crasher
	staller *staller
}

func newPair(tb testing.TB, o dynamostore.Options) *pair {
	endpoint := dynamolocal.Start(tb)
	p := &pair{clock: storetest.NewClock(), crasher: &crasher{}, staller: &staller{}}
	o.Table = dynamolocal.Table(tb, dynamolocal.Client(endpoint))
	o.Now = p.clock.Now
	p.a = dynamostore.New(dynamolocal.Client(endpoint, hooked(p.crasher.hook), hooked(p.staller.hook)), o)
	p.b = dynamostore.New(dynamolocal.Client(endpoint), o)
	return p
}

// reopen is what two new processes on the table would have.
func (p *pair) reopen(tb testing.TB, o dynamostore.Options) (a, b *dynamostore.Store) {
	o.Table, o.Now = p.b.Table, p.clock.Now
	client := dynamolocal.Client(dynamolocal.Start(tb))
	return dynamostore.New(client, o), dynamostore.New(client, o)
}

// crasher lets n requests be carried out, the last without its answer, and none after.
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

func (c *crasher) hook(ctx context.Context, _ any, next func(context.Context) (any, error)) (any, error) {
	c.mu.Lock()
	on, left := c.on, c.left
	c.left--
	c.mu.Unlock()
	switch {
	case !on || left > 1:
		return next(ctx)
	case left == 1:
		if _, err := next(ctx); err != nil {
			return nil, err
		}
	}
	return nil, context.Canceled
}

// staller holds a put of a message back.
type staller struct {
	mu   sync.Mutex
	hold func(seq uint64)
}

func (s *staller) hook(ctx context.Context, input any, next func(context.Context) (any, error)) (any, error) {
	s.mu.Lock()
	hold := s.hold
	if seq := messageSeq(input); hold != nil && seq > 0 {
		s.hold = nil
		s.mu.Unlock()
		hold(seq)
	} else {
		s.mu.Unlock()
	}
	return next(ctx)
}

// stall begins an Append on A, and holds it before it puts its message.
func (p *pair) stall(d chat.Draft, then func(chat.Head, chat.Message)) (uint64, func() (chat.Message, error)) {
	type result struct {
		m   chat.Message
		err error
	}
	held, free, done := make(chan uint64), make(chan struct{}), make(chan result, 1)
	p.staller.mu.Lock()
	p.staller.hold = func(seq uint64) {
		held <- seq
		<-free
	}
	p.staller.mu.Unlock()
	go func() {
		m, err := p.a.Append(context.Background(), d, then)
		done <- result{m, err}
	}()
	return <-held, func() (chat.Message, error) {
		close(free)
		r := <-done
		return r.m, r.err
	}
}

// messageSeq gives the number of a message that is put, 0 for other requests.
func messageSeq(input any) uint64 {
	put, ok := input.(*dynamodb.PutItemInput)
	if !ok {
		return 0
	}
	return seqOf(sk(put.Item))
}

func TestLog(t *testing.T) {
	storetest.RunLog(t, func(tb testing.TB) storetest.LogHarness {
		p := newPair(tb, dynamostore.Options{})
		return storetest.LogHarness{
			A: p.a, B: p.b, Clock: p.clock, Slow: true,
			Reopen: func() (a, b chat.Log) { return p.reopen(tb, dynamostore.Options{}) },
			Stall:  p.stall,
			Crash:  p.crasher.arm,
		}
	})
}

func TestConnections(t *testing.T) {
	o := dynamostore.Options{Rate: 1, Burst: 10, Lease: time.Minute, SilentLease: 11 * time.Minute}
	storetest.RunConnections(t, func(tb testing.TB) storetest.ConnectionsHarness {
		p := newPair(tb, o)
		return storetest.ConnectionsHarness{
			A: p.a, B: p.b, Clock: p.clock, Slow: true, Burst: o.Burst,
			Lease: o.Lease, SilentLease: o.SilentLease, Unleased: true,
		}
	})
}
