package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"
)

// life runs a connection through its three events and gives them.
func life(t *testing.T, cfg Config, target string, lines ...string) (connect, message, disconnect map[string]any) {
	t.Helper()
	h := newRecorder()
	cfg.Routes = all(h)
	r := run(t, cfg)
	c := r.handshake(t, target, lines...)
	if c.head.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", c.head.Status)
	}
	_, connect = h.next(t)
	c.send("hello")
	_, message = h.next(t)
	c.frame(ws.OpClose, true, ws.NewCloseFrameBody(1000, "bye"))
	_, disconnect = h.next(t)
	return connect, message, disconnect
}

func contextOf(e map[string]any) map[string]any { return e["requestContext"].(map[string]any) }

func keys(m map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// shared are the members that every requestContext has.
const shared = "routeKey eventType extendedRequestId requestTime messageDirection stage " +
	"connectedAt requestTimeEpoch identity requestId domainName connectionId apiId "

func TestGW15_ConnectEventKeys(t *testing.T) {
	connect, _, _ := life(t, Config{}, "/prod")
	want := set("headers multiValueHeaders requestContext isBase64Encoded")
	if diff := cmp.Diff(want, keys(connect)); diff != "" {
		t.Error(diff)
	}
	if connect["isBase64Encoded"] != false {
		t.Errorf("isBase64Encoded: %v", connect["isBase64Encoded"])
	}
	if diff := cmp.Diff(set(shared), keys(contextOf(connect))); diff != "" {
		t.Error(diff)
	}
}

func TestGW16_QueryKeepsTheLastAndAll(t *testing.T) {
	connect, message, disconnect := life(t, Config{}, "/prod?t=one&t=two&e")
	if diff := cmp.Diff(map[string]any{"t": "two", "e": ""}, connect["queryStringParameters"]); diff != "" {
		t.Error(diff)
	}
	want := map[string]any{"t": []any{"one", "two"}, "e": []any{""}}
	if diff := cmp.Diff(want, connect["multiValueQueryStringParameters"]); diff != "" {
		t.Error(diff)
	}
	for _, e := range []map[string]any{message, disconnect} {
		if _, ok := e["queryStringParameters"]; ok {
			t.Errorf("query in %v", contextOf(e)["eventType"])
		}
	}
}

func TestGW17_PlusAndPercentAreBlanks(t *testing.T) {
	connect, _, _ := life(t, Config{}, "/prod?a=x+y&b=x%20y&c=100%&%61=z")
	want := map[string]any{"a": "z", "b": "x y", "c": "100%"}
	if diff := cmp.Diff(want, connect["queryStringParameters"]); diff != "" {
		t.Error(diff)
	}
	multi := connect["multiValueQueryStringParameters"].(map[string]any)
	if diff := cmp.Diff([]any{"x y", "z"}, multi["a"]); diff != "" {
		t.Error(diff)
	}
}

func TestGW18_HeadersKeepTheClientsCasing(t *testing.T) {
	connect, _, _ := life(t, Config{}, "/prod", "x-lower: 1", "X-UPPER: 2", "X-Twice: a",
		"X-Twice: b", "Content-Length: 0", "Sec-WebSocket-Extensions: permessage-deflate")
	headers := connect["headers"].(map[string]any)
	for name, want := range map[string]string{
		"x-lower": "1", "X-UPPER": "2", "X-Twice": "b",
		"Sec-WebSocket-Key": sampleKey, "Sec-WebSocket-Extensions": "permessage-deflate",
	} {
		if headers[name] != want {
			t.Errorf("header %s: %v, want %v", name, headers[name], want)
		}
	}
	multi := connect["multiValueHeaders"].(map[string]any)
	if diff := cmp.Diff([]any{"a", "b"}, multi["X-Twice"]); diff != "" {
		t.Error(diff)
	}
	for name := range headers {
		if set("connection upgrade content-length")[strings.ToLower(name)] {
			t.Errorf("header %s of the hop is in the event", name)
		}
	}
}

func TestGW18_HeadersAreSortedWithoutCase(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: all(h)})
	r.dial(t, "b-name: 1", "A-name: 2", "C-name: 3")
	text, _ := h.next(t)
	a, b, c := strings.Index(text, `"A-name"`), strings.Index(text, `"b-name"`), strings.Index(text, `"C-name"`)
	if a < 0 || b < a || c < b {
		t.Errorf("A-name at %d, b-name at %d, C-name at %d", a, b, c)
	}
}

