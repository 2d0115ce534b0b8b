package dynamostore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

func in(user string, rooms ...string) (members []chat.Member) {
	for _, room := range rooms {
		members = append(members, chat.Member{Room: room, User: user, State: chat.Joined})
	}
	return members
}

// receivers gives the ids of a room's receivers.
func receivers(t *testing.T, conns chat.Connections, room string) (ids []string) {
	t.Helper()
	for r, err := range conns.Receivers(t.Context(), chat.Head{Room: room}) {
		ok(t, "Receivers", err)
		ids = append(ids, r.ID)
	}
	return ids
}

// TestStore_connections_cut cuts each change of connections off after each of its requests, looks
// at what is left, and repeats it from another process.
func TestStore_connections_cut(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*testing.T, *pair, string)
		run     func(*testing.T, *dynamostore.Store, string) error
		between func(*testing.T, *pair, string)
		after   func(*testing.T, *pair, string)
	}{
		{"Open", nothing, openCut, openedWhole, opened},
		{"Close", openFirst, closeCut, nothing, closed},
		{"Subscribe", openFirst, subscribeCut, nothing, subscribed},
		{"Unsubscribe", openFirst, unsubscribeCut, nothing, unsubscribed},
		{"Rename", openFirst, renameCut, isolated, renamed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, dynamostore.Options{})
			const most = 25 // requests of one change
			for n := 1; n <= most; n++ {
				user := fmt.Sprintf("ann%d", n)
				c.prepare(t, p, user)
				p.crasher.arm(n)
				err := c.run(t, p.a, user)
				p.crasher.arm(0)
				if err != nil && !chat.Is(err, chat.Unavailable) && !chat.Is(err, chat.Unknown) {
					t.Fatalf("cut off at request %d: %v, want unavailable or unknown outcome", n, err)
				}
				c.between(t, p, user)
				ok(t, fmt.Sprintf("repetition after request %d", n), c.run(t, p.b, user))
				c.after(t, p, user)
				if err == nil {
					return
				}
			}
			t.Fatalf("after %d requests it still fails", most)
		})
	}
}

func nothing(*testing.T, *pair, string) {}

// The connection of a user is "c-" and the user, its rooms begin with the user.
func openCut(t *testing.T, s *dynamostore.Store, user string) error {
	c := chat.Connection{ID: "c-" + user, User: user, ConnectedAt: s.Now()}
	return s.Open(t.Context(), c, in(user, user+"-tea", user+"-milk"))
}

func openFirst(t *testing.T, p *pair, user string) { ok(t, "Open", openCut(t, p.b, user)) }

func openedWhole(t *testing.T, p *pair, user string) {
	if _, err := p.b.Get(t.Context(), "c-"+user); err == nil {
		opened(t, p, user)
	}
}

func opened(t *testing.T, p *pair, user string) {
	for _, room := range []string{user + "-tea", user + "-milk", "@" + user + ",zoe"} {
		equal(t, "receivers of "+room, receivers(t, p.b, room), []string{"c-" + user})
	}
}

func closeCut(t *testing.T, s *dynamostore.Store, user string) error {
	_, err := s.Close(t.Context(), "c-"+user)
	if chat.Is(err, chat.NotFound) { // the first has closed it
		return nil
	}
	return err
}

func closed(t *testing.T, p *pair, user string) {
	_, err := p.b.Get(t.Context(), "c-"+user)
	wantKind(t, "Get", err, chat.NotFound)
	for _, room := range []string{user + "-tea", user + "-milk", "@" + user + ",zoe"} {
		equal(t, "receivers of "+room, receivers(t, p.b, room), nil)
	}
	wantKind(t, "Open after Close", openCut(t, p.b, user), chat.Taken)
}

func subscribeCut(t *testing.T, s *dynamostore.Store, user string) error {
	return s.Subscribe(t.Context(), in(user, user+"-den")[0])
}

func subscribed(t *testing.T, p *pair, user string) {
	equal(t, "receivers", receivers(t, p.b, user+"-den"), []string{"c-" + user})
	ok(t, "Close", closeCut(t, p.b, user))
	equal(t, "receivers after Close", receivers(t, p.b, user+"-den"), nil)
}

