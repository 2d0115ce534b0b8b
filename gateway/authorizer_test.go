package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

const (
	methodARN = "arn:aws:execute-api:us-east-1:000000000000:local00000/prod/$connect"
	deny      = "User is not authorized to access this resource with an explicit deny in an " +
		"identity-based policy"
	noAllow = "User is not authorized to access this resource because no identity-based policy " +
		"allows the execute-api:Invoke action"
)

// says is an authorizer's result with one statement.
func says(effect, resource string) events.APIGatewayCustomAuthorizerResponse {
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: "u1",
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{resource},
			}},
		},
	}
}

// guard is an authorizer that always gives one result, and keeps the JSON of its events.
type guard struct {
	Authorizer
	events chan string
}

func newGuard(result any, err error) *guard {
	g := &guard{events: make(chan string, 100)}
	g.Authorize = func(_ context.Context, e AuthorizerEvent) (any, error) {
		text, failed := json.Marshal(e)
		if failed != nil {
			return nil, failed
		}
		g.events <- string(text)
		return result, err
	}
	return g
}

// guarded is an API whose $connect has the authorizer.
func guarded(t *testing.T, z *Authorizer, cfg Config) (*rig, *recorder) {
	t.Helper()
	h := newRecorder()
	cfg.Routes = all(h)
	connect := cfg.Routes["$connect"]
	connect.Authorizer = z
	cfg.Routes["$connect"] = connect
	return run(t, cfg), h
}

// refused checks an answer that refuses a handshake: its status, its message, the ids in its body
// and its headers.
func refused(t *testing.T, c *client, status int, message any) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(c.body), &body); err != nil {
		t.Fatalf("body %q: %v", c.body, err)
	}
	if c.head.StatusCode != status || body["message"] != message {
		t.Errorf("answer %d %q, want %d %v", c.head.StatusCode, c.body, status, message)
	}
	if diff := cmp.Diff(set("message connectionId requestId"), keys(body)); diff != "" {
		t.Error(diff)
	}
	header := c.head.Header
	if id := header.Get("x-amz-apigw-id"); id == "" || id != body["requestId"] {
		t.Errorf("x-amz-apigw-id %q, requestId %v", id, body["requestId"])
	}
	if got := header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
		t.Errorf("Content-Type %q", got)
	}
	for _, name := range []string{"x-amzn-RequestId", "x-amzn-ErrorType"} {
		if header.Get(name) != "" {
			t.Errorf("there is a header %s", name)
		}
	}
}

func TestGW67_MissingIdentityIs401(t *testing.T) {
	g := newGuard(says("Allow", "*"), nil)
	g.IdentitySources = []string{
		"route.request.header.X-Token", "route.request.querystring.Tok", "stageVariables.k",
		"context.connectionId", "context.connectedAt", "context.requestTimeEpoch",
	}
	stages := []Stage{{Name: "prod", Variables: map[string]string{"k": "v"}}, {Name: "bare"}}
	r, h := guarded(t, &g.Authorizer, Config{Stages: stages})
	for _, missing := range []struct{ target, line string }{
		{"/prod?Tok=1", "X-Other: a"},
		{"/prod?Tok=1", "X-Token: "},
		{"/prod", "X-Token: a"},
		{"/prod?Tok=", "X-Token: a"},
		{"/prod?tok=1", "X-Token: a"},
		{"/bare?Tok=1", "X-Token: a"},
	} {
		refused(t, r.handshake(t, missing.target, missing.line), 401, "Unauthorized")
	}
	if len(g.events) > 0 {
		t.Errorf("the authorizer is called: %s", <-g.events)
	}
	h.none(t)
	wantHead(t, r.handshake(t, "/prod?Tok=1", "x-token: a"), 101, "")
	if n := r.Stats().Refused[CauseAuthorizer]; n != 6 {
		t.Errorf("%d refusals are counted, want 6", n)
	}
}

// Captured: the event type is no usable source.
func TestGW67_EventTypeIsNoIdentity(t *testing.T) {
	for _, source := range []string{"context.eventType", "context.messageDirection"} {
		g := newGuard(says("Allow", "*"), nil)
		g.IdentitySources = []string{source}
		r, _ := guarded(t, &g.Authorizer, Config{})
		refused(t, r.handshake(t, "/prod"), 401, "Unauthorized")
	}
}

