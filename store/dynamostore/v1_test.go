package dynamostore_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// v1 loads a table of layout 1 into a fresh one. Its clock shows 12:00:05; what is in the file
// happened in the 5 s before.
func v1(t *testing.T) *pair {
	data, err := os.ReadFile("testdata/v1.json")
	ok(t, "read", err)
	items, err := fromJSON(data)
	ok(t, "parse", err)
	p := newPair(t, dynamostore.Options{})
	for _, it := range items {
		p.putItem(t, it)
	}
	p.clock.Advance(5 * time.Second)
	return p
}

// at is some seconds after 12:00:00.
func at(seconds int) time.Time { return storetest.Start.Add(time.Duration(seconds) * time.Second) }

// TestStore_v1_log reads a log that an earlier program wrote.
func TestStore_v1_log(t *testing.T) {
	p, ctx := v1(t), t.Context()
	tea := chat.Head{
		Room: "tea", Name: "Tea", Kind: chat.PublicRoom, Owner: "ann", Epoch: "epoch-of-tea",
		Seq: 4, Gen: 1, Removed: map[string]uint64{"cyd": 1},
	}
	page, err := p.a.Messages(ctx, "tea", chat.Range{Limit: 10})
	ok(t, "Messages", err)
	equal(t, "page", page, chat.Page{Head: tea, Messages: []chat.Message{
		{Room: "tea", Seq: 1, ID: "m1", From: "ann", Text: "Hello, Zoë 🍵", At: at(1)},
		{Room: "tea", Seq: 2, State: chat.Deleted, ID: "m1", From: "cyd", At: at(2)},
		{Room: "tea", Seq: 3, State: chat.Void},
		{Room: "tea", Seq: 4, ID: "m2", From: "bob", Text: "line one\nline two", At: at(4)},
	}})
	for user, want := range map[string]chat.Member{
		"ann": {Room: "tea", User: "ann", State: chat.Joined},
		"bob": {Room: "tea", User: "bob", State: chat.Joined, Gen: 1},
		"cyd": {Room: "tea", User: "cyd", State: chat.Left},
	} {
		m, h, err := p.a.Member(ctx, "tea", user)
		ok(t, "Member", err)
		equal(t, "member", m, want)
		equal(t, "head", h, tea)
	}
	invited, _, err := p.a.Member(ctx, "den", "bob")
	ok(t, "Member", err)
	equal(t, "invited", invited, chat.Member{
		Room: "den", User: "bob", State: chat.Invited, InvitedBy: "ann",
	})
	rooms, err := p.a.RoomsOf(ctx, "ann")
	ok(t, "RoomsOf", err)
	equal(t, "rooms", rooms, []chat.Member{
		{Room: "den", User: "ann", State: chat.Joined},
		{Room: "lobby", User: "ann", State: chat.Joined, Read: 7},
		{Room: "tea", User: "ann", State: chat.Joined, Read: 3},
	})
	public, _, err := p.a.PublicRooms(ctx, "", 10)
	ok(t, "PublicRooms", err)
	equal(t, "public rooms", public, []chat.RoomName{{Room: "tea", Name: "Tea"}})
	users, _, err := p.a.Users(ctx, "", 10)
	ok(t, "Users", err)
	zoe := chat.User{Name: "Zoë", Since: storetest.Start.Add(time.Millisecond)}
	equal(t, "users", users, []chat.User{zoe, {Name: "ann", Since: storetest.Start}})
	user, err := p.a.User(ctx, "ZOË")
	ok(t, "User", err)
	equal(t, "user", user, zoe)
}

// TestStore_v1_append goes on where an earlier program stopped.
func TestStore_v1_append(t *testing.T) {
	p, ctx := v1(t), t.Context()
	for _, c := range []struct {
		from, id, text string
		seq            uint64
		duplicate      bool
		kind           chat.Kind
	}{
		{from: "ann", id: "m1", text: "Hello, Zoë 🍵", seq: 1, duplicate: true},
		{from: "ann", id: "m1", text: "other", kind: chat.IDReused},
		{from: "cyd", id: "m1", text: "a secret", kind: chat.NotMember},
		{from: "bob", id: "m1", text: "new", seq: 5},
	} {
		d := chat.Draft{Room: "tea", From: c.from, ID: c.id, Text: c.text, At: at(5)}
		m, err := p.a.Append(ctx, d, nobody)
		if c.kind != chat.Internal {
			wantKind(t, "Append of "+c.text, err, c.kind)
			continue
		}
		ok(t, "Append of "+c.text, err)
		equal(t, "number", m.Seq, c.seq)
		equal(t, "duplicate", m.Duplicate, c.duplicate)
	}
}

