package gateway

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/confab-chat/confab/connections"
)

// The text and the order of checks are the Developer Guide's and those of native captures: the
// permission comes after the signature and before the size and the connection.
func TestGW88_PermissionIsTheLiteralTemplate(t *testing.T) {
	var asked []string
	clock := newClock(time.Now())
	r := managed(t, Config{
		Now: clock.now, APIID: "a1b2c3d4e5", Account: "123456789012", MayManage: func(key, resource string) bool {
			asked = append(asked, key+" "+resource)
			return false
		},
	})
	closed := closedID(t, r)
	c := r.dial(t)
	id := r.onlyID(t)
	clock.add(time.Second)
	big := bytes.Repeat([]byte("x"), connections.MaxPayload+1)
	const resource = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/"
	for _, call := range []struct {
		method, id string
		body       []byte
	}{{"POST", id, []byte("x")}, {"POST", id, big}, {"GET", closed, nil}, {"DELETE", id, nil}} {
		want(t, r.call(t, call.method, at(call.id), call.body, nil), 403, "AccessDeniedException",
			`{"Message":"User: arn:aws:iam::123456789012:user/AKIDEXAMPLE is not authorized to `+
				`perform: execute-api:ManageConnections on resource: `+resource+call.method+
				`/@connections/{connectionId} because no identity-based policy allows the `+
				`execute-api:ManageConnections action"}`)
	}
	if n := len(asked); n != 4 || asked[0] != testKey+" "+resource+"POST/@connections/{connectionId}" {
		t.Errorf("asked %q", asked)
	}
	want(t, r.call(t, "POST", at(id), nil, unsigned), 403, "MissingAuthenticationTokenException",
		`{"message":"Missing Authentication Token"}`)
	want(t, r.call(t, "POST", at("abc"), nil, nil), 400, "BadRequestException",
		`{"message":"Invalid connectionId: abc"}`)
	if n := len(asked); n != 4 {
		t.Errorf("asked %d times, want 4: id and signature come before", n)
	}
	info, err := r.Describe(context.Background(), connections.Target{ID: id})
	if moved := info.LastActiveAt.Sub(info.ConnectedAt); err != nil || moved > time.Millisecond {
		t.Errorf("refused calls moved lastActiveAt by %v (%v)", moved, err)
	}
	post(t, r, id, "still here")
	c.expect("still here")
}

// A call with every fault at once is told of them one by one: stage, id, signature, permission,
// size, and last that the connection is closed.
func TestGW79_GW86_OrderOfChecks(t *testing.T) {
	permitted := false
	r := managed(t, Config{MayManage: func(string, string) bool { return permitted }})
	id := escaped(closedID(t, r))
	big := bytes.Repeat([]byte("x"), connections.MaxPayload+1)
	steps := []struct {
		path   string
		body   []byte
		change func(*http.Request)
		status int
		kind   string
	}{
		{"/none/@connections/abc", big, unsigned, 403, "ForbiddenException"},
		{"/prod/@connections/abc", big, unsigned, 400, "BadRequestException"},
		{"/prod/@connections/" + id, big, unsigned, 403, "MissingAuthenticationTokenException"},
		{"/prod/@connections/" + id, big, nil, 403, "AccessDeniedException"},
		{"/prod/@connections/" + id, big, nil, 413, ""},
		{"/prod/@connections/" + id, nil, nil, 410, "GoneException"},
	}
	for i, step := range steps {
		permitted = i > 3
		got := r.call(t, "POST", step.path, step.body, step.change)
		if got.status != step.status || got.kind != step.kind {
			t.Errorf("step %d: %d %s, want %d %s", i, got.status, got.kind, step.status, step.kind)
		}
	}
}

// Who has no right to call is told so without the gateway reading what they would post.
func TestGW88_UnsignedIsRefusedUnread(t *testing.T) {
	r := managed(t, Config{})
	path := at(closedID(t, r))
	req, err := http.NewRequest(http.MethodPost, "http://ws.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, req, nil, "AKIDSOMEBODY", testSecret, time.Now())
	for kind, lines := range map[string][]string{
		"MissingAuthenticationTokenException": nil,
		"UnrecognizedClientException": {
			"Authorization: " + req.Header.Get("Authorization"),
			"X-Amz-Date: " + req.Header.Get("X-Amz-Date"),
		},
	} {
		lines = append(lines, "Host: ws.example", "Content-Length: 10485760") // and none of it
		c := r.request(t, "POST "+path, lines...)
		got := c.head.Header.Get("x-amzn-ErrorType")
		if c.head.StatusCode != http.StatusForbidden || got != kind {
			t.Errorf("answer %d %s, want 403 %s", c.head.StatusCode, got, kind)
		}
	}
}
