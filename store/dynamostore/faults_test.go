package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The kinds of fault that DynamoDB has and DynamoDB Local does not show.
const (
	throughput    = "throughput exceeded"
	throttling    = "throttling"
	conflict      = "conflict"
	serverError   = "internal server error"
	timeoutBefore = "timeout before"
	timeoutAfter  = "timeout after"
	unprocessed   = "unprocessed keys"
	shortPage     = "short page"
	staleRead     = "stale read"
	bareRefusal   = "refusal without the item"
)

// faulty gives each request a fault with probability p, of those that it can have.
type faulty struct {
	p float64

	mu     sync.Mutex
	random *rand.Rand
	counts map[string]int
	stale  map[string]any // the first answer to each eventually consistent Query
}

func newFaulty(seed uint64, p float64) *faulty {
	return &faulty{
		p: p, random: rand.New(rand.NewPCG(seed, 12)), counts: map[string]int{},
		stale: map[string]any{},
	}
}

// timeout is the error of a request without an answer.
type timeout struct{}

func (timeout) Error() string { return "no answer in time" }
func (timeout) Timeout() bool { return true }

func (f *faulty) hook(ctx context.Context, input any, next request) (any, error) {
	kind := f.draw(input)
	switch kind {
	case throughput:
		return nil, &types.ProvisionedThroughputExceededException{}
	case throttling:
		return nil, &types.ThrottlingException{}
	case conflict:
		return nil, &types.TransactionConflictException{}
	case serverError:
		return nil, &types.InternalServerError{}
	case timeoutBefore:
		return nil, timeout{}
	}
	input, rest := shorten(kind, input)
	output, err := next(ctx, input)
	f.remember(input, output, err)
	switch kind {
	case timeoutAfter:
		return nil, timeout{}
	case unprocessed:
		leaveOut(output, rest)
	case staleRead:
		output = f.old(input, output)
	case bareRefusal:
		return output, bare(err)
	}
	return output, err
}

// draw chooses a fault that the request can have, or "".
func (f *faulty) draw(input any) string {
	kinds := []string{throughput, throttling, serverError, timeoutBefore, timeoutAfter}
	switch in := input.(type) {
	case *dynamodb.PutItemInput, *dynamodb.UpdateItemInput, *dynamodb.DeleteItemInput:
		kinds = append(kinds, conflict, bareRefusal)
	case *dynamodb.BatchGetItemInput, *dynamodb.BatchWriteItemInput:
		kinds = append(kinds, unprocessed)
	case *dynamodb.QueryInput:
		kinds = append(kinds, shortPage)
		if !aws.ToBool(in.ConsistentRead) {
			kinds = append(kinds, staleRead)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.Float64() >= f.p {
		return ""
	}
	kind := kinds[f.random.IntN(len(kinds))]
	f.counts[kind]++
	return kind
}

// shorten takes the last of a batch out of the input, and gives what leaveOut needs to name it; or
// makes a Query give one item.
func shorten(kind string, input any) (shorter any, rest any) {
	switch in := input.(type) {
	case *dynamodb.QueryInput:
		if kind == shortPage {
			short := *in
			short.Limit = aws.Int32(1)
			return &short, nil
		}
	case *dynamodb.BatchGetItemInput:
		if kind == unprocessed {
			short, left := *in, map[string]types.KeysAndAttributes{}
			short.RequestItems = maps.Clone(in.RequestItems)
			for table, wanted := range in.RequestItems {
				some, last := wanted, wanted
				some.Keys, last.Keys = cut(wanted.Keys)
				short.RequestItems[table], left[table] = some, last
			}
			return &short, left
		}
	case *dynamodb.BatchWriteItemInput:
		if kind == unprocessed {
			short, left := *in, map[string][]types.WriteRequest{}
			short.RequestItems = maps.Clone(in.RequestItems)
			for table, writes := range in.RequestItems {
				short.RequestItems[table], left[table] = cut(writes)
			}
			return &short, left
		}
	}
	return input, nil
}

// cut takes the last away, unless it is the only one: a batch must not be empty.
func cut[T any](all []T) (some, last []T) {
	if len(all) < 2 {
		return all, nil
	}
	n := len(all) - 1
	return all[:n:n], slices.Clone(all[n:])
}

// leaveOut says in a batch's answer what was not done.
func leaveOut(output, rest any) {
	switch out := output.(type) {
	case *dynamodb.BatchGetItemOutput:
		out.UnprocessedKeys = rest.(map[string]types.KeysAndAttributes)
	case *dynamodb.BatchWriteItemOutput:
		out.UnprocessedItems = rest.(map[string][]types.WriteRequest)
	}
}

// remember keeps the first answer to each eventually consistent Query.
func (f *faulty) remember(input, output any, err error) {
	query, ok := input.(*dynamodb.QueryInput)
	if !ok || err != nil || aws.ToBool(query.ConsistentRead) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.stale[queryName(query)]; !known {
		f.stale[queryName(query)] = output
	}
}

// old gives the first answer to an equal Query in the place of the present one.
func (f *faulty) old(input, output any) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, known := f.stale[queryName(input.(*dynamodb.QueryInput))]; known {
		return first
	}
	return output
}

func queryName(in *dynamodb.QueryInput) string {
	return fmt.Sprint(text(in.ExpressionAttributeValues[":pk"]), in.ExclusiveStartKey, aws.ToInt32(in.Limit))
}

// bare takes the item from a refused condition, as engines do that do not send it.
func bare(err error) error {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		failed.Item = nil
	}
	return err
}

// total is the number of faults so far.
func (f *faulty) total() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, count := range f.counts {
		n += count
	}
	return n
}
