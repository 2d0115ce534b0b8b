package dynamostore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// TestStore_Append_errors cuts an Append off at each of its requests: BatchGetItem, ticket, SENT
// and message.
func TestStore_Append_errors(t *testing.T) {
	atOnce(t, func(t *testing.T, p *pair) {
		join(t, p.a, "tea", "ann")
		for i, want := range []chat.Kind{
			chat.Unavailable, // the answer of BatchGetItem is lost
			chat.Unavailable, // the ticket's
			chat.Unknown,     // SENT's
			chat.Unknown,     // the message's
		} {
			n, id := i+1, fmt.Sprintf("m%d", i+1)
			d := chat.Draft{Room: "tea", From: "ann", ID: id, Text: "text", At: p.clock.Now()}
			p.crasher.arm(n)
			_, err := p.a.Append(t.Context(), d, func(chat.Head, chat.Message) {
				t.Errorf("%s: then was called", id)
			})
			p.crasher.arm(0)
			wantKind(t, fmt.Sprintf("Append whose answer %d is lost", n), err, want)
			sent := p.getItem(t, "D#ann", "tea#"+id)
			equal(t, "there is a record of "+id, sent != nil, n >= 3)
		}
	})
}

// TestStore_Append_unavailable looks at what a client is told.
func TestStore_Append_unavailable(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	join(t, p.a, "tea", "ann")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := chat.Draft{Room: "tea", From: "ann", ID: "m1", Text: "x", At: p.clock.Now()}
	_, err := p.a.Append(ctx, d, nobody)
	wantKind(t, "Append without time", err, chat.Unavailable)
	var e *chat.Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 || e.Op != "append" {
		t.Errorf("got %#v, want the operation append and a time after which to try again", e)
	}
}

// TestStore_Append_refusedForGood has the engine refuse a request in a way that no retry heals.
func TestStore_Append_refusedForGood(t *testing.T) {
	requests := 0
	refuse := func(ctx context.Context, input any, next request) (any, error) {
		if _, ok := input.(*dynamodb.BatchGetItemInput); ok {
			requests++
			return nil, &types.ResourceNotFoundException{}
		}
		return next(ctx, input)
	}
	p := newPair(t, dynamostore.Options{}, refuse)
	_, err := p.a.Append(t.Context(), chat.Draft{Room: "tea", From: "ann", ID: "m1", Text: "x"}, nobody)
	wantKind(t, "Append", err, chat.Internal)
	equal(t, "requests", requests, 1)
}

// childVariable makes the test binary a second process on a table: "endpoint table".
const childVariable = "DYNAMOSTORE_TEST_CHILD"

// TestStore_Append_secondProcess repeats sends from another process, which knows nothing but the
// table.
func TestStore_Append_secondProcess(t *testing.T) {
	at := storetest.Start
	drafts := []chat.Draft{
		{Room: "tea", From: "ann", ID: "m1", Text: "one", At: at}, // done
		{Room: "tea", From: "ann", ID: "m2", Text: "two", At: at}, // died before the message
		{Room: "tea", From: "ann", ID: "m1", Text: "other", At: at},
	}
	if where := os.Getenv(childVariable); where != "" {
		appendAsChild(where, drafts)
		return
	}
	p := newPair(t, dynamostore.Options{})
	join(t, p.a, "tea", "ann")
	_, err := p.a.Append(t.Context(), drafts[0], nobody)
	ok(t, "Append", err)
	p.crasher.arm(3) // SENT is put, its answer is lost
	_, err = p.a.Append(t.Context(), drafts[1], nobody)
	wantKind(t, "Append that dies", err, chat.Unknown)
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"="+dynamolocal.Start(t)+" "+p.b.Table)
	out, err := child.Output()
	ok(t, "second process", err)
	var got []string
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if line, isResult := strings.CutPrefix(lines.Text(), "result "); isResult {
			got = append(got, line)
		}
	}
	equal(t, "what the second process was told", got, []string{
		`{"seq":1,"duplicate":true,"told":false,"kind":""}`,
		`{"seq":2,"duplicate":false,"told":true,"kind":""}`,
		`{"seq":0,"duplicate":false,"told":false,"kind":"id reused"}`,
	})
	stored := all(t, p.b, "tea")
	equal(t, "stored messages", len(stored), 2)
	equal(t, "second text", stored[1].Text, "two")
}

// appendAsChild appends on the table and prints what came of it.
func appendAsChild(where string, drafts []chat.Draft) {
	endpoint, table, _ := strings.Cut(where, " ")
	o := dynamostore.Options{Table: table, Now: storetest.NewClock().Now, Budget: budget}
	store := dynamostore.New(dynamolocal.Client(endpoint), o)
	for _, d := range drafts {
		var result struct {
			Seq       uint64 `json:"seq"`
			Duplicate bool   `json:"duplicate"`
			Told      bool   `json:"told"`
			Kind      string `json:"kind"`
		}
		m, err := store.Append(context.Background(), d, func(chat.Head, chat.Message) {
			result.Told = true
		})
		if err != nil {
			result.Kind = chat.KindOf(err).String()
		}
		result.Seq, result.Duplicate = m.Seq, m.Duplicate
		line, err := json.Marshal(result)
		if err != nil {
			panic(err)
		}
		fmt.Printf("result %s\n", line)
	}
}

// TestStore_Append_lostAnswers has the engine carry a request out whose answer is lost: the store
// asks again, and knows its own write.
func TestStore_Append_lostAnswers(t *testing.T) {
	lose, requests := 0, 0
	p := newPair(t, dynamostore.Options{}, func(ctx context.Context, input any, next request) (any, error) {
		output, err := next(ctx, input)
		if requests++; requests == lose {
			return nil, timeout{}
		}
		return output, err
	})
	for i, want := range []struct {
		answer string
		seq    uint64
	}{
		{"BatchGetItem's", 1},
		{"the ticket's", 2}, // 1 was given too, and is never used
		{"SENT's", 1},
		{"the message's", 1},
	} {
		t.Run(want.answer, func(t *testing.T) {
			room := fmt.Sprintf("room%d", i)
			join(t, p.a, room, "ann")
			lose, requests = i+1, 0
			calls := 0
			d := chat.Draft{Room: room, From: "ann", ID: "m1", Text: "x", At: p.clock.Now()}
			m, err := p.a.Append(t.Context(), d, func(chat.Head, chat.Message) { calls++ })
			ok(t, "Append", err)
			equal(t, "number", m.Seq, want.seq)
			equal(t, "duplicate", m.Duplicate, false)
			equal(t, "calls of then", calls, 1)
			equal(t, "requests", requests, 5)
			p.clock.Advance(chat.SettleAfter + time.Second)
			equal(t, "stored", all(t, p.b, room)[want.seq-1], m)
		})
	}
}
