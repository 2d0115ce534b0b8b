package gateway

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/connections"
)

// The knobs of Config, each in both positions. What the default does in detail is tested elsewhere.

func TestGW23_KnobClassicIDs(t *testing.T) {
	for classic, form := range map[bool]string{
		false: `^[A-Za-z0-9_-]{18}==$`, true: `^[A-Za-z0-9_-]{15}=$`,
	} {
		h := newRecorder()
		r := managed(t, Config{Knobs: Knobs{ClassicIDs: classic}, Routes: all(h)})
		c := r.dial(t)
		c.send("x")
		h.next(t)
		_, e := h.next(t)
		for _, key := range []string{"connectionId", "messageId"} {
			if id := contextOf(e)[key].(string); !regexp.MustCompile(form).MatchString(id) {
				t.Errorf("classic %v: %s %q", classic, key, id)
			}
		}
		id := r.onlyID(t)
		want(t, r.call(t, "POST", at(id), []byte("mine"), nil), 200, "", "")
		c.expect("mine")
		flipped := []byte(id)
		flipped[0] ^= 1
		want(t, r.call(t, "POST", at(string(flipped)), nil, nil), 400, "BadRequestException",
			`{"message":"Invalid connectionId: `+string(flipped)+`"}`)
	}
}

func TestGW79_KnobUnknownIDGone(t *testing.T) {
	r := managed(t, Config{})
	want(t, r.call(t, "POST", at("never=="), nil, nil), 400, "BadRequestException",
		`{"message":"Invalid connectionId: never=="}`)
	r = managed(t, Config{Knobs: Knobs{UnknownIDGone: true}})
	want(t, r.call(t, "POST", at("never=="), nil, unsigned), 410, "GoneException", "")
}

func TestGW83_KnobTyped413(t *testing.T) {
	for typed, kind := range map[bool]string{false: "", true: "PayloadTooLargeException"} {
		r := managed(t, Config{Knobs: Knobs{Typed413: typed}})
		r.dial(t)
		id := r.onlyID(t)
		want(t, r.call(t, "POST", at(id), make([]byte, 131073), nil), 413, kind, "")
		want(t, r.call(t, "POST", at(id), make([]byte, 11<<20), nil), 413, kind, "")
		_, err := r.sdk().PostToConnection(context.Background(),
			&apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: aws.String(id), Data: make([]byte, 131073),
			})
		var large *types.PayloadTooLargeException
		if errors.As(err, &large) != typed {
			t.Errorf("typed %v: the SDK says %v", typed, err)
		}
	}
}

func TestGW61_KnobIdleCountsControlFrames(t *testing.T) {
	for _, counts := range []bool{false, true} {
		clock := newClock(time.UnixMilli(1790299458000))
		r := run(t, Config{
			StallTimeout: soon, Now: clock.now, Knobs: Knobs{IdleCountsControlFrames: counts},
		})
		c := r.dial(t)
		target := connections.Target{ID: r.onlyID(t)}
		clock.add(9 * time.Minute)
		c.frame(ws.OpPing, true, []byte("p"))
		if f, err := c.read(); err != nil || string(f.Payload) != "p" {
			t.Fatalf("pong %q %v", f.Payload, err)
		}
		clock.add(time.Minute)
		if !counts {
			c.closedWhile(clock, 1001, "Going away")
			continue
		}
		r.settle()
		if _, err := r.Describe(context.Background(), target); err != nil {
			t.Errorf("a minute after the ping: %v", err)
		}
		clock.add(9 * time.Minute)
		c.closedWhile(clock, 1001, "Going away")
	}
}

func TestGW45_KnobEmptyResponses(t *testing.T) {
	empty := answering(reply{StatusCode: 200}, nil)
	if got := answersOnce(t, Config{}, true, empty); len(got) != 0 {
		t.Errorf("frames %q by default", got)
	}
	got := answersOnce(t, Config{Knobs: Knobs{EmptyResponses: true}}, true, empty)
	if diff := cmp.Diff([]string{""}, got); diff != "" {
		t.Error(diff)
	}
	if got := answersOnce(t, Config{Knobs: Knobs{EmptyResponses: true}}, false, empty); len(got) != 0 {
		t.Errorf("frames %q without a route response", got)
	}
}

