package dynamostore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

// exercise calls each method that makes requests.
func exercise(t *testing.T, p *pair) {
	ctx, now := t.Context(), p.clock.Now()
	join(t, p.a, "tea", "ann", "bob")
	c := chat.Connection{ID: "c1", User: "ann", ConnectedAt: now}
	member := chat.Member{Room: "tea", User: "ann", State: chat.Joined}
	ok(t, "Open", p.a.Open(ctx, c, []chat.Member{member}))
	ok(t, "Subscribe", p.a.Subscribe(ctx, member))
	for _, room := range []string{"tea", chat.Lobby} {
		d := chat.Draft{Room: room, From: "ann", ID: "m1", Text: "one", At: now}
		_, err := p.a.Append(ctx, d, nobody)
		ok(t, "Append", err)
		_, err = p.a.Messages(ctx, room, chat.Range{Limit: 10})
		ok(t, "Messages", err)
		drain(t, p.a.Receivers(ctx, chat.Head{Room: room}))
	}
	for _, user := range []string{"ann", "bob"} {
		ok(t, "PutUser", p.a.PutUser(ctx, chat.User{Name: user, Since: now}))
		ok(t, "MarkRead", p.a.MarkRead(ctx, user, "tea", 1))
		_, err := p.a.Typed(ctx, user, now)
		ok(t, "Typed", err)
		turn, err := p.a.Turn(ctx, user, now)
		ok(t, "Turn", err)
		_, err = p.a.Turn(ctx, user, now)
		ok(t, "Turn", err)
		_, err = p.a.EndTurn(ctx, user, turn, now)
		ok(t, "EndTurn", err)
		for _, here := range []bool{true, true, false} {
			_, err = p.a.Announce(ctx, user, here, now)
			ok(t, "Announce", err)
		}
	}
	exerciseLists(t, p)
	_, err := p.a.Touch(ctx, "c1", now, chat.Greets)
	ok(t, "Touch", err)
	_, err = p.a.Rename(ctx, "c1", "zoe", []chat.Member{member})
	ok(t, "Rename", err)
	_, err = p.a.Close(ctx, "c1")
	ok(t, "Close", err)
	_, err = p.a.Close(ctx, "c2")
	wantKind(t, "Close of what was never opened", err, chat.NotFound)
	_, err = p.a.Delete(ctx, "tea", 1, "ann")
	ok(t, "Delete", err)
	ok(t, "Leave", p.a.Leave(ctx, "tea", "bob"))
	ok(t, "Unsubscribe", p.a.Unsubscribe(ctx, "tea", "bob"))
	exerciseSessions(t, p)
}

func exerciseLists(t *testing.T, p *pair) {
	ctx := t.Context()
	_, _, err := p.a.Users(ctx, "", 10)
	ok(t, "Users", err)
	_, _, err = p.a.PublicRooms(ctx, "", 10)
	ok(t, "PublicRooms", err)
	_, _, err = p.a.Members(ctx, "tea", "", 10)
	ok(t, "Members", err)
	_, err = p.a.RoomsOf(ctx, "ann")
	ok(t, "RoomsOf", err)
	_, _, err = p.a.Online(ctx, "", 10)
	ok(t, "Online", err)
	drain(t, p.a.Lapsed(ctx, p.clock.Now()))
	ok(t, "Note", p.a.Note(ctx, "ann", []string{"tea"}))
	drain(t, p.a.Noted(ctx))
}

func drain[T any](t *testing.T, rows func(func(T, error) bool)) {
	t.Helper()
	for _, err := range rows {
		ok(t, "reading a sequence", err)
	}
}

// TestStore_requests looks at the kinds of requests: none reads the table or uses a transaction.
func TestStore_requests(t *testing.T) {
	m := &meter{}
	m.reset()
	exercise(t, newPair(t, dynamostore.Options{}, m.hook))
	for name := range m.requests {
		switch name {
		case "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem":
		default:
			t.Errorf("%s is used", name)
		}
	}
}

