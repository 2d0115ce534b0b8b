// Package dynamolocal runs Amazon's DynamoDB Local for tests: one per test binary, in memory, on
// 127.0.0.1 only. `make tools` installs it.
package dynamolocal

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/localdb"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/store/dynamostore"
)

var local struct {
	once   sync.Once
	engine *localdb.Engine // until the process ends
	err    error

	mu     sync.Mutex
	tables int // made so far
}

// Start gives the endpoint of the test binary's DynamoDB Local, as "http://127.0.0.1:40123". The
// first call starts it; it ends with the process, however that ends. The test is skipped where
// DynamoDB Local or Java is not installed.
func Start(tb testing.TB) (endpoint string) {
	tb.Helper()
	lib := tools.Path(tb, "dynamodb/lib")
	java := tools.Program(tb, "java")
	local.once.Do(func() {
		if local.engine, local.err = localdb.Run(java, lib); local.err == nil {
			local.err = warm(local.engine.Endpoint)
		}
	})
	if local.err != nil {
		tb.Fatalf("start DynamoDB Local: %v", local.err)
	}
	return local.engine.Endpoint
}

// How an engine is warmed: its first requests, which Java interprets, can take longer than the store
// waits.
const (
	warmTries = 20
	warmTime  = 500 * time.Millisecond // of one message
	warmLimit = time.Minute
)

// warm says messages until they are stored without delay, or warmLimit is over.
func warm(endpoint string) error {
	ctx, cancel := context.WithTimeout(context.Background(), warmLimit)
	defer cancel()
	const table = "warm"
	client := Client(endpoint)
	store := dynamostore.New(client, dynamostore.Options{Table: table, Budget: warmLimit})
	if err := store.CreateTable(ctx); err != nil {
		return err
	}
	for i := 0; ctx.Err() == nil; i++ {
		begin := time.Now()
		_, err := store.Append(ctx, chat.Draft{
			Room: chat.Lobby, From: "alice", ID: strconv.Itoa(i), Text: "hello", At: begin,
		}, func(chat.Head, chat.Message) {})
		if err == nil && i >= warmTries && time.Since(begin) < warmTime {
			break
		}
	}
	_, err := client.DeleteTable(context.WithoutCancel(ctx), &dynamodb.DeleteTableInput{
		TableName: aws.String(table),
	})
	return err
}

// Client makes a client of the endpoint, with invented credentials and the options given.
func Client(endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		HTTPClient: httpClient,
	}, options...)
}

// httpClient keeps enough connections for the writers of a load test.
var httpClient = &http.Client{Transport: &http.Transport{
	MaxIdleConnsPerHost: 256,
	IdleConnTimeout:     time.Second,
}}

// Table makes a fresh table for the test and gives its name. It has no TTL: DynamoDB Local would
// delete by the machine's clock what a test keeps by its own.
func Table(tb testing.TB, client *dynamodb.Client) string {
	tb.Helper()
	local.mu.Lock()
	local.tables++
	name := fmt.Sprintf("test-%d-%d", os.Getpid(), local.tables)
	local.mu.Unlock()
	store := dynamostore.New(client, dynamostore.Options{Table: name, Budget: warmLimit})
	if err := store.CreateTable(tb.Context()); err != nil {
		tb.Fatalf("create table: %v", err)
	}
	_, err := client.UpdateTimeToLive(tb.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("x"), Enabled: aws.Bool(false),
		},
	})
	if err != nil {
		tb.Fatalf("switch the TTL off: %v", err)
	}
	tb.Cleanup(func() {
		input := &dynamodb.DeleteTableInput{TableName: &name}
		if _, err := client.DeleteTable(context.WithoutCancel(tb.Context()), input); err != nil {
			tb.Errorf("delete table: %v", err)
		}
	})
	return name
}
