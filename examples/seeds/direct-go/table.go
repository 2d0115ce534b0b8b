package main

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	maxLife  = 2 * time.Hour    // API Gateway ends every connection after it
	settling = 30 * time.Second // in which a 410 can mean "not open yet" instead of "closed"
)

// table holds the open connections.
type table struct {
	client *dynamodb.Client
	name   string
}

// row is one connection.
type row struct {
	id      string
	expires time.Time // should $disconnect get lost
}

// settled tells whether the connection is old enough for a 410 to mean that it is closed.
func (r row) settled() bool { return time.Until(r.expires) < maxLife-settling }

func (t table) put(ctx context.Context, id string) error {
	item := key(id)
	item["expires"] = seconds(time.Now().Add(maxLife))
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.name, Item: item})
	return err
}

func (t table) forget(ctx context.Context, id string) error {
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.name, Key: key(id)})
	return err
}

func (t table) has(ctx context.Context, id string) (bool, error) {
	got, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.name, Key: key(id), ConsistentRead: aws.Bool(true),
	})
	return err == nil && got.Item != nil, err
}

// all gives the connections in the pages in which a Scan answers.
func (t table) all(ctx context.Context) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{
			TableName:                 &t.name,
			FilterExpression:          aws.String("expires > :now"), // TTL deletes days late
			ExpressionAttributeValues: item{":now": seconds(time.Now())},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(rows(page.Items), nil) {
				return
			}
		}
	}
}

type item = map[string]types.AttributeValue

func key(id string) item {
	return item{"connectionId": &types.AttributeValueMemberS{Value: id}}
}

func seconds(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Unix(), 10)}
}

// rows reads items; the filter of the Scan has seen to it that each has a number as its expiry.
func rows(items []item) []row {
	list := make([]row, 0, len(items))
	for _, it := range items {
		id, _ := it["connectionId"].(*types.AttributeValueMemberS)
		expires, _ := it["expires"].(*types.AttributeValueMemberN)
		at, err := strconv.ParseInt(expires.Value, 10, 64)
		if err == nil {
			list = append(list, row{id.Value, time.Unix(at, 0)})
		}
	}
	return list
}