func TestGW19_ForwardedHeaders(t *testing.T) {
	connect, _, _ := life(t, Config{}, "/prod", "x-forwarded-for: 198.51.100.1")
	headers := connect["headers"].(map[string]any)
	for name, pattern := range map[string]string{
		"X-Forwarded-For":   `^198\.51\.100\.1, 127\.0\.0\.1$`,
		"X-Forwarded-Port":  `^\d+$`,
		"X-Forwarded-Proto": `^http$`,
		"X-Amzn-Trace-Id":   `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
	} {
		if got, _ := headers[name].(string); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: %q does not match %s", name, got, pattern)
		}
	}
	if _, ok := headers["x-forwarded-for"]; ok {
		t.Error("x-forwarded-for stands there twice")
	}
}

func TestGW20_MessageEventKeys(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: all(h)})
	c := r.dial(t, "X-Mine: 1")
	h.next(t)
	for _, body := range []string{"{\"action\": \"x\",\n\"b\":\"<é\u2028>\"}", "not json", ""} {
		c.send(body)
		_, e := h.next(t)
		if e["body"] != body {
			t.Errorf("body %q, want %q", e["body"], body)
		}
		if diff := cmp.Diff(set("requestContext body isBase64Encoded"), keys(e)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(set(shared+"messageId"), keys(contextOf(e))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestGW21_DisconnectHeaders(t *testing.T) {
	_, _, disconnect := life(t, Config{}, "/prod?q=1", "Host: chat.example")
	want := map[string]any{"Host": "chat.example", "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
	if diff := cmp.Diff(set("headers multiValueHeaders requestContext isBase64Encoded"), keys(disconnect)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, disconnect["headers"]); diff != "" {
		t.Error(diff)
	}
	multi := map[string]any{
		"Host": []any{"chat.example"}, "x-api-key": []any{""},
		"X-Forwarded-For": []any{""}, "x-restapi": []any{""},
	}
	if diff := cmp.Diff(multi, disconnect["multiValueHeaders"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(set(shared+"disconnectStatusCode disconnectReason"),
		keys(contextOf(disconnect))); diff != "" {
		t.Error(diff)
	}
}

func TestGW22_RequestIDs(t *testing.T) {
	connect, message, disconnect := life(t, Config{}, "/prod")
	seen := map[any]bool{}
	for _, e := range []map[string]any{connect, message, disconnect} {
		id := contextOf(e)["requestId"].(string)
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) || seen[id] {
			t.Errorf("requestId %q", id)
		}
		if contextOf(e)["extendedRequestId"] != id {
			t.Errorf("extendedRequestId %v, want %v", contextOf(e)["extendedRequestId"], id)
		}
		seen[id] = true
	}
}

func TestGW23_ConnectionIDs(t *testing.T) {
	connect, message, disconnect := life(t, Config{}, "/prod")
	id := contextOf(connect)["connectionId"].(string)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$|^[A-Za-z0-9_-]{18}==$`).MatchString(id) {
		t.Errorf("connectionId %q", id)
	}
	if contextOf(message)["connectionId"] != id || contextOf(disconnect)["connectionId"] != id {
		t.Error("connectionId changes")
	}
}

func TestGW24_MessageIDs(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: all(h)})
	c := r.dial(t)
	_, connect := h.next(t)
	if _, ok := contextOf(connect)["messageId"]; ok {
		t.Error("messageId in CONNECT")
	}
	seen := map[any]bool{contextOf(connect)["connectionId"]: true}
	for range 20 {
		c.send("x")
		_, e := h.next(t)
		id, _ := contextOf(e)["messageId"].(string)
		if len(id) != 20 || seen[id] {
			t.Errorf("messageId %q", id)
		}
		seen[id] = true
	}
}

func TestGW25_RequestTime(t *testing.T) {
	at := time.Date(2026, 9, 25, 3, 24, 18, 999e6, time.FixedZone("", 7200))
	connect, message, disconnect := life(t, Config{Now: func() time.Time { return at }}, "/prod")
	for _, e := range []map[string]any{connect, message, disconnect} {
		if got := contextOf(e)["requestTime"]; got != "25/Sep/2026:01:24:18 +0000" {
			t.Errorf("requestTime %v", got)
		}
		if got := contextOf(e)["requestTimeEpoch"]; got != 1790299458999.0 {
			t.Errorf("requestTimeEpoch %v", got)
		}
	}
}

