package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// newHost gives a host of functions with what Lambda's runtimes have: the AWS SDK.
func newHost(tb testing.TB) (*lambdahost.Host, lambdahost.Config) {
	tb.Helper()
	config := lambdahost.Config{
		Region: region, Account: accountID, Node: tools.Program(tb, "node"),
		Python:   tools.Path(tb, "python/bin/python3"),
		NodePath: []string{tools.Path(tb, "node/node_modules")},
		Log: func(r lambdahost.Record) {
			if r.Kind == lambdahost.KindOutput || r.Kind == lambdahost.KindFault {
				tb.Logf("%s: %s", r.Function, r.Text)
			}
		},
	}
	host, err := lambdahost.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := host.Close(); err != nil {
			tb.Errorf("close the host: %v", err)
		}
	})
	return host, config
}

// prepare gives a function what stands for its account: credentials that name it, and the variables
// by which every SDK finds DynamoDB and the API here instead of at AWS, after it has checked that the
// template names the API's own address. Processes have time, for the machine may be busy.
func (a *app) prepare(dynamoDB string) func(*stack.Function, *lambdahost.Function) {
	const variable = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
	api := a.stack.APIs[0]
	want := fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com/%s", api.ID, region, api.Stages[0].Name)
	return func(f *stack.Function, deployed *lambdahost.Function) {
		if got, ok := deployed.Env[variable]; ok {
			if got != want {
				a.tb.Errorf("%s posts to %s, want %s", f.LogicalID, got, want)
			}
			deployed.Env[variable] = a.url
		}
		deployed.Env["AWS_ENDPOINT_URL_DYNAMODB"] = dynamoDB
		deployed.Credentials = lambdahost.Credentials{AccessKeyID: f.LogicalID, SecretAccessKey: secret}
		deployed.Timeout = patience
	}
}

// invoke hands an event to a function, and counts it while it is under way.
func (a *app) invoke(ctx context.Context, _ stack.Call, in lambdahost.Input) (lambdahost.Output, error) {
	a.busy.Add(1)
	defer a.busy.Add(-1)
	return a.host.Invoke(ctx, in)
}

// call invokes a function directly, as `aws lambda invoke` does, and gives the members of its answer.
func (a *app) call(function, payload string) (status int, body string) {
	a.tb.Helper()
	out, err := a.host.Invoke(a.tb.Context(), lambdahost.Input{Function: function, Payload: []byte(payload)})
	var result struct {
		StatusCode int
		Body       string
	}
	if err != nil || out.Err() != nil || json.Unmarshal(out.Payload, &result) != nil {
		a.tb.Fatalf("%s is answered %s, %v", payload, out.Payload, err)
	}
	return result.StatusCode, result.Body
}

// settle waits until no function has anything to do.
func (a *app) settle() {
	a.tb.Helper()
	eventually(a.tb, "all functions are idle", func() bool { return a.busy.Load() == 0 })
}

// coldStart ends all processes of all functions.
func (a *app) coldStart() {
	a.tb.Helper()
	for _, f := range a.host.Functions() {
		if err := a.host.Deploy(f); err != nil {
			a.tb.Fatal(err)
		}
	}
}

// route gives the name of the function behind a route key.
func (a *app) route(key string) string {
	a.tb.Helper()
	for _, r := range a.stack.APIs[0].Stages[0].Routes {
		if r.Key == key {
			return r.Function.Name
		}
	}
	a.tb.Fatalf("there is no route %s", key)
	return ""
}

// stackName is a name that no other test's stack has: tables are named by it.
func stackName(tb testing.TB) string {
	return fmt.Sprintf("%s-%d", strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(tb.Name())), stacks.Add(1))
}

var stacks atomic.Int64
