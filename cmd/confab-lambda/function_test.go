package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
)

func TestNewFunction_needsAPurpose(t *testing.T) {
	_, err := newFunction(from(with(minimal, "CONFAB_TABLE", "")), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "CONFAB_TABLE") ||
		!strings.Contains(err.Error(), "CONFAB_ISSUER") {
		t.Errorf("%v, want an error that names both variables", err)
	}
}

// What is no event of the function is an error, and nothing is done. The chat decides about no
// handshake, and the authorizer, which has no table, touches no chat.
func TestInvoke_shapes(t *testing.T) {
	chat, err := newFunction(from(minimal), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	gate := authorizer(t, "https://issuer.example")
	for name, test := range map[string]struct {
		f     *function
		event string
	}{
		"no JSON":                        {chat, `hello`},
		"nothing":                        {chat, `{}`},
		"a list":                         {chat, `[]`},
		"somebody else's":                {chat, `{"Records":[{"eventSource":"aws:sqs"}]}`},
		"a handshake at the chat":        {chat, `{"type":"REQUEST","methodArn":"a","requestContext":{}}`},
		"an action at the authorizer":    {gate, `{"action":"sendmessage","message":"x","apigw_endpoint":"y"}`},
		"a message at the authorizer":    {gate, `{"requestContext":{"eventType":"MESSAGE"},"body":"{}"}`},
		"the schedule at the authorizer": {gate, `{"kind":"sweep"}`},
		"a handshake of nothing":         {gate, `{"type":"REQUEST"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if answer, err := test.f.Invoke(t.Context(), []byte(test.event)); !errors.Is(err, errShape) {
				t.Errorf("%s, %v, want %v", answer, err, errShape)
			}
		})
	}
}

// A direct invocation names the deployment's own endpoint, which is compared and never called.
func TestInvoke_direct(t *testing.T) {
	f, err := newFunction(from(minimal), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for name, event := range map[string]string{
		"no endpoint":         `{"action":"sendmessage","message":"hi"}`,
		"somebody's endpoint": `{"action":"sendmessage","message":"hi","apigw_endpoint":"https://evil.example"}`,
	} {
		answer, err := f.Invoke(t.Context(), []byte(event))
		var said struct{ StatusCode int }
		if err == nil {
			err = json.Unmarshal(answer, &said)
		}
		if err != nil || said.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s, %v, want 400", name, answer, err)
		}
	}
}

// Log lines carry the invocation's id beside that of API Gateway's event, and no key twice; the metric
// has the embedded metric format (CloudWatch User Guide).
func TestLogs(t *testing.T) {
	var out bytes.Buffer
	f, err := newFunction(from(minimal), &out)
	if err != nil {
		t.Fatal(err)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	f.logger.InfoContext(ctx, "hello", "requestId", "g-1")
	f.leftOut("chat")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var first, second map[string]any
	if len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &first) != nil ||
		json.Unmarshal([]byte(lines[1]), &second) != nil {
		t.Fatalf("want two lines of JSON: %s", &out)
	}
	if first["invocation"] != "r-1" || first["requestId"] != "g-1" {
		t.Errorf("%v, want the invocation r-1 and the request id g-1", first)
	}
	for key := range first {
		if n := strings.Count(lines[0], `"`+key+`":`); n != 1 {
			t.Errorf("%q stands %d times in %s", key, n, lines[0])
		}
	}
	directive := second["_aws"].(map[string]any)["CloudWatchMetrics"]
	want := []any{map[string]any{
		"Namespace": "Confab", "Dimensions": []any{[]any{"FunctionName"}},
		"Metrics": []any{map[string]any{"Name": "ReceiversLeftOut", "Unit": "Count"}},
	}}
	if diff := cmp.Diff(any(want), directive); diff != "" {
		t.Error(diff)
	}
	if second["ReceiversLeftOut"] != 1.0 || second["FunctionName"] != "chat" {
		t.Errorf("%v, want the metric's value and dimension", second)
	}
}
