package auth_test

import (
	"sync"
	"testing"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

func TestProxy_Identify(t *testing.T) {
	d := newDesk(t)
	p := auth.Proxy{Service: d.Service, Header: "Remote-User"}
	request := func(user string, query ...string) auth.Request {
		r := auth.Request{Headers: map[string]string{"remote-user": user}, Query: map[string]string{}}
		if len(query) > 0 {
			r.Query["name"] = query[0]
		}
		return r
	}
	want := auth.Identity{User: "alice", Session: "proxy"}
	for _, r := range []auth.Request{request("alice"), request("alice", "Alice"), request("ALICE")} {
		if id, err := p.Identify(t.Context(), r); err != nil || id != want {
			t.Errorf("%v: got %v, %v, want %v", r, id, err, want)
		}
	}
	for name, c := range map[string]struct {
		r    auth.Request
		kind chat.Kind
	}{
		"no header":         {auth.Request{}, chat.Unauthenticated},
		"an empty header":   {request(""), chat.Unauthenticated},
		"a name alone":      {auth.Request{Query: map[string]string{"name": "alice"}}, chat.Unauthenticated},
		"another header":    {auth.Request{Headers: map[string]string{"X-Remote-User": "alice"}}, chat.Unauthenticated},
		"somebody else":     {request("alice", "bob"), chat.Forbidden},
		"no handle":         {request("alice@chat.example"), chat.Forbidden},
		"a reserved handle": {request("admin"), chat.Forbidden},
		"a look-alike":      {request("a1ice"), chat.Taken},
	} {
		id, err := p.Identify(t.Context(), c.r)
		if !chat.Is(err, c.kind) || id != (auth.Identity{}) {
			t.Errorf("%s: got %v, %v, want %q", name, id, err, c.kind)
		}
	}
	if _, err := d.Disable(t.Context(), nil, "alice", true); err != nil {
		t.Fatal(err)
	}
	_, err := p.Identify(t.Context(), request("alice"))
	d.want("a disabled account", err, chat.Forbidden)
}

// TestService_Vouched_atOnce makes one account for one person who comes several times at once.
func TestService_Vouched_atOnce(t *testing.T) {
	d := newDesk(t)
	var calls sync.WaitGroup
	ids := make([]string, 10)
	for i := range ids {
		calls.Go(func() {
			a, err := d.Vouched(t.Context(), "bob")
			if err != nil {
				t.Error(err)
			}
			ids[i] = a.ID
		})
	}
	calls.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("accounts %q", ids)
		}
	}
}
