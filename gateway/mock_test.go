package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mock(t *testing.T, request, response string) Handler {
	t.Helper()
	h, err := Mock(request, response)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestGW51_MockAnswersWithoutLambda(t *testing.T) {
	const static = `{"action":"pong","price":"$5 #1"}`
	for _, request := range []string{"", `{"statusCode":200}`, ` { "statusCode" : 200 } `} {
		got := answersOnce(t, Config{}, true, mock(t, request, static))
		if diff := cmp.Diff([]string{static}, got); diff != "" {
			t.Error(diff)
		}
	}
	if got := answersOnce(t, Config{}, false, mock(t, "", static)); len(got) > 0 {
		t.Errorf("frames %q without a route response", got)
	}
}

func TestGW51_MockKnowsTheContext(t *testing.T) {
	h := mock(t, `{"statusCode":$stageVariables.code}`, `$context.connectionId ${context.routeKey}! `+
		`$context.identity.userAgent. $context.none[$stageVariables.none] $!{stageVariables.k}`)
	r := run(t, Config{
		Stages: []Stage{{Name: "prod", Variables: map[string]string{"k": "v", "code": "200"}}},
		Routes: map[string]Route{"x": {Handler: h, Response: true}},
	})
	c := r.dial(t, "User-Agent: me")
	c.send(`{"action":"x"}`)
	c.expect(r.onlyID(t) + ` x! me. [] v`)
	if err := r.Deploy(Stage{Name: "prod", Variables: map[string]string{"code": "many"}}); err != nil {
		t.Fatal(err)
	}
	c.send(`{"action":"x"}`)
	if got, _ := c.message(); !strings.HasPrefix(got, `{"message": "Internal server error", `) {
		t.Errorf("frame %s for a request template that gives no status", got)
	}
}

func TestGW51_MockAdmits(t *testing.T) {
	for request, status := range map[string]int{`{"statusCode":200}`: 101, `{"statusCode":403}`: 403} {
		r := run(t, Config{Routes: map[string]Route{"$connect": {Handler: mock(t, request, "")}}})
		wantHead(t, r.handshake(t, "/prod"), status, "")
	}
}

func TestMock_refuses(t *testing.T) {
	for _, test := range [][2]string{
		{`{}`, ""},
		{`hello`, ""},
		{"", `$input.body`},
		{"", `$input.json('$.x')`},
		{"", `$util.escapeJavaScript($context.stage)`},
		{"", `#set($a = 1)`},
		{"", `#if(true)a#end`},
		{"", `#{if}(true)a#{end}`},
		{"", `## a comment`},
		{"", `\$context.stage`},
		{"", `${context}`},
		{"", `$context.stage.toUpperCase()`},
		{`#foreach($i in $x)`, ""},
	} {
		if _, err := Mock(test[0], test[1]); err == nil {
			t.Errorf("request %q, response %q: taken", test[0], test[1])
		}
	}
}