func unsubscribeCut(t *testing.T, s *dynamostore.Store, user string) error {
	return s.Unsubscribe(t.Context(), user+"-tea", user)
}

func unsubscribed(t *testing.T, p *pair, user string) {
	equal(t, "receivers", receivers(t, p.b, user+"-tea"), nil)
	equal(t, "receivers of another room", receivers(t, p.b, user+"-milk"), []string{"c-" + user})
}

func renameCut(t *testing.T, s *dynamostore.Store, user string) error {
	_, err := s.Rename(t.Context(), "c-"+user, "new-"+user, in("new-"+user, user+"-milk", user+"-den"))
	return err
}

// isolated checks that half a Rename lets no user receive what is another's.
func isolated(t *testing.T, p *pair, user string) {
	c, err := p.b.Get(t.Context(), "c-"+user)
	ok(t, "Get", err)
	others := map[string][]string{
		user:          {user + "-den", "@new-" + user + ",zoe"},
		"new-" + user: {user + "-tea", "@" + user + ",zoe"},
	}[c.User]
	for _, room := range others {
		equal(t, "receivers of "+room, receivers(t, p.b, room), nil)
	}
}

func renamed(t *testing.T, p *pair, user string) {
	c, err := p.b.Get(t.Context(), "c-"+user)
	ok(t, "Get", err)
	equal(t, "user", c.User, "new-"+user)
	isolated(t, p, user)
	for _, room := range []string{user + "-milk", user + "-den", "@new-" + user + ",zoe"} {
		equal(t, "receivers of "+room, receivers(t, p.b, room), []string{"c-" + user})
	}
	old, err := p.b.OfUser(t.Context(), user)
	ok(t, "OfUser", err)
	equal(t, "connections of the old user", len(old), 0)
}

// TestStore_Rename_claim has a Rename die after it has claimed the name.
func TestStore_Rename_claim(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	for _, user := range []string{"ann", "bob"} {
		openFirst(t, p, user)
	}
	_, err := p.a.Heads(t.Context(), nil) // so that the schema is known
	ok(t, "Heads", err)
	p.crasher.arm(2) // the connection is read, the name claimed
	_, err = p.a.Rename(t.Context(), "c-ann", "zoe", nil)
	wantKind(t, "Rename that dies", err, chat.Unknown)
	p.crasher.arm(0)
	_, err = p.b.Rename(t.Context(), "c-bob", "Zoe", nil)
	wantKind(t, "Rename of another to the claimed name", err, chat.Taken)
	p.clock.Advance(11 * time.Second)
	_, err = p.b.Rename(t.Context(), "c-bob", "Zoe", nil)
	ok(t, "Rename after the claim", err)
}

// TestStore_Rename_racing has connections take one name at once: one gets it.
func TestStore_Rename_racing(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	for round := range 10 {
		user := fmt.Sprintf("zoe%d", round)
		var racing sync.WaitGroup
		won := make([]bool, 4)
		for i := range won {
			id := fmt.Sprintf("guest%d-%d", round, i)
			openFirst(t, p, id)
			racing.Go(func() {
				_, err := []*dynamostore.Store{p.a, p.b}[i%2].Rename(t.Context(), "c-"+id, user, nil)
				if won[i] = err == nil; !won[i] && !chat.Is(err, chat.Taken) {
					t.Errorf("Rename: %v", err)
				}
			})
		}
		racing.Wait()
		winners := 0
		for _, w := range won {
			if w {
				winners++
			}
		}
		live, err := p.b.OfUser(t.Context(), user)
		ok(t, "OfUser", err)
		if winners != 1 || len(live) != 1 {
			t.Fatalf("%d of 4 were told that they have the name, %d have it", winners, len(live))
		}
	}
}

// interrupt runs something before the first request that matches.
type interrupt struct {
	mu    sync.Mutex
	match func(input any) bool
	run   func()
}

