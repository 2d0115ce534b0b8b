package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/lambdahost"
)

// tablePatience is how long a new table may take until it is there.
const tablePatience = time.Minute

// createTables makes the tables that are not there yet.
func (s *Stack) createTables(ctx context.Context, endpoint string, c lambdahost.Credentials) error {
	if endpoint == "" || len(s.Tables) == 0 {
		return nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	db := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: s.Region,
		HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
				SessionToken: c.SessionToken,
			}, nil
		}),
	})
	for _, t := range s.Tables {
		if err := t.create(ctx, db); err != nil {
			return fmt.Errorf("stack: table %s at %s: %w", t.Name, endpoint, err)
		}
	}
	return nil
}

// create makes a table, or checks that the one of that name is as the template says.
func (t *Table) create(ctx context.Context, db *dynamodb.Client) error {
	var there *types.ResourceInUseException
	_, err := db.CreateTable(ctx, t.input)
	if err != nil && !errors.As(err, &there) {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second
	})
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &t.Name},
		tablePatience)
	if err != nil {
		return err
	}
	if there != nil {
		if err := t.compare(out.Table); err != nil {
			return err
		}
	}
	return t.expire(ctx, db)
}

// compare says what a table lacks that is there already.
func (t *Table) compare(have *types.TableDescription) error {
	if !sameKeys(t.input.KeySchema, have.KeySchema) {
		return errors.New("it is there with another key: delete it, or give the table another name")
	}
	indexes := map[string][]types.KeySchemaElement{}
	for _, index := range have.GlobalSecondaryIndexes {
		indexes[aws.ToString(index.IndexName)] = index.KeySchema
	}
	for _, index := range have.LocalSecondaryIndexes {
		indexes[aws.ToString(index.IndexName)] = index.KeySchema
	}
	wanted := map[string][]types.KeySchemaElement{}
	for _, index := range t.input.GlobalSecondaryIndexes {
		wanted[*index.IndexName] = index.KeySchema
	}
	for _, index := range t.input.LocalSecondaryIndexes {
		wanted[*index.IndexName] = index.KeySchema
	}
	for name, schema := range wanted {
		if !sameKeys(schema, indexes[name]) {
			return fmt.Errorf("it is there without the index %s: delete it, or give the table"+
				" another name", name)
		}
	}
	return nil
}

// sameKeys compares schemas, in which an engine may have put the parts in another order.
func sameKeys(a, b []types.KeySchemaElement) bool {
	byType := map[types.KeyType]string{}
	for _, k := range a {
		byType[k.KeyType] = aws.ToString(k.AttributeName)
	}
	for _, k := range b {
		if byType[k.KeyType] != aws.ToString(k.AttributeName) {
			return false
		}
	}
	return len(a) == len(b)
}

// expire has the engine delete items whose time has come.
func (t *Table) expire(ctx context.Context, db *dynamodb.Client) error {
	if t.TTL == "" {
		return nil
	}
	now, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &t.Name})
	if err != nil {
		return err
	}
	if d := now.TimeToLiveDescription; d != nil && aws.ToString(d.AttributeName) == t.TTL {
		return nil
	}
	_, err = db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &t.Name, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &t.TTL, Enabled: aws.Bool(true),
		},
	})
	return err
}