func TestGW47_KnobStatusErrors(t *testing.T) {
	const form = `^{"message": "Internal server error", "connectionId":"[^"]+", "requestId":"[^"]+"}$`
	knobs := Config{Knobs: Knobs{StatusErrors: true}}
	for status, frames := range map[int]int{200: 0, 301: 0, 400: 1, 500: 1} {
		h := answering(reply{StatusCode: status, Body: "b"}, nil)
		if got := answersOnce(t, Config{}, false, h); len(got) != 0 {
			t.Errorf("%d: frames %q by default", status, got)
		}
		got := answersOnce(t, knobs, false, h)
		if len(got) != frames || frames == 1 && !regexp.MustCompile(form).MatchString(got[0]) {
			t.Errorf("%d: frames %q", status, got)
		}
		if got := answersOnce(t, knobs, true, h); len(got) != 1 || got[0] != "b" {
			t.Errorf("%d: frames %q with a route response", status, got)
		}
	}
}

func TestGW08_KnobMalformedConnectIs500(t *testing.T) {
	for knob, status := range map[bool]int{false: 502, true: 500} {
		cfg := Config{Knobs: Knobs{MalformedConnectIs500: knob}}
		cfg.Routes = all(answering(reply{}, nil))
		if c := run(t, cfg).handshake(t, "/prod"); c.head.StatusCode != status {
			t.Errorf("malformed: %s, want %d", c.head.Status, status)
		}
		cfg.Routes = all(answering(reply{}, errors.New("broken")))
		if c := run(t, cfg).handshake(t, "/prod"); c.head.StatusCode != http.StatusBadGateway {
			t.Errorf("failed: %s, want 502", c.head.Status)
		}
	}
}

func TestGW82_KnobNoDisconnectAfterDelete(t *testing.T) {
	h := newRecorder()
	r := managed(t, Config{
		Knobs:  Knobs{NoDisconnectAfterDelete: true},
		Routes: map[string]Route{"$disconnect": {Handler: h}},
	})
	c := r.dial(t)
	want(t, r.call(t, "DELETE", at(r.onlyID(t)), nil, nil), 204, "", "")
	c.closed(1000, "Connection Closed Normally")
	eventually(t, "it is gone", func() bool { return r.Stats().Open == 0 })
	c = r.dial(t)
	c.frame(ws.OpClose, true, ws.NewCloseFrameBody(1000, "bye"))
	if _, e := h.next(t); contextOf(e)["disconnectReason"] != "bye" {
		t.Errorf("%v", contextOf(e))
	}
	h.none(t)
}

func TestGW18_KnobHideExtensions(t *testing.T) {
	const line = "Sec-WebSocket-Extensions: permessage-deflate"
	for hidden, value := range map[bool]any{false: "permessage-deflate", true: nil} {
		connect, _, _ := life(t, Config{Knobs: Knobs{HideExtensions: hidden}}, "/prod", line)
		if got := connect["headers"].(map[string]any)["Sec-WebSocket-Extensions"]; got != value {
			t.Errorf("hidden %v: %v", hidden, got)
		}
	}
}

func TestGW34_KnobFirstKeyWins(t *testing.T) {
	const message = `{"action":"x","a":{"b":1},"a":{"b":2},"action":"y"}`
	for first, key := range map[bool]string{false: "y2", true: "x1"} {
		h := newRecorder()
		r := run(t, Config{
			Knobs: Knobs{FirstKeyWins: first}, Routes: map[string]Route{"x1": {Handler: h}, "y2": {Handler: h}},
			RouteSelection: "${request.body.action}${request.body.a.b}",
		})
		r.dial(t).send(message)
		if _, e := h.next(t); contextOf(e)["routeKey"] != key {
			t.Errorf("first %v: route %v", first, contextOf(e)["routeKey"])
		}
	}
}