// TestStore_expiry looks at all items that are written: what ends carries its end, and nothing
// else does.
func TestStore_expiry(t *testing.T) {
	written := map[string]int{} // items looked at, by the beginning of their keys
	look := func(it item) {
		partition, _, _ := strings.Cut(pk(it), "#")
		kind := partition
		if slices.Contains([]string{"U", "R", "A"}, partition) {
			sort, _, _ := strings.Cut(sk(it), "#")
			kind += " " + sort
		}
		written[kind]++
		ends := slices.Contains([]string{
			"C", "S", "D", "U C", "U TYPING", "U TURN", "U ANNOUNCED", "PRESENCE",
			"A S", "H", "T", "LINKS", "AUDIT",
		}, kind)
		if (it["x"] != nil) != ends {
			t.Errorf("%s / %s: has an expiry: %v, want %v", pk(it), sk(it), !ends, ends)
		}
	}
	see := func(ctx context.Context, input any, next request) (any, error) {
		output, err := next(ctx, input)
		if err != nil {
			return output, err
		}
		switch in := input.(type) {
		case *dynamodb.PutItemInput:
			look(in.Item)
		case *dynamodb.UpdateItemInput:
			look(output.(*dynamodb.UpdateItemOutput).Attributes)
		case *dynamodb.BatchWriteItemInput:
			for _, writes := range in.RequestItems {
				for _, w := range writes {
					if w.PutRequest != nil {
						look(w.PutRequest.Item)
					}
				}
			}
		}
		return output, err
	}
	exercise(t, newPair(t, dynamostore.Options{}, see))
	for _, kind := range []string{
		"C", "U C", "S", "R HEAD", "R M", "R U", "U R", "U TYPING", "U TURN", "U ANNOUNCED", "D", "P",
		"N", "ROOMS", "PRESENCE", "SCHEMA",
		"A ACCOUNT", "A S", "HANDLES", "I", "H", "T", "LINKS", "AUDIT",
	} {
		if written[kind] == 0 {
			t.Errorf("no item of kind %s was written", kind)
		}
	}
}

// TestStore_pages has every Query give one item at a time, and reads what takes many.
func TestStore_pages(t *testing.T) {
	p := newPair(t, dynamostore.Options{}, func(ctx context.Context, input any, next request) (any, error) {
		switch in := input.(type) {
		case *dynamodb.QueryInput:
			short := *in
			short.Limit = aws.Int32(1)
			return next(ctx, &short)
		case *dynamodb.PutItemInput:
			t.Errorf("a reader has put %s / %s", pk(in.Item), sk(in.Item))
		}
		return next(ctx, input)
	})
	ctx, now := t.Context(), p.clock.Now()
	users := []string{"ann", "bob", "cyd", "dan", "eve"}
	join(t, p.b, "tea", users...)
	join(t, p.b, "milk", users...)
	for i, user := range users {
		ok(t, "PutUser", p.b.PutUser(ctx, chat.User{Name: user, Since: now}))
		c := chat.Connection{ID: "c-" + user, User: user, ConnectedAt: now}
		ok(t, "Open", p.b.Open(ctx, c, in(user, "tea")))
		c.ID, c.User = fmt.Sprintf("ann's %d", i), "ann"
		ok(t, "Open", p.b.Open(ctx, c, nil))
		_, err := p.b.Append(ctx, chat.Draft{Room: "tea", From: user, ID: "m1", Text: "x", At: now}, nobody)
		ok(t, "Append", err)
		ok(t, "Note", p.b.Note(ctx, "ann", []string{user + "'s"}))
	}
	p.clock.Advance(chat.SettleAfter + time.Second)
	equal(t, "receivers of tea", len(receivers(t, p.a, "tea")), 5)
	equal(t, "receivers of the lobby", len(receivers(t, p.a, chat.Lobby)), 10)
	equal(t, "receivers of ann", len(receivers(t, p.a, "@ann,ann")), 6)
	equal(t, "messages", len(all(t, p.a, "tea")), 5)
	found, _, err := p.a.Users(ctx, "", 10)
	ok(t, "Users", err)
	equal(t, "users", len(found), 5)
	members, _, err := p.a.Members(ctx, "tea", "", 10)
	ok(t, "Members", err)
	equal(t, "members", len(members), 5)
	online, _, err := p.a.Online(ctx, "", 10)
	ok(t, "Online", err)
	equal(t, "online", online, users)
	rooms, err := p.a.RoomsOf(ctx, "ann")
	ok(t, "RoomsOf", err)
	equal(t, "rooms", len(rooms), 3)
	public, _, err := p.a.PublicRooms(ctx, "", 10)
	ok(t, "PublicRooms", err)
	equal(t, "public rooms", len(public), 2)
	noted := 0
	for _, err := range p.a.Noted(ctx) {
		ok(t, "Noted", err)
		noted++
	}
	equal(t, "noted rooms", noted, 5)
}