// TestStore_v1_connections reads connections that an earlier program wrote.
func TestStore_v1_connections(t *testing.T) {
	p, ctx := v1(t), t.Context()
	c1 := chat.Connection{
		ID: "c1", User: "ann", Dialect: "native", Endpoint: "https://example.com",
		ConnectedAt: at(0), Until: at(7200), Hello: true,
	}
	got, err := p.a.Get(ctx, "c1")
	ok(t, "Get", err)
	equal(t, "connection", got, c1)
	live, err := p.a.OfUser(ctx, "ann")
	ok(t, "OfUser", err)
	equal(t, "connections of ann", live, []chat.Connection{c1})
	_, err = p.a.Get(ctx, "c2")
	wantKind(t, "Get of a closed connection", err, chat.NotFound)
	err = p.a.Open(ctx, chat.Connection{ID: "c2", User: "bob", ConnectedAt: at(5)}, nil)
	wantKind(t, "Open of a closed connection", err, chat.Taken)
	want := []chat.Receiver{{
		ID: "c1", User: "ann", Dialect: "native", Endpoint: "https://example.com", ConnectedAt: at(0),
	}}
	for _, room := range []string{"tea", "lobby", "@ann,bob"} {
		var receivers []chat.Receiver
		for r, err := range p.a.Receivers(ctx, chat.Head{Room: room}) {
			ok(t, "Receivers", err)
			receivers = append(receivers, r)
		}
		equal(t, "receivers of "+room, receivers, want)
	}
	var noted []chat.RoomUsers
	for n, err := range p.a.Noted(ctx) {
		ok(t, "Noted", err)
		noted = append(noted, n)
	}
	equal(t, "noted", noted, []chat.RoomUsers{{Room: "tea", Users: []string{"ann", "cyd"}}})
	due, err := p.a.Typed(ctx, "ann", at(4))
	ok(t, "Typed", err)
	equal(t, "typing is due after 4 s", due, false)
	p.clock.Advance(245 * time.Second) // 249 s after the last action, of a lease of 250 s
	_, err = p.a.Get(ctx, "c1")
	ok(t, "Get in the lease", err)
	p.clock.Advance(2 * time.Second)
	_, err = p.a.Get(ctx, "c1")
	wantKind(t, "Get after the lease", err, chat.NotFound)
	closed, err := p.a.Close(ctx, "c1")
	ok(t, "Close", err)
	equal(t, "closed connection", closed, c1)
	equal(t, "subscription after Close", p.getItem(t, "S#tea", "c1"), nil)
}

// TestStore_Messages_corrupt damages messages of an earlier program, each in another way.
func TestStore_Messages_corrupt(t *testing.T) {
	p := v1(t)
	whole := p.getItem(t, "R#tea", "M#0000000000000004")
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	number := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	for _, c := range []struct {
		name, attribute string
		value           types.AttributeValue // nil: the attribute is missing
	}{
		{"another text", "t", text("line one\nline too")},
		{"no text", "t", nil},
		{"a text that is a number", "t", number("1")},
		{"another sender", "f", text("ann")},
		{"another id", "i", text("m3")},
		{"another time", "a", number("1772366404001")},
		{"a time that is no whole number", "a", number("1.5")},
		{"a void in its place", "s", text("v")},
		{"an unknown state", "s", text("x")},
		{"no checksum", "c", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			it := item{}
			for name, v := range whole {
				it[name] = v
			}
			if it[c.attribute] = c.value; c.value == nil {
				delete(it, c.attribute)
			}
			p.putItem(t, it)
			_, err := p.a.Messages(t.Context(), "tea", chat.Range{Limit: 10})
			wantKind(t, "Messages", err, chat.Corrupt)
			for _, part := range []string{p.a.Table, "R#tea", "M#0000000000000004", "restore"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			page, err := p.a.Messages(t.Context(), "tea", chat.Range{Limit: 3})
			ok(t, "Messages before it", err)
			equal(t, "messages before it", len(page.Messages), 3)
		})
	}
	t.Run("at another number", func(t *testing.T) {
		it := item{}
		for name, v := range whole {
			it[name] = v
		}
		it["SK"] = text("M#0000000000000003")
		p.putItem(t, it)
		_, err := p.a.Messages(t.Context(), "tea", chat.Range{Limit: 3})
		wantKind(t, "Messages", err, chat.Corrupt)
	})
	t.Run("head", func(t *testing.T) {
		it := p.getItem(t, "R#tea", "HEAD")
		it["n"] = text("4")
		p.putItem(t, it)
		_, err := p.a.Heads(t.Context(), []string{"tea"})
		wantKind(t, "Heads", err, chat.Corrupt)
	})
}
