package dynamostore

import (
	"context"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of DynamoDB's requests: the API reference of BatchGetItem and BatchWriteItem.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
)

// change is what an update does to an item, and the condition of any write. Values are named
// ":…" and names of users in paths "#…".
type change struct {
	update string
	when   string
	values item
	names  map[string]string
}

// found asks for the item that refuses a condition, if there is one.
func (c change) found() types.ReturnValuesOnConditionCheckFailure {
	if c.when == "" {
		return types.ReturnValuesOnConditionCheckFailureNone
	}
	return types.ReturnValuesOnConditionCheckFailureAllOld
}

// isAbsent is the condition of a put that must not replace anything.
const isAbsent = "attribute_not_exists(PK)"

// exists is the condition of an update that must not make the item.
const exists = "attribute_exists(PK)"

// get reads an item consistently; nil where there is none.
func (o *op) get(ctx context.Context, k key) (item, error) {
	var out *dynamodb.GetItemOutput
	err := o.send(ctx, func(ctx context.Context) (err error) {
		out, err = o.db.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &o.Table, Key: k.item(), ConsistentRead: aws.Bool(true),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// getAll reads items consistently. The absent ones are not in the map.
func (o *op) getAll(ctx context.Context, keys ...key) (map[key]item, error) {
	found := make(map[key]item, len(keys))
	for chunk := range slices.Chunk(keys, maxBatchGet) {
		wanted := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, k := range chunk {
			wanted.Keys = append(wanted.Keys, k.item())
		}
		if err := o.getBatch(ctx, wanted, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// getBatch reads up to maxBatchGet items into found, however often DynamoDB leaves some out.
func (o *op) getBatch(
	ctx context.Context, wanted types.KeysAndAttributes, found map[key]item,
) error {
	backoff := firstBackoff
	for len(wanted.Keys) > 0 {
		var out *dynamodb.BatchGetItemOutput
		err := o.send(ctx, func(ctx context.Context) (err error) {
			out, err = o.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{o.Table: wanted},
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, it := range out.Responses[o.Table] {
			found[keyOf(it)] = it
		}
		wanted.Keys = out.UnprocessedKeys[o.Table].Keys
		if backoff, err = o.pause(ctx, backoff, len(wanted.Keys)); err != nil {
			return err
		}
	}
	return nil
}

// query yields the items of a span in the order of their sort keys, or backward, as they are
// wanted, page by page of at most pageSize items (0: as DynamoDB likes).
func (o *op) query(ctx context.Context, s span, q querying) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		input := &dynamodb.QueryInput{
			TableName:              &o.Table,
			KeyConditionExpression: aws.String("PK = :pk AND SK BETWEEN :lo AND :hi"),
			ExpressionAttributeValues: item{
				":pk": str(s.pk), ":lo": str(s.lo), ":hi": str(s.hi),
			},
			ConsistentRead:   aws.Bool(!q.eventual),
			ScanIndexForward: aws.Bool(!q.backward),
		}
		if q.pageSize > 0 {
			input.Limit = aws.Int32(int32(q.pageSize))
		}
		for {
			var out *dynamodb.QueryOutput
			err := o.send(ctx, func(ctx context.Context) (err error) {
				out, err = o.db.Query(ctx, input)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, it := range out.Items {
				if !yield(it, nil) {
					return
				}
			}
			if input.ExclusiveStartKey = out.LastEvaluatedKey; len(out.LastEvaluatedKey) == 0 {
				return
			}
		}
	}
}

// querying is how a query reads.
type querying struct {
	backward bool
	eventual bool // at half the price, and perhaps without what was written in the last second
	pageSize int
}

// put writes an item under the condition, if any. Where that refuses, stored is false and old is
// the item that is there.
func (o *op) put(ctx context.Context, it item, c change) (old item, stored bool, err error) {
	o.wrote = true
	err = o.send(ctx, func(ctx context.Context) error {
		_, err := o.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &o.Table, Item: it,
			ConditionExpression:                 optional(c.when),
			ExpressionAttributeValues:           c.values,
			ReturnValuesOnConditionCheckFailure: c.found(),
		})
		return err
	})
	return o.outcome(ctx, keyOf(it), nil, err)
}

// putIfAbsent writes an item unless there is one.
func (o *op) putIfAbsent(ctx context.Context, it item) (old item, stored bool, err error) {
	return o.put(ctx, it, change{when: isAbsent})
}

// update changes an item and gives it as it is then; where the condition refuses, done is false
// and it is the item as it was found, nil if there is none.
func (o *op) update(ctx context.Context, k key, c change) (it item, done bool, err error) {
	o.wrote = true
	err = o.send(ctx, func(ctx context.Context) error {
		out, err := o.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &o.Table, Key: k.item(),
			UpdateExpression:                    &c.update,
			ConditionExpression:                 optional(c.when),
			ExpressionAttributeNames:            c.names,
			ExpressionAttributeValues:           c.values,
			ReturnValues:                        types.ReturnValueAllNew,
			ReturnValuesOnConditionCheckFailure: c.found(),
		})
		if err == nil {
			it = out.Attributes
		}
		return err
	})
	return o.outcome(ctx, k, it, err)
}

// delete removes an item under the condition, if any, and gives it; nil where there was none.
func (o *op) delete(ctx context.Context, k key, c change) (old item, done bool, err error) {
	o.wrote = true
	err = o.send(ctx, func(ctx context.Context) error {
		out, err := o.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &o.Table, Key: k.item(),
			ConditionExpression:                 optional(c.when),
			ExpressionAttributeValues:           c.values,
			ReturnValues:                        types.ReturnValueAllOld,
			ReturnValuesOnConditionCheckFailure: c.found(),
		})
		if err == nil {
			old = out.Attributes
		}
		return err
	})
	return o.outcome(ctx, k, old, err)
}

// outcome turns the error of a refused condition into the item that refused. An engine that does
// not send that item along is asked for it.
func (o *op) outcome(ctx context.Context, k key, it item, err error) (item, bool, error) {
	found, ok := refused(err)
	if !ok {
		return it, err == nil, err
	}
	if found == nil {
		found, err = o.get(ctx, k)
		return found, false, err
	}
	return found, false, nil
}

// writeAll puts and deletes items without conditions, in no promised order. No key may be there
// twice.
func (o *op) writeAll(ctx context.Context, puts []item, deletes []key) error {
	writes := make([]types.WriteRequest, 0, len(puts)+len(deletes))
	for _, it := range puts {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	}
	for _, k := range deletes {
		gone := &types.DeleteRequest{Key: k.item()}
		writes = append(writes, types.WriteRequest{DeleteRequest: gone})
	}
	for chunk := range slices.Chunk(writes, maxBatchWrite) {
		if err := o.writeBatch(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (o *op) writeBatch(ctx context.Context, writes []types.WriteRequest) error {
	o.wrote = true
	backoff := firstBackoff
	for len(writes) > 0 {
		var out *dynamodb.BatchWriteItemOutput
		err := o.send(ctx, func(ctx context.Context) (err error) {
			out, err = o.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{o.Table: writes},
			})
			return err
		})
		if err != nil {
			return err
		}
		writes = out.UnprocessedItems[o.Table]
		if backoff, err = o.pause(ctx, backoff, len(writes)); err != nil {
			return err
		}
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
