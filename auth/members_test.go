package auth_test

import (
	"strings"
	"testing"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

func TestMembers_Identify(t *testing.T) {
	d := newDesk(t)
	session, alice := d.owner("Alice")
	m := auth.Members{Service: d.Service}
	ticket := func() string {
		secret, err := d.MakeTicket(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	protocol := func(value string) auth.Request {
		return auth.Request{Headers: map[string]string{"sec-websocket-protocol": value}}
	}
	bearer := func(value string) auth.Request {
		return auth.Request{Headers: map[string]string{"Authorization": value}}
	}
	for name, c := range map[string]struct {
		r        auth.Request
		protocol string
	}{
		"ticket as sub-protocol": {protocol("confab, " + ticket()), "confab"},
		"without a blank":        {protocol("confab," + ticket()), "confab"},
		"bearer":                 {bearer("Bearer " + session), ""},
		"bearer in any case":     {bearer("bearer  " + session), ""},
		"ticket in the query":    {auth.Request{Query: map[string]string{"ticket": ticket()}}, ""},
		"the own name, folded":   {auth.Request{Query: map[string]string{"ticket": ticket(), "name": "alice"}}, ""},
	} {
		id, err := m.Identify(t.Context(), c.r)
		want := auth.Identity{
			User: "Alice", Session: alice.Session.Hash.ID(), Until: alice.Session.Until, Protocol: c.protocol,
		}
		if err != nil || id != want {
			t.Errorf("%s: got %v, %v, want %v", name, id, err, want)
		}
	}
	used := ticket()
	if _, err := m.Identify(t.Context(), protocol("confab, "+used)); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]auth.Request{
		"nothing":                   {},
		"a name alone":              {Query: map[string]string{"name": "Alice"}},
		"a used ticket":             protocol("confab, " + used),
		"a session as ticket":       protocol("confab, " + session),
		"a ticket in the first":     protocol(ticket() + ", confab"),
		"no second value":           protocol("confab"),
		"a ticket as bearer":        bearer("Bearer " + ticket()),
		"another scheme":            bearer("Basic " + session),
		"a session in the query":    {Query: map[string]string{"ticket": session}},
		"an empty ticket":           {Query: map[string]string{"ticket": ""}},
		"a wrong session":           bearer("Bearer " + strings.Repeat("a", 26)),
		"another parameter's value": {Query: map[string]string{"token": session, "session": session}},
	} {
		id, err := m.Identify(t.Context(), r)
		if !chat.Is(err, chat.Unauthenticated) || id != (auth.Identity{}) {
			t.Errorf("%s: got %v, %v, want %q", name, id, err, chat.Unauthenticated)
		}
		if err != nil && (strings.Contains(err.Error(), session) || strings.Contains(err.Error(), used)) {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}
	for _, name := range []string{"bob", "Alice2", "", "A1ice"} {
		r := auth.Request{Query: map[string]string{"ticket": ticket(), "name": name}}
		if _, err := m.Identify(t.Context(), r); !chat.Is(err, chat.Forbidden) {
			t.Errorf("as %q: got %v, want %q", name, err, chat.Forbidden)
		}
	}
}
