package dynamostore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/confab-chat/confab/chat"
)

const (
	firstBackoff = 20 * time.Millisecond // doubles up to lastBackoff; a random part of it is waited
	lastBackoff  = time.Second
)

// op is one call of a method of the Store.
type op struct {
	*Store
	// wrote: a write was sent that changes what the caller asked to change, so that an error
	// from now on leaves it unknown.
	wrote bool
}

// do runs one call within the budget and gives its error a kind and the call's name.
func (s *Store) do(ctx context.Context, name string, run func(context.Context, *op) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.Budget)
	defer cancel()
	o := &op{Store: s}
	err := o.checkSchema(ctx)
	if err == nil {
		err = run(ctx, o)
	}
	var known *chat.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case !retryable(err) && ctx.Err() == nil:
		return chat.Wrap(chat.Internal, name, err)
	case o.wrote:
		return chat.Wrap(chat.Unknown, name, err)
	}
	return &chat.Error{Kind: chat.Unavailable, Op: name, RetryAfter: lastBackoff, Err: err}
}

// send makes one request until it is answered, refused by its condition, refused for good, or the
// time is over.
func (o *op) send(ctx context.Context, request func(context.Context) error) error {
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := o.attempt(ctx, request)
		if err == nil || !retryable(err) || errors.Is(err, context.Canceled) {
			return err
		}
		if wait(ctx, rand.N(backoff)) != nil {
			return err
		}
	}
}

// attempt makes one request, in a part of the time: a lost answer leaves some to ask again.
func (o *op) attempt(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, o.Budget*3/10)
	defer cancel()
	return request(ctx)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retryable tells whether a request may succeed when it is made again: all do but those in which
// DynamoDB finds the caller at fault for another reason than too much load or a conflict.
func retryable(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return true
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled {
		return true
	}
	switch api.ErrorCode() {
	case "TransactionConflictException", "ReplicatedWriteConflictException": // with others' writes
		return true
	}
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) && answer.HTTPStatusCode() < 500 {
		return false
	}
	return api.ErrorFault() != smithy.FaultClient
}

// refused gives the item that a write's condition refused to change.
func refused(err error) (it item, ok bool) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, true
	}
	return nil, false
}

// pause waits before a batch's leftovers are asked for again, and gives the next backoff.
func (o *op) pause(ctx context.Context, backoff time.Duration, left int) (time.Duration, error) {
	if left == 0 {
		return backoff, nil
	}
	return min(2*backoff, lastBackoff), wait(ctx, rand.N(backoff))
}
