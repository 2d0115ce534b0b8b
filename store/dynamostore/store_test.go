package dynamostore_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// pair is two stores on a fresh table, with the clock of both. Requests of the first go through
// the crasher and the staller.
type pair struct {
	a, b    *dynamostore.Store
	client  *dynamodb.Client // of the second
	clock   *storetest.Clock
	crasher *crasher
	staller *staller
}

func newPair(tb testing.TB, o dynamostore.Options, hooks ...hook) *pair {
	tb.Helper()
	options := make([]func(*dynamodb.Options), len(hooks))
	for i, h := range hooks {
		options[i] = hooked(h)
	}
	return pairOf(tb, o, nil, options...)
}

// budget is enough for a call on a machine that does other things.
const budget = time.Minute

// pairOf makes a pair whose clients are made with both, and the first one's with own besides.
func pairOf(
	tb testing.TB, o dynamostore.Options, both func(*dynamodb.Options), own ...func(*dynamodb.Options),
) *pair {
	tb.Helper()
	endpoint := dynamolocal.Start(tb)
	if both == nil {
		both = func(*dynamodb.Options) {}
	}
	p := &pair{
		client: dynamolocal.Client(endpoint, both), clock: storetest.NewClock(),
		crasher: &crasher{}, staller: &staller{},
	}
	o.Table = dynamolocal.Table(tb, p.client)
	o.Now, o.Budget = p.clock.Now, budget
	own = append([]func(*dynamodb.Options){both, hooked(p.staller.hook), hooked(p.crasher.hook)}, own...)
	p.a = dynamostore.New(dynamolocal.Client(endpoint, own...), o)
	p.b = dynamostore.New(p.client, o)
	return p
}

// atOnce runs a test in the time of a bubble, which stands still while an answer of the engine is
// awaited: no limit of time is reached, however slow the machine is.
func atOnce(t *testing.T, test func(t *testing.T, p *pair)) {
	t.Helper()
	dynamolocal.Start(t) // the engine is not to be the bubble's
	synctest.Test(t, func(t *testing.T) {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		own := func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: transport} }
		test(t, pairOf(t, dynamostore.Options{}, own))
	})
}

// reopen gives what two new processes on the table would have.
func (p *pair) reopen() (a, b chat.Log) {
	o := dynamostore.Options{Table: p.b.Table, Now: p.clock.Now, Budget: budget}
	return dynamostore.New(p.client, o), dynamostore.New(p.client, o)
}

// stall begins an Append on A, and holds it before it puts its message.
func (p *pair) stall(
	d chat.Draft, then func(chat.Head, chat.Message),
) (seq uint64, finish func() (chat.Message, error)) {
	type result struct {
		m   chat.Message
		err error
	}
	held, free, done := make(chan uint64), make(chan struct{}), make(chan result, 1)
	p.staller.arm(func(seq uint64) {
		held <- seq
		<-free
	})
	go func() {
		m, err := p.a.Append(context.Background(), d, then)
		done <- result{m, err}
	}()
	return <-held, func() (chat.Message, error) {
		close(free)
		r := <-done
		return r.m, r.err
	}
}

func TestLog(t *testing.T) {
	storetest.RunLog(t, func(tb testing.TB) storetest.LogHarness {
		p := newPair(tb, dynamostore.Options{})
		return storetest.LogHarness{
			A: p.a, B: p.b, Clock: p.clock, Slow: true,
			Reopen: p.reopen, Stall: p.stall, Crash: p.crasher.arm,
		}
	})
}

func TestConnections(t *testing.T) {
	o := dynamostore.Options{Rate: 1, Burst: 10, Lease: time.Minute, SilentLease: 11 * time.Minute}
	storetest.RunConnections(t, func(tb testing.TB) storetest.ConnectionsHarness {
		p := newPair(tb, o)
		return storetest.ConnectionsHarness{
			A: p.a, B: p.b, Clock: p.clock, Slow: true, Burst: o.Burst,
			Lease: o.Lease, SilentLease: o.SilentLease, Unleased: true,
		}
	})
}

// nobody is the then of an Append whose call does not matter.
func nobody(chat.Head, chat.Message) {}

func wantKind(tb testing.TB, what string, err error, kind chat.Kind) {
	tb.Helper()
	if !chat.Is(err, kind) {
		tb.Fatalf("%s: got error %v, want kind %q", what, err, kind)
	}
}

func ok(tb testing.TB, what string, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
}