func TestGW26_ConnectedAtIsConstant(t *testing.T) {
	start := time.UnixMilli(1790299458000)
	clock := newClock(start)
	h := newRecorder()
	h.answer = func(context.Context, event) (reply, error) {
		clock.add(time.Second)
		return reply{StatusCode: 200}, nil
	}
	r := run(t, Config{Routes: all(h), Now: clock.now})
	c := r.dial(t)
	c.send("x")
	c.send("y")
	c.frame(ws.OpClose, true, nil)
	for range 4 {
		_, e := h.next(t)
		if got := contextOf(e)["connectedAt"]; got != 1790299458000.0 {
			t.Errorf("%v: connectedAt %v", contextOf(e)["eventType"], got)
		}
	}
}

func TestGW27_DirectionAndType(t *testing.T) {
	connect, message, disconnect := life(t, Config{APIID: "a1b2c3d4e5", DomainName: "ws.example"}, "/prod")
	for kind, e := range map[string]map[string]any{
		"CONNECT": connect, "MESSAGE": message, "DISCONNECT": disconnect,
	} {
		c := contextOf(e)
		got := []any{c["eventType"], c["messageDirection"], c["stage"], c["apiId"], c["domainName"]}
		want := []any{kind, "IN", "prod", "a1b2c3d4e5", "ws.example"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestGW28_Identity(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  map[string]any
	}{
		{nil, map[string]any{"sourceIp": "127.0.0.1"}},
		{[]string{"User-Agent: probe/1"}, map[string]any{"sourceIp": "127.0.0.1", "userAgent": "probe/1"}},
	} {
		connect, message, disconnect := life(t, Config{}, "/prod", test.lines...)
		for _, e := range []map[string]any{connect, message, disconnect} {
			if diff := cmp.Diff(test.want, contextOf(e)["identity"]); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestGW29_StageVariables(t *testing.T) {
	stages := []Stage{{Name: "prod", Variables: map[string]string{"k": "v"}}, {Name: "bare"}}
	for target, want := range map[string]any{"/prod": map[string]any{"k": "v"}, "/bare": nil} {
		connect, message, disconnect := life(t, Config{Stages: stages}, target)
		for _, e := range []map[string]any{connect, message, disconnect} {
			if diff := cmp.Diff(want, e["stageVariables"]); diff != "" {
				t.Errorf("%s: %s", target, diff)
			}
			if _, ok := e["stageVariables"]; ok != (want != nil) {
				t.Errorf("%s: key present: %v", target, ok)
			}
		}
	}
}

// What is deployed stays, whatever becomes of the caller's map.
func TestGW29_VariablesAreThoseDeployed(t *testing.T) {
	variables := map[string]string{"k": "v"}
	h := newRecorder()
	r := run(t, Config{
		Stages: []Stage{{Name: "prod", Variables: variables}},
		Routes: map[string]Route{"$default": {Handler: h}},
	})
	variables["k"] = "changed"
	r.dial(t).send("x")
	if _, e := h.next(t); !cmp.Equal(e["stageVariables"], map[string]any{"k": "v"}) {
		t.Errorf("stageVariables %v, want those of Deploy", e["stageVariables"])
	}
}

// endedBy gives code and reason of the $disconnect event after what the client does.
func endedBy(t *testing.T, act func(*client)) (code any, reason any) {
	t.Helper()
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
	act(r.dial(t))
	_, e := h.next(t)
	return contextOf(e)["disconnectStatusCode"], contextOf(e)["disconnectReason"]
}

func TestGW30_DisconnectHasTheClientsCode(t *testing.T) {
	for _, want := range []int{1000, 1001, 3000, 4000, 4999} {
		code, reason := endedBy(t, func(c *client) {
			c.frame(ws.OpClose, true, ws.NewCloseFrameBody(ws.StatusCode(want), "peer-close"))
			c.closed(want, "peer-close")
		})
		if code != float64(want) || reason != "peer-close" {
			t.Errorf("%v %q, want %d peer-close", code, reason, want)
		}
	}
}

func TestGW31_CloseWithoutStatus(t *testing.T) {
	code, reason := endedBy(t, func(c *client) {
		c.frame(ws.OpClose, true, nil)
		c.closed(0, "") // an empty close frame
	})
	if code != 1005.0 || reason != "Client-side close frame status not set" {
		t.Errorf("%v %q", code, reason)
	}
}

func TestGW32_LostTCP(t *testing.T) {
	code, reason := endedBy(t, func(c *client) { c.conn.Close() })
	if code != 1006.0 || reason != "Connection closed abnormally" {
		t.Errorf("%v %q", code, reason)
	}
}

func TestGW33_EventsDecode(t *testing.T) {
	connect, message, disconnect := life(t, Config{}, "/prod?q=1", "User-Agent: probe/1")
	for kind, e := range map[string]map[string]any{
		"CONNECT": connect, "MESSAGE": message, "DISCONNECT": disconnect,
	} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got events.APIGatewayWebsocketProxyRequest
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.RequestContext.EventType != kind ||
			got.RequestContext.ConnectionID != contextOf(connect)["connectionId"] ||
			got.RequestContext.RequestID != contextOf(e)["requestId"] {
			t.Errorf("%s decodes to %+v", kind, got.RequestContext)
		}
	}
}

// The members in AWS's order, as in its events of 2024 and later.
func TestMarshalEvent(t *testing.T) {
	reason := "Going away"
	at := events.APIGatewayWebsocketProxyRequestContext{
		RouteKey: "chat", EventType: "MESSAGE", ExtendedRequestID: "R=", RequestID: "R=",
		RequestTime: "11/Nov/2024:13:45:46 +0000", MessageDirection: "IN", Stage: "prod",
		ConnectedAt: 1731332735513, RequestTimeEpoch: 1731332746514, MessageID: "M=",
		Identity:   events.APIGatewayRequestIdentity{SourceIP: "203.0.113.9", UserAgent: "probe"},
		DomainName: "ws.example", ConnectionID: "C=", APIID: "a1b2c3d4e5",
		Authorizer: map[string]any{"principalId": "u1"}, DisconnectStatusCode: 1001,
		DisconnectReason: &reason,
	}
	const tail = `"stage":"prod","connectedAt":1731332735513,"requestTimeEpoch":1731332746514,` +
		`"identity":{"userAgent":"probe","sourceIp":"203.0.113.9"},"requestId":"R=",` +
		`"domainName":"ws.example","connectionId":"C=","apiId":"a1b2c3d4e5"}`
	in := events.APIGatewayWebsocketProxyRequest{
		Headers:           map[string]string{"b": "1", "A": "2"},
		MultiValueHeaders: map[string][]string{"b": {"1"}, "A": {"2"}},
		Body:              "<é>", StageVariables: map[string]string{"k": "v"},
	}
	for kind, want := range map[string]string{
		"CONNECT": `{"headers":{"A":"2","b":"1"},"multiValueHeaders":{"A":["2"],"b":["1"]},` +
			`"stageVariables":{"k":"v"},"requestContext":{"routeKey":"chat",` +
			`"authorizer":{"principalId":"u1"},"eventType":"CONNECT","extendedRequestId":"R=",` +
			`"requestTime":"11/Nov/2024:13:45:46 +0000","messageDirection":"IN",` + tail +
			`,"isBase64Encoded":false}`,
		"MESSAGE": `{"stageVariables":{"k":"v"},"requestContext":{"routeKey":"chat",` +
			`"authorizer":{"principalId":"u1"},"messageId":"M=","eventType":"MESSAGE",` +
			`"extendedRequestId":"R=","requestTime":"11/Nov/2024:13:45:46 +0000",` +
			`"messageDirection":"IN",` + tail + `,"body":"<é>","isBase64Encoded":false}`,
		"DISCONNECT": `{"headers":{"A":"2","b":"1"},"multiValueHeaders":{"A":["2"],"b":["1"]},` +
			`"stageVariables":{"k":"v"},"requestContext":{"routeKey":"chat",` +
			`"authorizer":{"principalId":"u1"},"disconnectStatusCode":1001,` +
			`"eventType":"DISCONNECT","extendedRequestId":"R=",` +
			`"requestTime":"11/Nov/2024:13:45:46 +0000","messageDirection":"IN",` +
			`"disconnectReason":"Going away",` + tail + `,"isBase64Encoded":false}`,
	} {
		in.RequestContext = at
		in.RequestContext.EventType = kind
		got, err := MarshalEvent(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}
