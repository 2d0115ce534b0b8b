package gateway

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keyOf sends messages and gives the route key that each arrives with.
func keysOf(t *testing.T, expression string, routes []string, messages ...string) []string {
	t.Helper()
	h := newRecorder()
	table := map[string]Handler{}
	for _, key := range routes {
		table[key] = h
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
	r := run(t, Config{Routes: map[string]Handler{"x": h}})
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
		_, err := New(Config{Stages: []Stage{{Name: "prod"}}, Routes: map[string]Handler{key: newRecorder()}})
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
	r := run(t, Config{Routes: map[string]Handler{"x": first}})
	c := r.dial(t)
	c.send(`{"action":"x"}`)
	first.next(t)
	if err := r.SetRoutes(map[string]Handler{"x": second}); err != nil {
		t.Fatal(err)
	}
	c.send(`{"action":"x"}`)
	second.next(t)
	if err := r.SetRoutes(map[string]Handler{"$x": second}); err == nil {
		t.Error("SetRoutes takes $x")
	}
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
	r := run(t, Config{Routes: map[string]Handler{"$default": HandlerFunc(
		func(context.Context, event) (reply, error) {
			defer close(done)
			return reply{StatusCode: 500, Body: "not to be sent"}, nil
		})}})
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
			r := run(t, Config{Routes: map[string]Handler{"$default": HandlerFunc(
				func(ctx context.Context, e event) (reply, error) {
					request <- e.RequestContext.RequestID
					return h(ctx, e)
				})}})
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

func TestGW50_TimeoutIsAFrame(t *testing.T) {
	r := run(t, Config{Routes: map[string]Handler{"$default": answering(reply{}, context.DeadlineExceeded)}})
	c := r.dial(t)
	c.send("x")
	got, _ := c.message()
	if !regexp.MustCompile(`^{"message": "Endpoint request timed out", `).MatchString(got) {
		t.Errorf("frame %s", got)
	}
}

func TestGW52_DisconnectErrorsAreOnlyLogged(t *testing.T) {
	r := run(t, Config{Routes: map[string]Handler{"$disconnect": HandlerFunc(
		func(context.Context, event) (reply, error) { panic("crash") })}})
	c := r.dial(t)
	c.frame(8, true, []byte("\x03\xe8"))
	c.closed(1000, "")
	eventually(t, "the error is counted", func() bool { return r.Stats().HandlerErrors == 1 })
}

func TestGW53_MessagesRunAtOnce(t *testing.T) {
	inside := make(chan struct{}, 2)
	release := make(chan struct{})
	r := run(t, Config{Routes: map[string]Handler{"$default": HandlerFunc(
		func(context.Context, event) (reply, error) {
			inside <- struct{}{}
			<-release
			return reply{StatusCode: 200}, nil
		})}})
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
	r := run(t, Config{Serial: true, Routes: map[string]Handler{"$default": h, "$disconnect": h}})
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
		"nil handler": {Stages: []Stage{{Name: "a"}}, Routes: map[string]Handler{"x": nil}},
		"selection":   {Stages: []Stage{{Name: "a"}}, RouteSelection: "$x"},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
