package meter_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/meter"
)

const kb = 1024

// metered is a table behind a proxy, and the same without it.
type metered struct {
	*dynamodb.Client
	direct *dynamodb.Client
	proxy  *meter.Proxy
	table  *string
	tb     testing.TB
}

func start(t *testing.T) *metered {
	t.Helper()
	endpoint := dynamolocal.Start(t)
	engine, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := meter.New(engine, nil)
	server := httptest.NewServer(p)
	t.Cleanup(func() { server.Close(); p.Close() })
	direct := dynamolocal.Client(endpoint)
	return &metered{
		Client: dynamolocal.Client(server.URL), direct: direct, proxy: p,
		table: aws.String(dynamolocal.Table(t, direct)), tb: t,
	}
}

type item = map[string]types.AttributeValue

func key(sk string) item {
	return item{
		"PK": &types.AttributeValueMemberS{Value: "p"}, "SK": &types.AttributeValueMemberS{Value: sk},
	}
}

// sized is an item of so many bytes.
func sized(sk string, bytes int) item {
	it := key(sk)
	it["t"] = &types.AttributeValueMemberS{
		Value: strings.Repeat("x", bytes-len("PK"+"p"+"SK"+"t")-len(sk)),
	}
	return it
}

// has puts items that nothing is counted for.
func (m *metered) has(items ...item) {
	m.tb.Helper()
	for _, it := range items {
		in := &dynamodb.PutItemInput{TableName: m.table, Item: it}
		if _, err := m.direct.PutItem(m.tb.Context(), in); err != nil {
			m.tb.Fatal(err)
		}
	}
}

// costs checks what the request just made has cost, and begins anew.
func (m *metered) costs(what string, operation string, read, write float64) {
	m.tb.Helper()
	all := m.proxy.Usage()
	want := meter.Usage{Requests: 1, ReadUnits: read, WriteUnits: write}
	got := all[operation]
	got.ReadBytes = 0
	if got != want || len(all) != 1 {
		m.tb.Errorf("%s: %+v, want %s %+v alone", what, all, operation, want)
	}
	m.proxy.Reset()
}

func must[T any](t *testing.T) func(out T, err error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// What the page "DynamoDB read and write operations" gives as examples of reads.
func TestProxy_reads(t *testing.T) {
	t.Parallel()
	m := start(t)
	ctx := t.Context()
	m.has(sized("a", 3584), sized("b", 10*kb), sized("c", 1536), sized("d", 6656))
	get := func(sk string, consistent bool, projection *string) item {
		t.Helper()
		return must[*dynamodb.GetItemOutput](t)(m.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: m.table, Key: key(sk), ConsistentRead: &consistent, ProjectionExpression: projection,
		})).Item
	}
	get("a", true, nil)
	m.costs("3.5 KB, consistent", "GetItem", 1, 0)
	get("a", false, nil)
	m.costs("3.5 KB", "GetItem", 0.5, 0)
	get("b", true, nil)
	m.costs("10 KB, consistent", "GetItem", 3, 0)
	if it := get("b", true, aws.String("SK")); len(it) != 1 {
		t.Errorf("one attribute of 10 KB: got %d", len(it))
	}
	m.costs("one attribute of 10 KB", "GetItem", 3, 0)
	get("nothing", true, nil)
	m.costs("no item, consistent", "GetItem", 1, 0)
	get("nothing", false, nil)
	m.costs("no item", "GetItem", 0.5, 0)

	batch := func(wanted types.KeysAndAttributes) {
		t.Helper()
		must[*dynamodb.BatchGetItemOutput](t)(m.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{*m.table: wanted},
		}))
	}
	two := []item{key("c"), key("d")}
	batch(types.KeysAndAttributes{Keys: two, ConsistentRead: aws.Bool(true)})
	m.costs("1.5 KB and 6.5 KB are 12 KB", "BatchGetItem", 3, 0)
	batch(types.KeysAndAttributes{Keys: two, ProjectionExpression: aws.String("SK")})
	m.costs("parts of 1.5 KB and 6.5 KB", "BatchGetItem", 1.5, 0)
	batch(types.KeysAndAttributes{Keys: append(two, key("nothing"))})
	m.costs("1.5 KB, 6.5 KB and nothing", "BatchGetItem", 2, 0)
	must[*dynamodb.TransactGetItemsOutput](t)(m.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: m.table, Key: key("b")}}},
	}))
	m.costs("10 KB in a transaction", "TransactGetItems", 6, 0)
}

