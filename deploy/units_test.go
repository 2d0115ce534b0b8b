package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/meter"
	"github.com/confab-chat/confab/store/dynamostore"
)

// function is the deployed function's handler, with its tables behind a meter and @connections that
// counts what is posted.
type function struct {
	tb      testing.TB
	handler *chatapi.Handler
	meter   *meter.Proxy
	direct  *dynamodb.Client // beside the meter
	table   string
	posts   atomic.Int64
	tasks   sync.WaitGroup
}

// The function's settings: cmd/confab-lambda.
const (
	inline = 200
	room   = "tea"
)

func start(t *testing.T) *function {
	t.Helper()
	endpoint := dynamolocal.Start(t)
	engine, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f := &function{tb: t, meter: meter.New(engine, nil), direct: dynamolocal.Client(endpoint)}
	f.table = dynamolocal.Table(t, f.direct)
	tables := httptest.NewServer(f.meter)
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			f.posts.Add(1)
		}
	}))
	poster, err := connections.New(connections.Config{
		Endpoint: gateway.URL + "/production", AccessKey: "key", SecretKey: "secret",
		HTTPClient: gateway.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.tasks.Wait()
		gateway.Close()
		tables.Close()
		f.meter.Close()
	})
	begun := time.Now()
	now := func() time.Time { return begun } // no rate window ends
	store := dynamostore.New(dynamolocal.Client(tables.URL), dynamostore.Options{Table: f.table, Now: now, Budget: time.Minute})
	f.handler = chatapi.New(chatapi.Config{
		Service: chat.NewService(store, store, now), Poster: poster, Deferrer: f,
		Version: "0.0.0-test", Heartbeat: 2 * time.Minute, Pipeline: 1, MaxConnection: 2 * time.Hour,
		ResumeMax: 100, Inline: inline, TypingMax: 20, ExcessMax: 100,
		Now: now, Sleep: chatapi.Sleep, Jitter: func(int) int { return 0 },
		Logger: slog.New(slog.DiscardHandler),
	})
	return f
}

// Later is the asynchronous invocation.
func (f *function) Later(_ context.Context, task chatapi.Task) error {
	f.tasks.Go(func() {
		if err := f.handler.Run(context.Background(), task); err != nil {
			f.tb.Errorf("task %s: %v", task.Kind, err)
		}
	})
	return nil
}

// event hands over an event of alice's connection, and waits for the tasks that come of it.
func (f *function) event(route, kind, body string) {
	f.tb.Helper()
	e := chatapi.Event{Body: body, QueryStringParameters: map[string]string{"name": "alice"}}
	e.RequestContext.RouteKey, e.RequestContext.EventType = route, kind
	e.RequestContext.ConnectionID, e.RequestContext.RequestID = "YlUT2fw_vs8zO0I=", "request"
	e.RequestContext.ConnectedAt = time.Now().UnixMilli()
	r, err := f.handler.Handle(f.tb.Context(), e)
	if err != nil || r.StatusCode != http.StatusOK {
		f.tb.Fatalf("%s: %d %s %v", body, r.StatusCode, r.Body, err)
	}
	f.tasks.Wait()
}

// subscriptions gives the rows of the room's connections.
func (f *function) subscriptions() (rows []map[string]types.AttributeValue) {
	f.tb.Helper()
	pages := dynamodb.NewQueryPaginator(f.direct, &dynamodb.QueryInput{
		TableName: &f.table, KeyConditionExpression: aws.String("PK = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "S#" + room},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(f.tb.Context())
		if err != nil {
			f.tb.Fatal(err)
		}
		rows = append(rows, page.Items...)
	}
	return rows
}

// subscribe has so many connections more in the room than alice's, whose rows are like hers.
func (f *function) subscribe(n int) {
	f.tb.Helper()
	const atOnce = 25 // BatchWriteItem takes no more
	hers := f.subscriptions()[0]
	for begin := 0; begin < n; begin += atOnce {
		var puts []types.WriteRequest
		for i := begin; i < min(n, begin+atOnce); i++ {
			row := maps.Clone(hers)
			row["SK"] = &types.AttributeValueMemberS{Value: fmt.Sprintf("connection%05d=", i)}
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: row}})
		}
		_, err := f.direct.BatchWriteItem(f.tb.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{f.table: puts},
		})
		if err != nil {
			f.tb.Fatal(err)
		}
	}
}

// bytesOf is the size of items as the Developer Guide has it, reckoned without package meter.
func bytesOf(rows []map[string]types.AttributeValue) (bytes int, err error) {
	for _, row := range rows {
		for name, value := range row {
			bytes += len(name)
			switch v := value.(type) {
			case *types.AttributeValueMemberS:
				bytes += len(v.Value)
			case *types.AttributeValueMemberB:
				bytes += len(v.Value)
			case *types.AttributeValueMemberN:
				bytes += (len(strings.Trim(v.Value, "0"))+1)/2 + 1 // a count or a time
			default:
				return 0, errors.New(name + " is of a kind that this does not know")
			}
		}
	}
	return bytes, nil
}

// send sends a message of 700 bytes. Where the machine was so busy that a request was made again, it
// sends another one.
func (f *function) send() {
	const tries, requests = 5, 6
	for n := range tries {
		f.meter.Reset()
		f.posts.Store(0)
		text := strings.Repeat("x", 700)
		f.event("sendMessage", "MESSAGE", fmt.Sprintf(
			`{"action":"sendMessage","id":"m%d","room":%q,"message":%q}`, n, room, text))
		if meter.Sum(f.meter.Usage()).Requests == requests {
			return
		}
	}
}

// A message to R connections costs what it must: R posts, one reading of the room's rows without
// consistency, and besides 4 write units (the connection's row, the ticket, SENT and the message)
// and 2 read units (the member and SENT), however many R are.
func TestUnits_ofAMessage(t *testing.T) {
	t.Parallel()
	for _, receivers := range []int{1, 10, 100, 1000} {
		t.Run(fmt.Sprint(receivers), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.event("$connect", "CONNECT", "")
			f.event("joinRoom", "MESSAGE", `{"action":"joinRoom","id":"j","room":"`+room+`"}`)
			f.subscribe(receivers - 1)
			rows := f.subscriptions()
			bytes, err := bytesOf(rows)
			if err != nil || len(rows) != receivers {
				t.Fatalf("%d rows, want %d: %v", len(rows), receivers, err)
			}
			f.send()
			if got := int(f.posts.Load()); got != receivers {
				t.Errorf("%d posts, want %d", got, receivers)
			}
			used := f.meter.Usage()
			queries := meter.Usage{Requests: 1, ReadUnits: float64((bytes+4095)/4096) / 2, ReadBytes: bytes} // a page has 1 MB
			if used["Query"] != queries {
				t.Errorf("the fan-out has read %+v, want %+v for %d bytes", used["Query"], queries, bytes)
			}
			delete(used, "Query")
			if sum := meter.Sum(used); sum.WriteUnits != 4 || sum.ReadUnits != 2 {
				t.Errorf("besides the fan-out %v write and %v read units, want 4 and 2: %+v",
					sum.WriteUnits, sum.ReadUnits, used)
			}
		})
	}
}
