package gateway

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"
)

// keyOf sends messages and gives the route key that each arrives with.
func keysOf(t *testing.T, expression string, routes []string, messages ...string) []string {
	t.Helper()
	h := newRecorder()
	table := map[string]Route{}
	for _, key := range routes {
		table[key] = Route{Handler: h}
	}
	r := run(t, Config{Routes: table, RouteSelection: expression})
	c := r.dial(t)
	var got []string
	for _, m := range messages {
		c.send(m)
		_, e := h.next(t)
		if e["body"] != m {
			t.Fatalf("body %q, want %q", e["body"], m)
		}
		got = append(got, contextOf(e)["routeKey"].(string))
	}
	return got
}

func TestGW34_ActionSelectsTheRoute(t *testing.T) {
	got := keysOf(t, "", []string{"x", "y", "$default"}, `{"action":"x"}`, ` { "b" : [1,{}] , "action":"y" } `,
		`{"action":"\u0078"}`, `{"a\u0063tion":"x"}`, `{"action":"y","action":"x"}`)
	if diff := cmp.Diff([]string{"x", "y", "x", "x", "x"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGW35_NestingAndConcatenation(t *testing.T) {
	got := keysOf(t, "$request.body.a.b", []string{"x", "$default"}, `{"a":{"b":"x"}}`, `{"a":"x"}`,
		`{"a":{"b":"y"},"a":{"b":"x"}}`, `{"a":{"b":"x"},"a":1}`)
	if diff := cmp.Diff([]string{"x", "$default", "x", "$default"}, got); diff != "" {
		t.Error(diff)
	}
	got = keysOf(t, "${request.body.s}/${request.body.a}", []string{"u/list", "u/", "/", "$default"},
		`{"s":"u","a":"list"}`, `{"s":"u"}`, `{}`, `{"s":"v","a":"list"}`, `[]`, `broken`)
	want := []string{"u/list", "u/", "/", "$default", "/", "$default"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = keysOf(t, "${request.body.list[1].id}", []string{"7", "[1, a]", "true", "$default"},
		`{"list":[0,{"id":7}]}`, `{"list":[0,{"id":[1,"a"]}]}`, `{"list":[0,{"id":true}]}`,
		`{"list":[{"id":7}]}`, `{"list":[0,{"id":null}]}`)
	if diff := cmp.Diff([]string{"7", "[1, a]", "true", "$default", "$default"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGW36_MissingKeyIsDefault(t *testing.T) {
	got := keysOf(t, "", []string{"x", "$default"}, `{}`, `{"act":"x"}`, `[{"action":"x"}]`, `"x"`, `7`,
		`{"action":"other"}`, `{"action":null}`, `{"body":{"action":"x"}}`)
	for _, key := range got {
		if key != "$default" {
			t.Errorf("route keys %q, want only $default", got)
		}
	}
}

func TestGW37_NotJSONIsDefault(t *testing.T) {
	got := keysOf(t, "", []string{"x", "$default"}, `text`, ``, `{"action":"x"`, `{"action":"x"} x`,
		`{"action":"x",}`, `{'action':'x'}`, "{\"action\":\"x\",\"b\":\"\x01\"}", `{"action":"x","n":01}`)
	for _, key := range got {
		if key != "$default" {
			t.Errorf("route keys %q, want only $default", got)
		}
	}
}

func TestGW38_NoRouteIsForbidden(t *testing.T) {
	h := newRecorder()
	r := run(t, Config{Routes: map[string]Route{"x": {Handler: h}}})
	c := r.dial(t)
	id := r.onlyID(t)
	form := regexp.MustCompile(`^{"message": "Forbidden", "connectionId":"` + regexp.QuoteMeta(id) +
		`", "requestId":"[A-Za-z0-9_-]{15}="}$`)
	for _, m := range []string{"text", `{"action":"y"}`, `{}`} {
		c.send(m)
		if got, _ := c.message(); !form.MatchString(got) {
			t.Errorf("frame %s does not match %s", got, form)
		}
	}
	h.none(t)
	c.send(`{"action":"x"}`)
	h.next(t)
}

func TestGW39_MatchIsExact(t *testing.T) {
	got := keysOf(t, "", []string{"send", "$default"}, `{"action":"Send"}`, `{"action":"send "}`,
		`{"Action":"send"}`, `{"action":"sen"}`, `{"action":"send"}`)
	want := []string{"$default", "$default", "$default", "$default", "send"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGW40_ConstantExpression(t *testing.T) {
	got := keysOf(t, "action", []string{"action", "x", "$default"}, `{"action":"x"}`, `text`)
	if diff := cmp.Diff([]string{"action", "action"}, got); diff != "" {
		t.Error(diff)
	}
	got = keysOf(t, `\$default`, []string{"x", "$default"}, `{"action":"x"}`)
	if diff := cmp.Diff([]string{"$default"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGW41_DollarKeysAreRefused(t *testing.T) {
	for _, key := range []string{"$send", "$", "$Connect", ""} {
		_, err := New(Config{Stages: []Stage{{Name: "prod"}}, Routes: map[string]Route{key: {Handler: newRecorder()}}})
		if err == nil {
			t.Errorf("route key %q is taken", key)
		}
	}
}

func TestGW42_MessagesCannotReachConnect(t *testing.T) {
	got := keysOf(t, "", []string{"$disconnect", "$default"}, `{"action":"$connect"}`,
		`{"action":"$disconnect"}`, `{"action":"$default"}`)
	if diff := cmp.Diff([]string{"$default", "$default", "$default"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGW43_RoutesChangeUnderOpenSockets(t *testing.T) {
	first, second := newRecorder(), newRecorder()
	r := run(t, Config{Routes: map[string]Route{"x": {Handler: first}}})
	c := r.dial(t)
	c.send(`{"action":"x"}`)
	first.next(t)
	next := Stage{Name: "prod", Variables: map[string]string{"k": "v"}, Routes: map[string]Route{
		"x": {Handler: second}, "$disconnect": {Handler: second},
	}}
	if err := r.Deploy(next); err != nil {
		t.Fatal(err)
	}
	c.send(`{"action":"x"}`)
	if _, e := second.next(t); !cmp.Equal(e["stageVariables"], any(map[string]any{"k": "v"})) {
		t.Errorf("stageVariables %v after the deployment", e["stageVariables"])
	}
	c.frame(ws.OpClose, true, nil)
	second.next(t)
	first.none(t)
}

func TestAPI_Deploy(t *testing.T) {
	shared, own := newRecorder(), newRecorder()
	r := run(t, Config{
		Stages: []Stage{{Name: "prod"}, {Name: "dev", Routes: all(own)}, {Name: "empty", Routes: map[string]Route{}}},
		Routes: all(shared),
	})
	wantHead(t, r.handshake(t, "/prod"), 101, "")
	shared.next(t)
	wantHead(t, r.handshake(t, "/dev"), 101, "")
	own.next(t)
	wantHead(t, r.handshake(t, "/empty"), 101, "")
	wantHead(t, r.handshake(t, "/later"), 403, `{"message":"Forbidden"}`)
	if err := r.Deploy(Stage{Name: "later"}); err != nil {
		t.Fatal(err)
	}
	wantHead(t, r.handshake(t, "/later"), 101, "")
	shared.next(t)
	own.none(t)
	for name, s := range map[string]Stage{
		"key":   {Name: "prod", Routes: map[string]Route{"$x": {Handler: own}}},
		"name":  {Name: "a b"},
		"ping":  {Name: "ping"},
		"sping": {Name: "sping"},
		"empty": {Name: "prod", Routes: map[string]Route{"x": {}}},
		"response of $connect": {Name: "prod", Routes: map[string]Route{
			"$connect": {Handler: own, Response: true},
		}},
	} {
		if err := r.Deploy(s); err == nil {
			t.Errorf("%s: deployed", name)
		}
	}
	wantHead(t, r.handshake(t, "/prod"), 101, "")
	shared.next(t) // what is refused changes nothing
}

func TestGW44_BodiesAreNoFrames(t *testing.T) {
	h := newRecorder()
	h.answer = func(context.Context, event) (reply, error) {
		return reply{StatusCode: 200, Body: "not to be sent"}, nil
	}
	r := run(t, Config{Routes: all(h)})
	c := r.dial(t)
	c.send("x")
	h.next(t)
	h.next(t)
	post(t, r, r.onlyID(t), "next")
	c.expect("next")
}

func TestGW47_StatusOfMessagesIsIgnored(t *testing.T) {
	done := make(chan struct{})
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			defer close(done)
			return reply{StatusCode: 500, Body: "not to be sent"}, nil
		})}}})
	c := r.dial(t)
	c.send("x")
	<-done
	c.frame(9, true, []byte("after"))
	if f, err := c.read(); err != nil || string(f.Payload) != "after" {
		t.Errorf("frame %q %v, want the pong", f.Payload, err)
	}
}

func TestGW48_FailuresAreFrames(t *testing.T) {
	for name, h := range map[string]HandlerFunc{
		"error": func(context.Context, event) (reply, error) { return reply{}, errors.New("broken") },
		"panic": func(context.Context, event) (reply, error) { panic("crash") },
		// GW-49
		"no status": func(context.Context, event) (reply, error) { return reply{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			request := make(chan string, 2)
			r := run(t, Config{Routes: map[string]Route{"$default": {Handler: HandlerFunc(
				func(ctx context.Context, e event) (reply, error) {
					request <- e.RequestContext.RequestID
					return h(ctx, e)
				})}}})
			c := r.dial(t)
			id := r.onlyID(t)
			c.send("x")
			got, _ := c.message()
			want := `{"message": "Internal server error", "connectionId":"` + id +
				`", "requestId":"` + <-request + `"}`
			if got != want {
				t.Errorf("frame %s, want %s", got, want)
			}
			c.send("y") // the socket stays open
			c.message()
		})
	}
}

// answersOnce sends one message to a route with a route response, then posts, and gives the frames
// up to the post.
func answersOnce(t *testing.T, cfg Config, response bool, h Handler) []string {
	t.Helper()
	done := make(chan struct{}, 1)
	cfg.Serial = true
	cfg.Routes = map[string]Route{"x": {Response: response, Handler: h}, "$default": {
		Handler: HandlerFunc(func(context.Context, event) (reply, error) {
			done <- struct{}{}
			return reply{StatusCode: 200}, nil
		}),
	}}
	r := run(t, cfg)
	c := r.dial(t)
	id := r.onlyID(t)
	c.send(`{"action":"x"}`)
	c.send("until here")
	<-done
	post(t, r, id, "until here")
	var frames []string
	for {
		text, _ := c.message()
		if text == "until here" {
			return frames
		}
		frames = append(frames, text)
	}
}

func TestGW45_BodyIsTheRouteResponse(t *testing.T) {
	for name, test := range map[string]struct {
		reply reply
		want  []string
	}{
		"text":   {reply{StatusCode: 200, Body: `{"you":"said x"}`}, []string{`{"you":"said x"}`}},
		"base64": {reply{StatusCode: 200, Body: "aGVsbG8=", IsBase64Encoded: true}, []string{"hello"}},
		"empty":  {reply{StatusCode: 200}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := answersOnce(t, Config{}, true, answering(test.reply, nil))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("no base64", func(t *testing.T) {
		bad := reply{StatusCode: 200, Body: "!", IsBase64Encoded: true}
		got := answersOnce(t, Config{}, true, answering(bad, nil))
		if len(got) != 1 || !strings.HasPrefix(got[0], `{"message": "Internal server error", `) {
			t.Errorf("frames %q", got)
		}
	})
	t.Run("128 KB", func(t *testing.T) {
		got := answersOnce(t, Config{}, true,
			answering(reply{StatusCode: 200, Body: strings.Repeat("x", 131072)}, nil))
		if len(got) != 1 || len(got[0]) != 131072 {
			t.Errorf("%d frames", len(got))
		}
	})
	t.Run("over 128 KB", func(t *testing.T) {
		big := answering(reply{StatusCode: 200, Body: strings.Repeat("x", 131073)}, nil)
		r := run(t, Config{Routes: map[string]Route{"$default": {Handler: big, Response: true}}})
		c := r.dial(t)
		c.send("x")
		c.closed(1009, "Message too big")
	})
}

func TestGW46_BodyIsSentWithStatus500(t *testing.T) {
	got := answersOnce(t, Config{}, true, answering(reply{StatusCode: 500, Body: "sorry"}, nil))
	if diff := cmp.Diff([]string{"sorry"}, got); diff != "" {
		t.Error(diff)
	}
}

// slow is a Handler that answers a message "slow" when it is released.
func slow(release <-chan struct{}, body string) Handler {
	return HandlerFunc(func(_ context.Context, e event) (reply, error) {
		if e.Body == "slow" || e.RequestContext.EventType == "CONNECT" {
			<-release
		}
		return reply{StatusCode: 200, Body: body}, nil
	})
}

func TestGW50_TimeoutIsAFrame(t *testing.T) {
	for name, limit := range map[string]struct{ timeout, after time.Duration }{
		"default": {0, 29 * time.Second}, // Developer Guide, "Amazon API Gateway quotas"
		"set":     {50 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			clock, release := newClock(time.Unix(1790000000, 0)), make(chan struct{})
			h := newRecorder()
			h.answer = slow(release, "late").Handle
			r := run(t, Config{Now: clock.now, Routes: map[string]Route{
				"$default": {Handler: h, Timeout: limit.timeout, Response: true},
			}})
			c := r.dial(t)
			id := r.onlyID(t)
			c.send("slow")
			_, e := h.next(t)
			clock.add(limit.after - 1)
			post(t, r, id, "not yet")
			c.expect("not yet")
			clock.add(1)
			c.expect(`{"message": "Endpoint request timed out", "connectionId":"` + id +
				`", "requestId":"` + contextOf(e)["requestId"].(string) + `"}`)
			close(release)
			c.send("quick") // the socket is open, and the late result never comes
			c.expect("late")
			post(t, r, id, "last")
			c.expect("last")
		})
	}
}

func TestGW52_DisconnectErrorsAreOnlyLogged(t *testing.T) {
	r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) { panic("crash") })}}})
	c := r.dial(t)
	c.frame(8, true, []byte("\x03\xe8"))
	c.closed(1000, "")
	eventually(t, "the error is counted", func() bool { return r.Stats().HandlerErrors == 1 })
}

func TestGW53_MessagesRunAtOnce(t *testing.T) {
	inside := make(chan struct{}, 2)
	release := make(chan struct{})
	r := run(t, Config{Routes: map[string]Route{"$default": {Handler: HandlerFunc(
		func(context.Context, event) (reply, error) {
			inside <- struct{}{}
			<-release
			return reply{StatusCode: 200}, nil
		})}}})
	c := r.dial(t)
	c.send("a")
	c.send("b")
	<-inside
	<-inside
	close(release)
}

// With Serial messages keep their order, pings are answered meanwhile, and $disconnect is last.
func TestConfig_Serial(t *testing.T) {
	release := make(chan struct{})
	h := newRecorder()
	h.answer = func(_ context.Context, e event) (reply, error) {
		if e.Body == "0" {
			<-release
		}
		return reply{StatusCode: 200}, nil
	}
	r := run(t, Config{Serial: true, Routes: map[string]Route{"$default": {Handler: h}, "$disconnect": {Handler: h}}})
	c := r.dial(t)
	for i := range 10 {
		c.send(string(rune('0' + i)))
	}
	c.frame(9, true, []byte("alive"))
	if f, err := c.read(); err != nil || string(f.Payload) != "alive" {
		t.Fatalf("pong: %q %v", f.Payload, err)
	}
	c.frame(8, true, []byte("\x03\xe8"))
	c.closed(1000, "")
	h.next(t)
	h.none(t) // nothing overtakes the first
	close(release)
	for i := 1; i < 10; i++ {
		if _, e := h.next(t); e["body"] != string(rune('0'+i)) {
			t.Errorf("message %v at place %d", e["body"], i)
		}
	}
	if _, e := h.next(t); contextOf(e)["eventType"] != "DISCONNECT" {
		t.Errorf("%v after the messages", contextOf(e)["eventType"])
	}
}

func TestParseSelection_refuses(t *testing.T) {
	for _, expression := range []string{
		"$context.routeKey", "${request.body.a", "$request.body",
		"$request.body.", "$request.body.a[", "$request.body.a[x]", "$request.body..a",
		"$request.header.x", "${integration.response.statuscode}", "$", "$request.body.a[0]b",
	} {
		if _, err := parseSelection(expression); err == nil {
			t.Errorf("%q is taken", expression)
		}
	}
}

func TestNew_refuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no stage":    {},
		"bad stage":   {Stages: []Stage{{Name: "a/b"}}},
		"nil handler": {Stages: []Stage{{Name: "a"}}, Routes: map[string]Route{"x": {Handler: nil}}},
		"selection":   {Stages: []Stage{{Name: "a"}}, RouteSelection: "$x"},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
