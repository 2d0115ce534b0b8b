package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/gateway"
)

type (
	event    = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// stack is what template.yaml deploys, on package gateway.
type stack struct {
	api      *gateway.API
	function gateway.Handler
	judge    func(context.Context, gateway.AuthorizerEvent) (any, error)
	stop     chan struct{} // ends functions that are too slow
}

// inGo is the stack with the template's function in Go.
func inGo() *stack {
	s := &stack{judge: authorize, stop: make(chan struct{})}
	s.function = gateway.HandlerFunc(s.handle)
	return s
}

// serve runs the stack and gives a prober for it, with limits of seconds.
func (s *stack) serve(t *testing.T, cfg gateway.Config) *prober {
	t.Helper()
	t.Parallel() // the checks wait more than they do
	f, soon := s.function, time.Second
	cfg.Stages = []gateway.Stage{{Name: "probe"}}
	cfg.Routes = map[string]gateway.Route{
		"$connect": {
			Handler: f, Timeout: soon, Authorizer: &gateway.Authorizer{
				Authorize: s.judge, IdentitySources: []string{"route.request.querystring.observer"},
			},
		},
		"$disconnect": {Handler: f},
		"$default":    {Handler: f, Response: true},
		"echo":        {Handler: f, Response: true},
		"slow":        {Handler: f, Response: true, Timeout: soon},
		"limited":     {Handler: f, Response: true, Throttle: gateway.Throttle{Rate: 1, Burst: 1}},
		"capped": {Handler: gateway.HandlerFunc(func(context.Context, event) (response, error) {
			return response{}, errors.New("TooManyRequestsException")
		})},
	}
	cfg.ServeConnections = true
	cfg.Credentials = map[string]string{"AKIDEXAMPLE": "secret"}
	cfg.IdleTimeout, cfg.MaxDuration = 3*time.Second, 6*time.Second
	var err error
	if s.api, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.api)
	t.Cleanup(func() {
		close(s.stop)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.api.Shutdown(ctx, 1001, ""); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	environment := map[string]string{
		"PROBE_URL":  strings.Replace(server.URL, "http", "ws", 1) + "/probe",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	p, err := configure(func(name string) string { return environment[name] })
	if err != nil {
		t.Fatal(err)
	}
	p.idle, p.duration, p.patience = cfg.IdleTimeout, cfg.MaxDuration, 3*time.Second
	return p
}

func authorize(_ context.Context, e gateway.AuthorizerEvent) (any, error) {
	return map[string]any{
		"principalId": "probe",
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]string{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": e.MethodARN},
		}},
		"context": map[string]string{"observer": e.QueryStringParameters["observer"]},
	}, nil
}

// handle is the template's function.
func (s *stack) handle(ctx context.Context, e event) (response, error) {
	c := e.RequestContext
	query := e.QueryStringParameters
	switch {
	case c.RouteKey == "slow", query["slow"] != "":
		<-s.stop
	case query["give"] != "":
		return response{StatusCode: 204}, nil
	case c.RouteKey == "$disconnect":
		observer, _ := c.Authorizer.(map[string]any)["observer"].(string)
		if observer == "none" {
			break
		}
		text, err := json.Marshal(reply{Closed: c.ConnectionID, Code: int(c.DisconnectStatusCode), Reason: *c.DisconnectReason})
		if err != nil {
			return response{}, err
		}
		_, _, err = s.api.Post(ctx, []connections.Target{{ID: observer}}, [][]byte{text})
		return response{StatusCode: 200}, err
	}
	var asked struct{ Empty bool }
	if json.Unmarshal([]byte(e.Body), &asked) == nil && asked.Empty {
		return response{StatusCode: 200}, nil
	}
	text, err := json.Marshal(reply{Route: c.RouteKey, ID: c.ConnectionID})
	return response{StatusCode: 200, Body: string(text)}, err
}

// tries is how often all checks may be run: some are about times of a few seconds here, and for so long
// a busy machine may hold a program up.
const tries = 3

// find runs all checks, and wants that code and these texts in what is printed.
func (p *prober) find(t *testing.T, code int, want ...string) {
	t.Helper()
	for try := 1; ; try++ {
		var out strings.Builder
		got := p.run(context.Background(), &out)
		missing := slices.DeleteFunc(slices.Clone(want), func(text string) bool {
			return strings.Contains(out.String(), text)
		})
		switch {
		case got == code && len(missing) == 0:
			return
		case try == tries:
			t.Fatalf("code %d, want %d; want %q\n%s", got, code, missing, out.String())
		}
	}
}

// allSame runs all checks and wants every answer as expected.
func (p *prober) allSame(t *testing.T) {
	t.Helper()
	p.find(t, 0, "\n21 same, 0 different, 0 not run\n")
}

func TestProber_run(t *testing.T) { inGo().serve(t, gateway.Config{}).allSame(t) }

// A gateway that behaves otherwise is found out.
func TestProber_run_differs(t *testing.T) {
	p := inGo().serve(t, gateway.Config{
		Requests: gateway.Throttle{Rate: -1}, Knobs: gateway.Knobs{
			FirstKeyWins: true, EmptyResponses: true, IdleCountsControlFrames: true,
		},
	})
	p.wait = p.idle
	p.find(t, 1,
		"DIFFERS  GW-61", "DIFFERS  twice: the route of {\"action\":\"capped\",\"action\":\"echo\"}\n"+
			"         expected echo\n         observed Internal server error\n",
		"DIFFERS  empty", "not run  GW-62: end of a busy connection (takes 6s)\n",
		"17 same, 3 different, 1 not run\n")
}

func TestConfigure_refuses(t *testing.T) {
	good := map[string]string{
		"PROBE_URL": "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/probe", "PROBE_WAIT": "3h",
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	if _, err := configure(func(name string) string { return good[name] }); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PROBE_URL": "https://example.com/probe", "PROBE_WAIT": "long", "AWS_ACCESS_KEY_ID": "",
	} {
		_, err := configure(func(asked string) string {
			if asked == name {
				return value
			}
			return good[asked]
		})
		if err == nil {
			t.Errorf("%s %q: accepted", name, value)
		}
	}
}