// A Query costs what it has looked at, whatever it gives: ten items of 40.8 KB together.
func TestProxy_queries(t *testing.T) {
	t.Parallel()
	m := start(t)
	ctx := t.Context()
	for i := range 10 {
		m.has(sized(fmt.Sprintf("%03d", i), 4178)) // 40.8 KB / 10
	}
	looked := func(operation string, bytes int) {
		t.Helper()
		if got := m.proxy.Usage()[operation].ReadBytes; got != bytes {
			t.Errorf("%s has looked at %d bytes, want %d", operation, got, bytes)
		}
	}
	in := func() *dynamodb.QueryInput {
		return &dynamodb.QueryInput{
			TableName: m.table, KeyConditionExpression: aws.String("#p = :p"),
			ExpressionAttributeNames: map[string]string{"#p": "PK"},
			ExpressionAttributeValues: item{
				":p": &types.AttributeValueMemberS{Value: "p"},
			},
		}
	}
	query := func(q *dynamodb.QueryInput, found int32) {
		t.Helper()
		if out := must[*dynamodb.QueryOutput](t)(m.Query(ctx, q)); out.Count != found {
			t.Errorf("%d items, want %d", out.Count, found)
		}
	}
	q := in()
	query(q, 10)
	m.costs("a query", "Query", 5.5, 0)
	q.ConsistentRead = aws.Bool(true)
	query(q, 10)
	m.costs("consistent", "Query", 11, 0)
	q.FilterExpression = aws.String("SK = :s AND attribute_exists(#t)")
	q.ExpressionAttributeNames["#t"] = "t"
	q.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: "003"}
	if _, err := m.Query(ctx, q); err == nil {
		t.Error("a filter on a key was accepted")
	}
	m.costs("refused", "Query", 0, 0)
	q.FilterExpression = aws.String("#t = :s")
	query(q, 0)
	looked("Query", 10*4178)
	m.costs("all filtered out", "Query", 11, 0)
	q = in()
	q.Select = types.SelectCount
	query(q, 10)
	m.costs("a count", "Query", 5.5, 0)
	q.Limit = aws.Int32(3)
	query(q, 3)
	m.costs("the first three, 12.2 KB", "Query", 2, 0)
	q = in()
	q.ExpressionAttributeValues[":p"] = &types.AttributeValueMemberS{Value: "nobody"}
	query(q, 0)
	m.costs("nothing", "Query", 0.5, 0)
	must[*dynamodb.ScanOutput](t)(m.Scan(ctx, &dynamodb.ScanInput{
		TableName: m.table, ProjectionExpression: aws.String("SK"),
	}))
	m.costs("a scan", "Scan", 5.5, 0)
}