func equal[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// join admits users to a public room, which the first of them makes.
func join(tb testing.TB, log chat.Log, room string, users ...string) {
	tb.Helper()
	for _, user := range users {
		j := chat.Join{Room: room, Name: room, User: user, Kind: chat.PublicRoom}
		_, _, err := log.Join(tb.Context(), j)
		ok(tb, "Join by "+user, err)
	}
}

// all reads a room's whole log, as far as it is settled, and checks that it is dense from 1.
func all(tb testing.TB, log chat.Log, room string) []chat.Message {
	tb.Helper()
	var all []chat.Message
	for {
		r := chat.Range{After: uint64(len(all)), Limit: chat.MaxPage}
		p, err := log.Messages(tb.Context(), room, r)
		ok(tb, "Messages", err)
		for _, m := range p.Messages {
			all = append(all, m)
			if m.Seq != uint64(len(all)) {
				tb.Fatalf("the log of %s has %d where %d belongs", room, m.Seq, len(all))
			}
		}
		if !p.More || len(p.Messages) == 0 {
			return all
		}
	}
}

// getItem reads an item past the store.
func (p *pair) getItem(tb testing.TB, pk, sk string) item {
	tb.Helper()
	out, err := p.client.GetItem(tb.Context(), &dynamodb.GetItemInput{
		TableName: &p.b.Table, Key: keyItem(pk, sk), ConsistentRead: aws.Bool(true),
	})
	ok(tb, "GetItem", err)
	return out.Item
}

// putItem writes an item past the store.
func (p *pair) putItem(tb testing.TB, it item) {
	tb.Helper()
	_, err := p.client.PutItem(tb.Context(), &dynamodb.PutItemInput{TableName: &p.b.Table, Item: it})
	ok(tb, "PutItem", err)
}

func keyItem(pk, sk string) item {
	return item{
		"PK": &types.AttributeValueMemberS{Value: pk}, "SK": &types.AttributeValueMemberS{Value: sk},
	}
}

func TestStore_CreateTable(t *testing.T) {
	client := dynamolocal.Client(dynamolocal.Start(t))
	name := "TestStore_CreateTable"
	store := dynamostore.New(client, dynamostore.Options{Table: name, Budget: budget})
	for range 2 {
		ok(t, "CreateTable", store.CreateTable(t.Context()))
	}
	t.Cleanup(func() {
		_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
		ok(t, "DeleteTable", err)
	})
	table, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	ok(t, "DescribeTable", err)
	if n := len(table.Table.GlobalSecondaryIndexes); n != 0 {
		t.Errorf("the table has %d indexes, want none", n)
	}
	equal(t, "billing", table.Table.BillingModeSummary.BillingMode, types.BillingModePayPerRequest)
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	ok(t, "DescribeTimeToLive", err)
	equal(t, "TTL attribute", *ttl.TimeToLiveDescription.AttributeName, "x")
	equal(t, "TTL", ttl.TimeToLiveDescription.TimeToLiveStatus, types.TimeToLiveStatusEnabled)
}

func TestStore_schema(t *testing.T) {
	t.Run("is marked by the first use", func(t *testing.T) {
		p := newPair(t, dynamostore.Options{})
		_, err := p.a.Heads(t.Context(), nil)
		ok(t, "Heads", err)
		version := p.getItem(t, "SCHEMA", "SCHEMA")["v"]
		equal(t, "version", version.(*types.AttributeValueMemberN).Value, "1")
	})
	t.Run("of a newer program is refused and left alone", func(t *testing.T) {
		p := newPair(t, dynamostore.Options{})
		it := keyItem("SCHEMA", "SCHEMA")
		it["v"] = &types.AttributeValueMemberN{Value: "2"}
		p.putItem(t, it)
		j := chat.Join{Room: "tea", Name: "tea", User: "ann", Kind: chat.PublicRoom}
		_, _, err := p.a.Join(t.Context(), j)
		wantKind(t, "Join", err, chat.Internal)
		if head := p.getItem(t, "R#tea", "HEAD"); head != nil {
			t.Errorf("the room was made: %v", head)
		}
	})
}

func TestStore_Receivers_most(t *testing.T) {
	var leftOut []string
	p := newPair(t, dynamostore.Options{
		MaxReceivers: 2, LeftOut: func(room string) { leftOut = append(leftOut, room) },
	})
	for i, id := range []string{"c1", "c2", "c3"} {
		count := 0
		c := chat.Connection{ID: id, User: "ann", ConnectedAt: p.clock.Now()}
		ok(t, "Open", p.a.Open(t.Context(), c, nil))
		for _, err := range p.a.Receivers(t.Context(), chat.Head{Room: chat.Lobby}) {
			ok(t, "Receivers", err)
			count++
		}
		equal(t, "receivers", count, min(i+1, 2))
	}
	equal(t, "rooms of which some were left out", leftOut, []string{chat.Lobby})
}
