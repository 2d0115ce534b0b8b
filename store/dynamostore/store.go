package dynamostore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Defaults of Options.
const (
	DefaultLease       = 250 * time.Second // two heartbeats of 120 s and 10 s
	DefaultSilentLease = 2 * time.Hour     // API Gateway ends a connection after that: its quotas page
	DefaultRate        = 10                // actions per second
	DefaultBurst       = 20
	DefaultBudget      = 5 * time.Second
)

// Options configures a Store. Zero fields get the defaults.
type Options struct {
	Table    string           // name of the table
	Now      func() time.Time // default time.Now
	NewEpoch func() string    // random id of a room's log; default 128 bits in base32

	// Rate is how many actions per second a connection may do, counted over windows of 10 s;
	// Burst is the least that a window allows.
	Rate, Burst int

	// Lease is how long a connection that has said hello lives after an action, SilentLease one
	// that has not.
	Lease, SilentLease time.Duration

	// Budget is how long one call of a method may take, all its requests and retries together. A
	// request without an answer is given up, and may be made again, after three tenths of it. More
	// than 10 s is for tests: what was begun longer ago others take for dead.
	Budget time.Duration

	// MaxReceivers is at how many connections Receivers ends; 0 is no limit. What is left out
	// finds the message by its heartbeat. LeftOut, if set, is called when that happens.
	MaxReceivers int
	LeftOut      func(room string)
}

// Store is chat.Log, chat.Connections and auth.Sessions in a DynamoDB table. It may be used by any
// number of goroutines and processes.
type Store struct {
	db *dynamodb.Client
	Options
	schema schema
}

var (
	_ chat.Log         = (*Store)(nil)
	_ chat.Connections = (*Store)(nil)
	_ auth.Sessions    = (*Store)(nil)
)

// New makes a store on a table that exists, or that CreateTable will make. The client's retries
// are not used: the store has its own, within Budget.
func New(client *dynamodb.Client, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewEpoch == nil {
		o.NewEpoch = func() string { return strings.ToLower(rand.Text()) }
	}
	o.Rate = cmp.Or(o.Rate, DefaultRate)
	o.Burst = cmp.Or(o.Burst, DefaultBurst)
	o.Budget = cmp.Or(o.Budget, DefaultBudget)
	o.Lease = cmp.Or(o.Lease, DefaultLease)
	o.SilentLease = cmp.Or(o.SilentLease, DefaultSilentLease)
	once := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
	return &Store{db: dynamodb.New(client.Options(), once), Options: o}
}

// CreateTable makes the table, on demand and with its TTL, and waits until it can be used. It is
// for local engines: on AWS the template makes the table. A table that exists is left as it is.
func (s *Store) CreateTable(ctx context.Context) error {
	_, err := s.db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &s.Table,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(pkName), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(skName), KeyType: types.KeyTypeRange},
		},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(pkName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(skName), AttributeType: types.ScalarAttributeTypeS},
		},
	})
	var exists *types.ResourceInUseException
	if errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return chat.Wrap(chat.Unavailable, "create table", err)
	}
	created := dynamodb.NewTableExistsWaiter(s.db)
	described := &dynamodb.DescribeTableInput{TableName: &s.Table}
	if err := created.Wait(ctx, described, time.Minute); err != nil {
		return chat.Wrap(chat.Unavailable, "create table", err)
	}
	_, err = s.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &s.Table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(attrExpiry), Enabled: aws.Bool(true),
		},
	})
	return chat.Wrap(chat.Unavailable, "create table", err)
}
