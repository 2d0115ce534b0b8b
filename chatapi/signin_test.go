package chatapi_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/store/memstore"
)

// club is a world that only accounts enter.
type club struct {
	*world
	desk *auth.Service
}

func newClub(t *testing.T) *club {
	c := &club{}
	c.world = newWorld(t, with(func(config *chatapi.Config) {
		c.desk = auth.NewService(memstore.NewSessions(), config.Now, nil)
		config.Identify, config.Still = auth.Members{Service: c.desk}.Identify, c.desk.Still
		config.CheckDisplay = c.desk.CheckDisplay
	}))
	return c
}

// member makes an account with a session.
func (c *club) member(handle string) auth.Signed {
	c.Helper()
	link, _, err := c.desk.Invite(c.ctx, nil, 1, 0)
	c.ok(err)
	_, signed, err := c.desk.SignIn(c.ctx, link, handle, "")
	c.ok(err)
	return signed
}

// enter connects with a ticket and gives the row.
func (c *club) enter(id string, signed auth.Signed) chat.Connection {
	c.Helper()
	ticket, err := c.desk.MakeTicket(c.ctx, signed)
	c.ok(err)
	e := c.connectEvent(id, nil)
	e.Headers = map[string]string{"Sec-WebSocket-Protocol": "confab, " + ticket}
	r := c.handle(e)
	equal(c, "status", r.StatusCode, 200)
	equal(c, "headers", r.Headers, map[string]string{"Sec-WebSocket-Protocol": "confab"})
	row, err := c.conns.Get(c.ctx, id)
	c.ok(err)
	return row
}

func TestHandler_Handle_connect_signedIn(t *testing.T) {
	c := newClub(t)
	alice := c.member("Alice")
	row := c.enter("alice1", alice)
	equal(c, "user", row.User, "Alice")
	equal(c, "session", row.Session, alice.Session.Hash.ID())
	equal(c, "until", row.Until, alice.Session.Until)
	if r := c.handle(c.connectEvent("m1", map[string]string{"name": "Alice"})); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d of a name without a session, want 401", r.StatusCode)
	}
	mallory := c.member("mallory")
	var ticket string
	for _, dialect := range chatapi.Dialects() {
		var err error
		ticket, err = c.desk.MakeTicket(c.ctx, mallory)
		c.ok(err)
		query := map[string]string{"name": "Alice", "ticket": ticket, "dialect": dialect}
		equal(c, "status of another's name in "+dialect, c.handle(c.connectEvent("m2", query)).StatusCode, 403)
	}
	for _, id := range []string{"m1", "m2"} {
		if _, err := c.conns.Get(c.ctx, id); !chat.Is(err, chat.NotFound) {
			t.Errorf("%s has a row: %v", id, err)
		}
	}
	if strings.Contains(c.logged.String(), ticket) {
		t.Error("a ticket is in the log")
	}
}

// TestHandler_setName_signedIn changes what somebody is shown as, and never who they are.
func TestHandler_setName_signedIn(t *testing.T) {
	c := newClub(t)
	c.enter("alice1", c.member("alice"))
	bob := c.member("bob")
	c.enter("bob1", bob)
	ticket, err := c.desk.MakeTicket(c.ctx, bob)
	c.ok(err)
	r := c.handle(c.connectEvent("bob2", map[string]string{"ticket": ticket, "dialect": "lounge"}))
	equal(c, "status", r.StatusCode, 200)
	c.ok(c.later.run(c.ctx))
	c.poster.forget()
	set := func(name string, want ...string) {
		t.Helper()
		equal(t, "setName "+name, c.act("alice1", `{"action":"setName","id":"n","name":"`+name+`"}`), want)
		row, err := c.conns.Get(c.ctx, "alice1")
		c.ok(err)
		equal(t, "user", row.User, "alice")
	}
	const ólsdóttir = `"name":"Alice Ólsdóttir"`
	set("Alice Ólsdóttir", `{"event":"profile","user":"alice",`+ólsdóttir+`}`, `{"event":"named","id":"n","user":"alice",`+ólsdóttir+`}`)
	equal(t, "bob is told", c.poster.take("bob1"), []string{`{"event":"profile","user":"alice",` + ólsdóttir + `}`})
	equal(t, "the lounge is told", c.poster.take("bob2"), []string{})
	equal(t, "users", c.act("bob1", `{"action":"users","id":"u"}`), []string{
		`{"event":"users","id":"u","users":[{"user":"alice",` + ólsdóttir + `,"online":true},{"user":"bob","online":true}],"more":false}`,
	})
	if got := c.act("alice1", `{"action":"hello","id":"h"}`); !strings.Contains(got[0], `"user":"alice",`+ólsdóttir) {
		t.Errorf("welcome: %s", got[0])
	}
	c.act("bob1", `{"action":"joinRoom","room":"tea"}`)
	c.act("alice1", `{"action":"joinRoom","room":"tea"}`)
	equal(t, "members", c.act("bob1", `{"action":"members","id":"u","room":"tea"}`), []string{
		`{"event":"members","id":"u","room":"tea","members":[{"user":"alice",` + ólsdóttir + `,"online":true},{"user":"bob","online":true}],"more":false}`,
	})
	for name, code := range map[string]string{
		"bob": "taken", "B.o.b": "taken", "B o b": "taken", "b0b": "taken", "Admin": "bad_field", "Ad Min": "bad_field",
		"аlice": "bad_field", "alice\u202e": "bad_field", "<b>": "bad_field", " alice": "bad_field", "a  b": "bad_field",
		"alice:": "bad_field", "\u0301a": "bad_field", "a \u0301a": "bad_field",
	} {
		if got := codeOf(t, c.act("alice1", `{"action":"setName","id":"n","name":"`+name+`"}`)); got != code {
			t.Errorf("setName %q ends with %s, want %s", name, got, code)
		}
	}
	set("ALICE", `{"event":"profile","user":"alice","name":""}`, `{"event":"named","id":"n","user":"alice"}`)
	if got := c.act("bob1", `{"action":"users","id":"u"}`); strings.Contains(got[len(got)-1], "lsd") {
		t.Errorf("users: %s", got)
	}
}