// What that page says of writes.
func TestProxy_writes(t *testing.T) {
	t.Parallel()
	m := start(t)
	ctx := t.Context()
	put := func(it item, condition string) error {
		_, err := m.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: m.table, Item: it, ConditionExpression: optional(condition),
		})
		return err
	}
	update := func(sk, expression, condition, value string) error {
		_, err := m.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: m.table, Key: key(sk), UpdateExpression: &expression, ConditionExpression: optional(condition),
			ExpressionAttributeValues: item{":v": &types.AttributeValueMemberS{Value: value}},
		})
		return err
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("not refused")
		}
	}
	ok(put(sized("a", 512), ""))
	m.costs("512 bytes", "PutItem", 0, 1)
	ok(put(sized("a", 3584), ""))
	m.costs("3.5 KB in place of 512 bytes", "PutItem", 0, 4)
	ok(put(sized("a", 2*kb), ""))
	m.costs("2 KB in place of 3.5 KB", "PutItem", 0, 4)
	refused(put(sized("a", 9*kb), "attribute_not_exists(PK)"))
	m.costs("refused by 2 KB", "PutItem", 0, 2)
	refused(put(sized("new", 9*kb), "attribute_exists(PK)"))
	m.costs("refused for want of an item", "PutItem", 0, 1)

	ok(update("a", "SET u = :v", "", "a little more"))
	m.costs("2 KB and a little", "UpdateItem", 0, 3)
	ok(update("a", "SET t = :v", "", "little"))
	m.costs("2 KB and a little to very little", "UpdateItem", 0, 3)
	ok(update("a", "SET t = :v", "", strings.Repeat("x", 3*kb)))
	m.costs("very little to over 3 KB", "UpdateItem", 0, 4)
	refused(update("a", "SET t = :v", "attribute_not_exists(PK)", "x"))
	m.costs("refused by over 3 KB", "UpdateItem", 0, 4)
	ok(update("new", "SET t = :v", "", strings.Repeat("x", kb)))
	m.costs("a new one of over 1 KB", "UpdateItem", 0, 2)

	remove := &dynamodb.DeleteItemInput{TableName: m.table, Key: key("a")}
	must[*dynamodb.DeleteItemOutput](t)(m.DeleteItem(ctx, remove))
	m.costs("delete over 3 KB", "DeleteItem", 0, 4)
	must[*dynamodb.DeleteItemOutput](t)(m.DeleteItem(ctx, remove))
	m.costs("delete nothing", "DeleteItem", 0, 1)
	must[*dynamodb.BatchWriteItemOutput](t)(m.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{*m.table: {
			{PutRequest: &types.PutRequest{Item: sized("c", 500)}},
			{PutRequest: &types.PutRequest{Item: sized("d", 3584)}},
			{DeleteRequest: &types.DeleteRequest{Key: key("new")}},
		}},
	}))
	m.costs("500 bytes and 3.5 KB are 5 KB, and 2 deleted", "BatchWriteItem", 0, 7)
	transact := func(expect string) error {
		_, err := m.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: m.table, Item: sized("e", 2*kb)}},
			{ConditionCheck: &types.ConditionCheck{TableName: m.table, Key: key("c"), ConditionExpression: &expect}},
		}})
		return err
	}
	ok(transact("attribute_exists(PK)"))
	m.costs("2 KB and a check of 500 bytes", "TransactWriteItems", 0, 4+2)
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Writers of one item do not spoil each other's figures, and each is counted by the key that signs.
func TestProxy_writers(t *testing.T) {
	t.Parallel()
	m := start(t)
	const writers, each = 8, 5
	other := dynamodb.New(m.Options(), func(o *dynamodb.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "other", SecretAccessKey: "x"}, nil
		})
	})
	tables := &dynamodb.ListTablesInput{}
	must[*dynamodb.ListTablesOutput](t)(other.ListTables(t.Context(), tables))
	m.has(sized("n", 1000))
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				_, err := m.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: m.table, Key: key("n"), UpdateExpression: aws.String("ADD n :one"),
					ExpressionAttributeValues: item{":one": &types.AttributeValueMemberN{Value: "1"}},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	want := meter.Usage{Requests: writers * each, WriteUnits: writers * each}
	if got := meter.Sum(m.proxy.Usage("local")); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := m.proxy.Usage("other"); len(got) != 1 || got["ListTables"].Requests != 1 {
		t.Errorf("the other's are %+v, want one ListTables", got)
	}
}