func TestGW68_UnauthorizedIs401(t *testing.T) {
	g := newGuard(nil, errors.New("Unauthorized"))
	r, h := guarded(t, &g.Authorizer, Config{})
	refused(t, r.handshake(t, "/prod"), 401, "Unauthorized")
	h.none(t)
}

func TestGW69_PolicyDecides(t *testing.T) {
	twice := says("Allow", "*")
	twice.PolicyDocument.Statement = append(twice.PolicyDocument.Statement,
		says("Deny", methodARN).PolicyDocument.Statement...)
	other := says("Allow", "*")
	other.PolicyDocument.Statement[0].Action = []string{"execute-api:ManageConnections"}
	none := says("Allow", "*")
	none.PolicyDocument.Statement = []events.IAMPolicyStatement{}
	for name, test := range map[string]struct {
		result  any
		message string // "": it is let in
	}{
		"deny":             {says("Deny", "*"), deny},
		"deny beats allow": {twice, deny},
		"other stage":      {says("Allow", strings.Replace(methodARN, "prod", "dev", 1)), noAllow},
		"other route":      {says("Allow", strings.Replace(methodARN, "$connect", "$default", 1)), noAllow},
		"other action":     {other, noAllow},
		"no statement":     {none, noAllow},
		"deny of others":   {says("Deny", "*/dev/*"), noAllow},
		"exact":            {says("Allow", methodARN), ""},
		"any":              {says("Allow", "*"), ""},
		"any route":        {says("Allow", "arn:aws:execute-api:us-east-1:000000000000:local00000/prod/*"), ""},
		"any stage":        {says("Allow", "arn:aws:execute-api:*:*:local00000/*/$connect"), ""},
		"one character":    {says("Allow", "arn:aws:execute-api:us-east-?:*:*/pro?/$connect"), ""},
		"as JSON": {json.RawMessage(`{"principalId":"u","policyDocument":{"Statement":{"Effect":"Allow",` +
			`"Action":"EXECUTE-API:*","Resource":"*"}},"context":null}`), ""},
		"not these": {json.RawMessage(`{"principalId":"u","policyDocument":{"Statement":[{"Effect":"Allow",` +
			`"NotAction":"s3:*","NotResource":["*/dev/*"]}]}}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard(test.result, nil)
			r, h := guarded(t, &g.Authorizer, Config{})
			c := r.handshake(t, "/prod")
			if test.message == "" {
				wantHead(t, c, 101, "")
				return
			}
			refused(t, c, 403, test.message)
			h.none(t)
		})
	}
}

func TestGW70_FailedAuthorizerIs500(t *testing.T) {
	const policy = `"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	big := says("Allow", "*")
	big.Context = map[string]any{"filler": strings.Repeat("x", 8192)}
	for name, test := range map[string]struct {
		result  any
		err     error
		message any
	}{
		"error":                 {nil, errors.New("broken"), "Internal server error"},
		"error like it":         {nil, errors.New("unauthorized"), "Internal server error"},
		"over 8 KB":             {big, nil, "Internal server error"},
		"no JSON":               {func() {}, nil, "Internal server error"},
		"nothing":               {nil, nil, nil},
		"text":                  {"Allow", nil, nil},
		"principal no text":     {json.RawMessage(`{"principalId":{},` + policy + `}`), nil, nil},
		"simple response":       {json.RawMessage(`{"isAuthorized":true,` + policy + `}`), nil, nil},
		"policy spelled":        {json.RawMessage(`{"principalId":"u","PolicyDocument":{}}`), nil, nil},
		"no policy":             {json.RawMessage(`{"principalId":"u"}`), nil, nil},
		"no statement":          {json.RawMessage(`{"principalId":"u","policyDocument":{}}`), nil, nil},
		"effect":                {says("allow", "*"), nil, nil},
		"no resource":           {json.RawMessage(`{"principalId":"u","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*"}]}}`), nil, nil},
		"nested context":        {json.RawMessage(`{"principalId":"u","context":{"a":{"b":1}},` + policy + `}`), nil, nil},
		"list in the context":   {json.RawMessage(`{"principalId":"u","context":{"a":[1]},` + policy + `}`), nil, nil},
		"condition":             {json.RawMessage(`{"principalId":"u","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{}}}]}}`), nil, nil},
		"usage key is a number": {json.RawMessage(`{"principalId":"u","usageIdentifierKey":7,` + policy + `}`), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard(test.result, test.err)
			if name == "no JSON" || name == "nothing" {
				g.Authorize = func(context.Context, AuthorizerEvent) (any, error) { return test.result, nil }
			}
			r, h := guarded(t, &g.Authorizer, Config{})
			refused(t, r.handshake(t, "/prod"), 500, test.message)
			h.none(t)
		})
	}
	t.Run("panic", func(t *testing.T) {
		z := Authorizer{Authorize: func(context.Context, AuthorizerEvent) (any, error) { panic("crash") }}
		r, _ := guarded(t, &z, Config{})
		refused(t, r.handshake(t, "/prod"), 500, "Internal server error")
	})
	t.Run("timeout", func(t *testing.T) {
		clock, release, inside := newClock(time.Unix(1790000000, 0)), make(chan struct{}), make(chan struct{})
		defer close(release)
		z := Authorizer{Authorize: func(context.Context, AuthorizerEvent) (any, error) {
			close(inside)
			<-release
			return says("Allow", "*"), nil
		}}
		r, _ := guarded(t, &z, Config{Now: clock.now})
		ended := make(chan *client)
		go func() { ended <- r.handshake(t, "/prod") }()
		<-inside
		clock.add(29 * time.Second)
		refused(t, <-ended, 500, "Internal server error")
	})
}

// A refused client gets neither event, and its id is never an address.
func TestGW71_RefusedIsNeverConnected(t *testing.T) {
	g := newGuard(says("Deny", "*"), nil)
	r, h := guarded(t, &g.Authorizer, Config{ServeConnections: true, Credentials: map[string]string{testKey: testSecret}})
	c := r.handshake(t, "/prod")
	refused(t, c, 403, deny)
	var body struct{ ConnectionID string }
	if err := json.Unmarshal([]byte(c.body), &body); err != nil {
		t.Fatal(err)
	}
	want(t, r.call(t, "POST", at(body.ConnectionID), nil, nil), 410, "GoneException", "")
	h.none(t)
	if s := r.Stats(); s.Total != 0 {
		t.Errorf("%d connections", s.Total)
	}
}

func TestGW72_AuthorizerEvent(t *testing.T) {
	g := newGuard(says("Allow", "*"), nil)
	r, h := guarded(t, &g.Authorizer, Config{Stages: []Stage{
		{Name: "prod"}, {Name: "dev", Variables: map[string]string{"k": "v"}},
	}})
	wantHead(t, r.handshake(t, "/prod", "x-Token: a", "X-Token: b"), 101, "")
	var e map[string]any
	if err := json.Unmarshal([]byte(<-g.events), &e); err != nil {
		t.Fatal(err)
	}
	members := "type methodArn headers multiValueHeaders queryStringParameters " +
		"multiValueQueryStringParameters stageVariables requestContext"
	if diff := cmp.Diff(set(members), keys(e)); diff != "" {
		t.Error(diff)
	}
	empty := map[string]any{}
	for name, value := range map[string]any{
		"type": "REQUEST", "methodArn": methodARN, "queryStringParameters": empty,
		"multiValueQueryStringParameters": empty, "stageVariables": empty,
	} {
		if diff := cmp.Diff(value, e[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, connect := h.next(t)
	headers := connect["headers"].(map[string]any)
	headers["Connection"], headers["Upgrade"], headers["content-length"] = "upgrade", "websocket", "0"
	if diff := cmp.Diff(headers, e["headers"]); diff != "" {
		t.Errorf("headers: %s", diff)
	}
	if diff := cmp.Diff([]any{"websocket"}, e["multiValueHeaders"].(map[string]any)["Upgrade"]); diff != "" {
		t.Error(diff)
	}
	delete(contextOf(connect), "authorizer")
	if diff := cmp.Diff(contextOf(connect), contextOf(e)); diff != "" {
		t.Errorf("requestContext: %s", diff)
	}

	wantHead(t, r.handshake(t, "/dev?t=1&t=2"), 101, "")
	if err := json.Unmarshal([]byte(<-g.events), &e); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"methodArn":             strings.Replace(methodARN, "prod", "dev", 1),
		"queryStringParameters": map[string]any{"t": "2"}, "stageVariables": map[string]any{"k": "v"},
		"multiValueQueryStringParameters": map[string]any{"t": []any{"1", "2"}},
	} {
		if diff := cmp.Diff(value, e[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestGW73_ContextReachesAllEvents(t *testing.T) {
	result := says("Allow", "*")
	result.Context = map[string]any{
		"role": "admin", "level": 7, "half": 0.5, "ok": true, "no": false, "nothing": nil,
	}
	clock := newClock(time.Unix(1790000000, 0))
	z := Authorizer{Authorize: func(context.Context, AuthorizerEvent) (any, error) {
		clock.add(41 * time.Millisecond)
		return result, nil
	}}
	r, h := guarded(t, &z, Config{Now: clock.now})
	c := r.dial(t)
	text, connect := h.next(t)
	c.send("x")
	_, message := h.next(t)
	c.conn.Close()
	_, disconnect := h.next(t)

	said := map[string]any{
		"principalId": "u1", "role": "admin", "level": "7", "half": "0.5", "ok": "true", "no": "false",
	}
	for _, e := range []map[string]any{message, disconnect} {
		if diff := cmp.Diff(any(said), contextOf(e)["authorizer"]); diff != "" {
			t.Errorf("%v: %s", contextOf(e)["eventType"], diff)
		}
	}
	said["integrationLatency"] = 41.0
	if diff := cmp.Diff(any(said), contextOf(connect)["authorizer"]); diff != "" {
		t.Errorf("CONNECT: %s", diff)
	}
	if !strings.Contains(text, `"authorizer":{"principalId":"u1",`) ||
		!strings.Contains(text, `"integrationLatency":41}`) {
		t.Errorf("order of keys in %s", text)
	}
}

// A WebSocket API takes an authorizer's result without a principal, and a number for one.
func TestGW73_PrincipalMayBeMissing(t *testing.T) {
	for principal, want := range map[string]any{
		`"principalId":7,`: map[string]any{"principalId": "7"}, "": map[string]any{},
	} {
		g := newGuard(json.RawMessage(`{`+principal+
			`"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`), nil)
		r, h := guarded(t, &g.Authorizer, Config{})
		r.dial(t).send("x")
		h.next(t)
		_, e := h.next(t)
		if diff := cmp.Diff(want, contextOf(e)["authorizer"]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestGW74_IdentitySourcesAreChecked(t *testing.T) {
	allow := func(context.Context, AuthorizerEvent) (any, error) { return says("Allow", "*"), nil }
	for source, ok := range map[string]bool{
		"$request.header.X": false, "$request.querystring.X": false, "route.request.header.": false,
		"method.request.header.X": false, "route.request.body.x": false, "": false,
		"$context.connectionId": false, "$stageVariables.k": false,
		"route.request.header.X": true, "route.request.querystring.X": true,
		"stageVariables.k": true, "context.connectionId": true,
	} {
		_, err := New(Config{Stages: []Stage{{Name: "prod"}}, Routes: map[string]Route{"$connect": {
			Handler:    newRecorder(),
			Authorizer: &Authorizer{Authorize: allow, IdentitySources: []string{source}},
		}}})
		if (err == nil) != ok {
			t.Errorf("identity source %q: %v", source, err)
		}
	}
}

func TestGW75_NothingIsCached(t *testing.T) {
	g := newGuard(says("Allow", "*"), nil)
	g.IdentitySources = []string{"route.request.header.X-Token"}
	r, _ := guarded(t, &g.Authorizer, Config{})
	for range 3 {
		wantHead(t, r.handshake(t, "/prod", "X-Token: same"), 101, "")
		if len(g.events) != 1 {
			t.Fatalf("%d calls for a handshake", len(g.events))
		}
		<-g.events
	}
}

// Two Authorization headers never come to the API.
func TestGW67_TwoAuthorizationsAreA400Page(t *testing.T) {
	g := newGuard(says("Allow", "*"), nil)
	r, _ := guarded(t, &g.Authorizer, Config{})
	c := r.handshake(t, "/prod", "Authorization: a", "Authorization: b")
	if c.head.StatusCode != http.StatusBadRequest || c.head.Header.Get("Content-Type") != "text/html" ||
		!strings.HasPrefix(c.body, "<html>") {
		t.Errorf("%s %s %q", c.head.Status, c.head.Header.Get("Content-Type"), c.body)
	}
	if len(g.events) > 0 {
		t.Error("the authorizer is called")
	}
}
