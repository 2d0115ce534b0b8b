package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

// meter computes what requests cost on AWS, where DynamoDB Local counts otherwise. The rules are
// those of the developer guide's page on read and write operations: a write unit for each started
// KB of the larger of the item before and after, and for a refused write of the item that is
// there; a consistent read unit for each started 4 KB of an item, of a Query all its items
// together, at least one for an absent item; half of it where the read is not consistent.
type meter struct {
	mu            sync.Mutex
	reads, writes float64
	tickets       int
	requests      map[string]int // by operation
	lost          int            // requests without an answer, on a busy machine: not counted
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.writes, m.tickets, m.lost, m.requests = 0, 0, 0, 0, map[string]int{}
}

func (m *meter) hook(ctx context.Context, input any, next request) (any, error) {
	output, err := next(ctx, input)
	m.mu.Lock()
	defer m.mu.Unlock()
	var refused *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &refused) {
		m.lost++
		return output, err
	}
	name := strings.TrimPrefix(fmt.Sprintf("%T", input), "*dynamodb.")
	m.requests[strings.TrimSuffix(name, "Input")]++
	if err != nil {
		m.writes++ // a refused condition; the items here are below 1 KB
		return output, err
	}
	switch in := input.(type) {
	case *dynamodb.PutItemInput:
		m.writes += started(size(in.Item), 1024)
	case *dynamodb.UpdateItemInput:
		m.writes += started(size(output.(*dynamodb.UpdateItemOutput).Attributes), 1024)
		if sk(in.Key) == "HEAD" {
			m.tickets++
		}
	case *dynamodb.GetItemInput:
		found := output.(*dynamodb.GetItemOutput).Item
		m.reads += started(size(found), 4096) * share(in.ConsistentRead)
	case *dynamodb.BatchGetItemInput:
		for table, wanted := range in.RequestItems {
			absent := len(wanted.Keys)
			for _, it := range output.(*dynamodb.BatchGetItemOutput).Responses[table] {
				m.reads += started(size(it), 4096) * share(wanted.ConsistentRead)
				absent--
			}
			m.reads += float64(absent) * share(wanted.ConsistentRead)
		}
	}
	return output, err
}

// started is how many units of so many bytes an item has begun, at least one.
func started(size, unit int) float64 { return float64(max(1, (size+unit-1)/unit)) }

func share(consistent *bool) float64 {
	if aws.ToBool(consistent) {
		return 1
	}
	return 0.5
}

// TestStore_Append_cost has 50 writers in one room, who touch their connections before each send.
func TestStore_Append_cost(t *testing.T) {
	const writers, each = 50, 10
	m := &meter{}
	m.reset()
	p := newPair(t, dynamostore.Options{}, m.hook)
	text := strings.Repeat("x", 700)
	users := make([]string, writers)
	for i := range users {
		users[i] = fmt.Sprintf("writer%02d", i)
		c := chat.Connection{ID: "connection-of-" + users[i], User: users[i], ConnectedAt: p.clock.Now()}
		ok(t, "Open", p.a.Open(t.Context(), c, nil))
		_, err := p.a.Touch(t.Context(), c.ID, p.clock.Now(), chat.Greets) // begins a rate window
		ok(t, "Touch", err)
	}
	join(t, p.a, "tea", users...)
	m.reset()
	var writing sync.WaitGroup
	for _, user := range users {
		writing.Go(func() {
			for i := range each {
				_, err := p.a.Touch(t.Context(), "connection-of-"+user, p.clock.Now(), chat.Acts)
				if err != nil {
					t.Errorf("Touch: %v", err)
				}
				d := chat.Draft{Room: "tea", From: user, Text: text, At: p.clock.Now()}
				d.ID = fmt.Sprintf("01JQZ3Y0F6W5T7N8K2M4-%d", i)
				if _, err := p.a.Append(t.Context(), d, nobody); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	writing.Wait()
	const sends = writers * each
	t.Logf("per send: %.2f tickets, %.2f write units, %.2f read units; requests %v, lost %d",
		float64(m.tickets)/sends, m.writes/sends, m.reads/sends, m.requests, m.lost)
	if m.writes > 4*sends {
		t.Errorf("write units per send: %.2f, want at most 4", m.writes/sends)
	}
	if m.reads > 2*sends {
		t.Errorf("read units per send: %.2f, want at most 2", m.reads/sends)
	}
	equal(t, "requests", m.requests, map[string]int{
		"BatchGetItem": sends, "UpdateItem": 2 * sends, "PutItem": 2 * sends,
	})
	p.clock.Advance(chat.SettleAfter + time.Second)
	stored := 0
	for _, s := range all(t, p.b, "tea") {
		if s.State == chat.Stored {
			stored++
		}
	}
	equal(t, "stored messages", stored, sends)
	if m.lost == 0 {
		equal(t, "tickets", m.tickets, sends)
	}
}

// A write that its condition refuses costs as much as one that is made (developer guide, "DynamoDB read
// and write operations"): an idle connection's heartbeat makes none of them, as its hello does.
func TestStore_Touch_cost(t *testing.T) {
	m := &meter{}
	p := newPair(t, dynamostore.Options{}, m.hook)
	touches := []struct {
		what   string
		after  time.Duration
		pulse  chat.Pulse
		writes float64
	}{
		{"hello", 0, chat.Greets, 1},
		{"an action right after it", 0, chat.Acts, 1},
		{"a heartbeat after 2 minutes", 2 * time.Minute, chat.Beats, 1},
		{"another at once", 0, chat.Beats, 2},
		{"an action right after it", 0, chat.Acts, 1},
		{"an action after a minute", time.Minute, chat.Acts, 2},
	}
	var got, want []float64
	for try := range 5 { // on a busy machine answers are lost, and requests made again
		m.reset()
		c := chat.Connection{ID: fmt.Sprint("c", try), User: "ann", ConnectedAt: p.clock.Now()}
		ok(t, "Open", p.a.Open(t.Context(), c, nil))
		got, want = nil, nil
		for _, touch := range touches {
			p.clock.Advance(touch.after)
			before := m.writes
			_, err := p.a.Touch(t.Context(), c.ID, p.clock.Now(), touch.pulse)
			ok(t, touch.what, err)
			got, want = append(got, m.writes-before), append(want, touch.writes)
		}
		if m.lost == 0 {
			break
		}
	}
	equal(t, "write units", got, want)
	equal(t, "requests of the last", m.requests["UpdateItem"], len(touches)+2)
}