// TestHandler_Revoke_spelling has an account whose handle is spelled otherwise than its user was
// recorded, by somebody in open mode.
func TestHandler_Revoke_spelling(t *testing.T) {
	c := newClub(t)
	c.ok(c.log.PutUser(c.ctx, chat.User{Name: "alice", Since: c.h.Now()}))
	equal(c, "user", c.enter("alice1", c.member("Alice")).User, "alice")
	c.ok(c.h.Revoke(c.ctx, "Alice", "", "disabled"))
	equal(c, "closed", slices.Sorted(maps.Keys(c.poster.closed)), []string{"alice1"})
}

// TestHandler_Revoke_whileConnecting ends a session between every two steps of a handshake: no
// connection is left.
func TestHandler_Revoke_whileConnecting(t *testing.T) {
	revoke := func(c *club, bob auth.Signed) {
		_, err := c.desk.SignOut(c.ctx, nil, "bob", bob.Session.Hash.ID())
		c.ok(err)
		c.ok(c.h.Revoke(c.ctx, "bob", bob.Session.Hash.ID(), "signed out"))
	}
	connect := func(c *club, bob auth.Signed) int {
		ticket, err := c.desk.MakeTicket(c.ctx, bob)
		c.ok(err)
		return c.handle(c.connectEvent("bob1", map[string]string{"ticket": ticket})).StatusCode
	}
	t.Run("before it has a row", func(t *testing.T) {
		c := newClub(t)
		bob := c.member("bob")
		identify := c.h.Identify
		c.h.Identify = func(ctx context.Context, r auth.Request) (auth.Identity, error) {
			defer revoke(c, bob)
			return identify(ctx, r)
		}
		equal(c, "status", connect(c, bob), 401)
		if _, err := c.conns.Get(c.ctx, "bob1"); !chat.Is(err, chat.NotFound) {
			t.Errorf("it has a row: %v", err)
		}
	})
	t.Run("before it can be closed", func(t *testing.T) {
		c := newClub(t)
		bob := c.member("bob")
		equal(c, "status", connect(c, bob), 200)
		c.poster.gone["bob1"] = true // until the gateway has answered
		slept := time.Duration(0)
		c.h.Sleep = func(_ context.Context, d time.Duration) error {
			slept += d
			delete(c.poster.gone, "bob1")
			return nil
		}
		revoke(c, bob)
		equal(c, "closed", slices.Sorted(maps.Keys(c.poster.closed)), []string{"bob1"})
		if slept > time.Second {
			t.Errorf("closed after %v, want within 1 s", slept)
		}
	})
}

// TestHandler_Revoke closes what a session has opened, and no more.
func TestHandler_Revoke(t *testing.T) {
	c := newClub(t)
	alice := c.member("alice")
	_, phone, err := c.desk.Open(c.ctx, alice.Account, "")
	c.ok(err)
	c.enter("laptop1", alice)
	c.enter("phone1", phone)
	c.enter("phone2", phone)
	c.enter("bob1", c.member("bob"))
	c.ok(c.h.Revoke(c.ctx, "alice", phone.Session.Hash.ID(), "signed out"))
	closed := func(want ...string) {
		t.Helper()
		equal(c, "closed", slices.Sorted(maps.Keys(c.poster.closed)), want)
		for _, id := range want {
			equal(c, "code", c.poster.closed[id].code, 1008)
			if _, err := c.conns.Get(c.ctx, id); !chat.Is(err, chat.NotFound) {
				t.Errorf("%s has a row: %v", id, err)
			}
		}
	}
	closed("phone1", "phone2")
	c.ok(c.h.Revoke(c.ctx, "alice", "", "disabled"))
	closed("laptop1", "phone1", "phone2")
	c.ok(c.h.Revoke(c.ctx, "nobody", "", "disabled"))
}