func (i *interrupt) hook(ctx context.Context, input any, next request) (any, error) {
	i.mu.Lock()
	run := i.run
	if run != nil && i.match(input) {
		i.run = nil
	} else {
		run = nil
	}
	i.mu.Unlock()
	if run != nil {
		run()
	}
	return next(ctx, input)
}

// TestStore_Subscribe_closing closes a connection right before its subscription is put.
func TestStore_Subscribe_closing(t *testing.T) {
	i := &interrupt{match: func(input any) bool {
		_, is := input.(*dynamodb.BatchWriteItemInput)
		return is
	}}
	p := newPair(t, dynamostore.Options{}, i.hook)
	openFirst(t, p, "ann")
	i.run = func() { ok(t, "Close", closeCut(t, p.b, "ann")) }
	ok(t, "Subscribe", subscribeCut(t, p.a, "ann"))
	equal(t, "receivers", receivers(t, p.b, "ann-den"), nil)
}

// TestStore_Open_closing closes a connection right before it becomes live, as a $disconnect does
// that overtakes its $connect.
func TestStore_Open_closing(t *testing.T) {
	i := &interrupt{match: func(input any) bool {
		put, is := input.(*dynamodb.PutItemInput)
		return is && strings.HasPrefix(pk(put.Item), "C#")
	}}
	p := newPair(t, dynamostore.Options{}, i.hook)
	i.run = func() { ok(t, "Close", closeCut(t, p.b, "ann")) }
	wantKind(t, "Open", openCut(t, p.a, "ann"), chat.Taken)
	closed(t, p, "ann")
	equal(t, "the user's list", p.getItem(t, "U#ann", "C#c-ann"), nil)
}

// TestStore_Join_leaving ends a membership right before the last write of the Join that made it.
func TestStore_Join_leaving(t *testing.T) {
	i := &interrupt{match: func(input any) bool {
		update, is := input.(*dynamodb.UpdateItemInput)
		return is && pk(update.Key) == "U#bob" && sk(update.Key) == "R#tea"
	}}
	p := newPair(t, dynamostore.Options{}, i.hook)
	join(t, p.b, "tea", "ann")
	i.run = func() { ok(t, "Leave", p.b.Leave(t.Context(), "tea", "bob")) }
	m, h, err := p.a.Join(t.Context(), chat.Join{Room: "tea", User: "bob"})
	ok(t, "Join", err)
	equal(t, "the new member is outdated", h.Outdated("bob", m.Gen), false)
	stored, _, err := p.b.Member(t.Context(), "tea", "bob")
	ok(t, "Member", err)
	equal(t, "member", stored, m)
	rooms, err := p.b.RoomsOf(t.Context(), "bob")
	ok(t, "RoomsOf", err)
	equal(t, "rooms", rooms, []chat.Member{{Room: "lobby", User: "bob", State: chat.Joined}, m})
}

// TestStore_Join_leavingPrivate is the same where the user may not join again.
func TestStore_Join_leavingPrivate(t *testing.T) {
	i := &interrupt{match: func(input any) bool {
		update, is := input.(*dynamodb.UpdateItemInput)
		return is && pk(update.Key) == "U#bob" && sk(update.Key) == "R#den"
	}}
	p := newPair(t, dynamostore.Options{}, i.hook)
	j := chat.Join{Room: "den", Name: "den", User: "ann", Kind: chat.PrivateRoom}
	_, _, err := p.b.Join(t.Context(), j)
	ok(t, "Join", err)
	_, _, err = p.b.Join(t.Context(), chat.Join{Room: "den", User: "bob", By: "ann"})
	ok(t, "invitation", err)
	i.run = func() { ok(t, "Leave", p.b.Leave(t.Context(), "den", "bob")) }
	_, _, err = p.a.Join(t.Context(), chat.Join{Room: "den", User: "bob"})
	wantKind(t, "Join", err, chat.Taken)
	rooms, err := p.b.RoomsOf(t.Context(), "bob")
	ok(t, "RoomsOf", err)
	equal(t, "rooms", rooms, []chat.Member{{Room: "lobby", User: "bob", State: chat.Joined}})
}
