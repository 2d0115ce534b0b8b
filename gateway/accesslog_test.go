package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"
)

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// wait waits for n lines and gives them all.
func (l *lines) wait(t *testing.T, n int) (all []string) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " lines"), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		text := l.text.String()
		all = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		return strings.Count(text, "\n") >= n
	})
	if len(all) != n {
		t.Fatalf("%d lines, want %d:\n%s", len(all), n, strings.Join(all, "\n"))
	}
	return all
}

// logged gives a stage with an access log.
func logged(l *lines, format string, routes map[string]Route) []Stage {
	return []Stage{{Name: "prod", Routes: routes, AccessLog: AccessLog{Format: format, Writer: l}}}
}

// outcomes is a format with all that tells one line from another.
const outcomes = `$context.eventType $context.routeKey $context.status $context.error.messageString ` +
	`$context.error.responseType $context.integrationErrorMessage $context.integrationLatency ` +
	`$context.requestId`

// outcome waits for the n-th line and compares it, but for the request id at its end.
func (l *lines) outcome(t *testing.T, n int, want, idForm string) (requestID string) {
	t.Helper()
	line := l.wait(t, n)[n-1]
	_, requestID, _ = cutLast(line, " ")
	if got := strings.TrimSuffix(line, " "+requestID); got != want || !regexp.MustCompile(idForm).MatchString(requestID) {
		t.Errorf("line %d: %s, want %s", n, line, want)
	}
	return requestID
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	return s[:max(i, 0)], s[i+len(separator):], i >= 0
}

const (
	shortForm = `^[A-Za-z0-9_-]{15}=$`
	uuidForm  = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
)

func TestGW100_OneLineForEachEvent(t *testing.T) {
	clock := newClock(time.Now())
	l := &lines{}
	h := newRecorder()
	slow := HandlerFunc(func(context.Context, event) (reply, error) {
		clock.add(40 * time.Millisecond)
		return reply{StatusCode: 201}, nil
	})
	r := managed(t, Config{Now: clock.now, Stages: logged(l, outcomes, map[string]Route{
		"$connect": {Handler: h}, "slow": {Handler: slow, Timeout: -1},
		"fails": {Handler: HandlerFunc(broken)}, "once": {Handler: h, Throttle: Throttle{Rate: 0.001}},
	})})
	c := r.dial(t)
	id := r.onlyID(t)
	_, e := h.next(t)
	if got := l.outcome(t, 1, `CONNECT $connect 200 "-" - - 0`, shortForm); got != contextOf(e)["requestId"] {
		t.Errorf("request id %s, but the event has %v", got, contextOf(e)["requestId"])
	}
	for i, m := range []struct{ action, line string }{
		{"slow", `MESSAGE slow 201 "-" - - 40`},
		{"fails", `MESSAGE fails 500 "Internal server error" INTEGRATION_FAILURE broken 0`},
		{"nowhere", `MESSAGE $default 403 "Forbidden" - - -`},
		{"once", `MESSAGE once 200 "-" - - 0`},
		{"once", `MESSAGE once 429 "Too Many Requests" THROTTLED - -`},
	} {
		c.send(`{"action":"` + m.action + `"}`)
		request := l.outcome(t, 2+i, m.line, shortForm)
		if strings.Contains(m.line, `"-"`) {
			continue
		}
		if frame, _ := c.message(); !strings.Contains(frame, `"requestId":"`+request+`"`) {
			t.Errorf("%s: frame %s, line %s", m.action, frame, request)
		}
	}
	big := make([]byte, 131073)
	for i, call := range []struct {
		method, id string
		body       []byte
		line       string
	}{
		{"POST", id, []byte("x"), `CONNECTION_API POST /@connections/{connectionId} 200 "-" - - -`},
		{"GET", id, nil, `CONNECTION_API GET /@connections/{connectionId} 200 "-" - - -`},
		{"GET", "abc", nil, `CONNECTION_API GET /@connections/{connectionId} 400 "Invalid connectionId: abc" - - -`},
	} {
		got := r.call(t, call.method, at(call.id), call.body, nil)
		if request := l.outcome(t, 7+i, call.line, uuidForm); request != got.header.Get("x-amzn-RequestId") {
			t.Errorf("request id %s, answered %s", request, got.header.Get("x-amzn-RequestId"))
		}
	}
	r.call(t, "POST", at(id), big, nil) // 413: no line
	c.frame(ws.OpClose, true, nil)
	l.outcome(t, 10, `DISCONNECT $disconnect 200 "-" - - -`, shortForm)
	r.call(t, "POST", at(id), nil, nil)
	l.outcome(t, 11, `CONNECTION_API POST /@connections/{connectionId} 410 "-" - - -`, uuidForm)
}

func TestGW100_RefusedHandshakesHaveALine(t *testing.T) {
	l := &lines{}
	h := newRecorder()
	for n, c := range []struct {
		answer func(context.Context, event) (reply, error)
		line   string
	}{
		{answering(reply{StatusCode: 401, Body: "no"}, nil).Handle, `CONNECT $connect 401 "-" - - 0`},
		{broken, `CONNECT $connect 502 "Internal server error" INTEGRATION_FAILURE broken 0`},
	} {
		h.answer = c.answer
		clock := newClock(time.Now())
		r := run(t, Config{Now: clock.now, Stages: logged(l, outcomes, all(h))})
		r.handshake(t, "/prod")
		l.outcome(t, n+1, c.line, shortForm)
	}
}

// every are the variables of the page that an event without an authorizer sets, then some that none
// sets, and the end of a sentence.
const every = `{"apiId":"$context.apiId","stage":"$context.stage","domain":"$context.domainName",` +
	`"route":"$context.routeKey","type":"$context.eventType","id":"$context.requestId",` +
	`"extended":"$context.extendedRequestId","time":"$context.requestTime",` +
	`"epoch":$context.requestTimeEpoch,"connection":"$context.connectionId",` +
	`"connected":$context.connectedAt,"ip":"$context.identity.sourceIp",` +
	`"agent":"$context.identity.userAgent","message":"$context.messageId",` +
	`"error":$context.error.messageString,"user":"$context.identity.user",` +
	`"waf":"$context.waf.status","status":"$context.integration.status",` +
	`"latency":"$context.authorizer.latency","none":"$context.nothing.","cost":"$5"}`

func TestGW100_VariablesPrintValuesOrADash(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	l := &lines{}
	h := newRecorder()
	r := run(t, Config{
		APIID: "a1b2c3d4e5", Now: clock.now,
		Stages: logged(l, every, map[string]Route{"$default": {Handler: h}}),
	})
	c := r.dial(t, `User-Agent: "quoted" \ and`+"\ttabbed")
	c.send("x")
	_, e := h.next(t)
	context := contextOf(e)
	got := l.wait(t, 2)[1]
	want := `{"apiId":"a1b2c3d4e5","stage":"prod","domain":"` + r.addr + `","route":"$default",` +
		`"type":"MESSAGE","id":"` + context["requestId"].(string) + `","extended":"` +
		context["requestId"].(string) + `","time":"25/Sep/2026:01:24:18 +0000","epoch":1790299458000,` +
		`"connection":"` + r.onlyID(t) + `","connected":1790299458000,"ip":"127.0.0.1",` +
		`"agent":"\"quoted\" \\ and\u0009tabbed","message":"` + context["messageId"].(string) +
		`","error":"-","user":"-","waf":"-","status":"-","latency":"-","none":"-.","cost":"$5"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("no JSON: %s", got)
	}
}

func TestAccessLog_refuses(t *testing.T) {
	w := &lines{}
	id := "$context.requestId "
	for name, l := range map[string]AccessLog{
		"no request id":          {"$context.routeKey", w},
		"extended id only":       {"$context.extendedRequestId $context.requestIdentity", w},
		"over 3 KB":              {id + strings.Repeat("x", 3072-len(id)+1), w},
		"several lines":          {id + "\n" + id, w},
		"no writer":              {id, nil},
		"a writer but no format": {"", w},
	} {
		if _, err := New(Config{Stages: []Stage{{Name: "prod", AccessLog: l}}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	fits := AccessLog{id + strings.Repeat("x", 3072-len(id)), w}
	if _, err := New(Config{Stages: []Stage{{Name: "prod", AccessLog: fits}}}); err != nil {
		t.Errorf("3 KB: %v", err)
	}
}

func TestGW100_AuthorizersHaveVariables(t *testing.T) {
	const format = `$context.status $context.integrationLatency $context.error.responseType ` +
		`$context.authorizer.principalId $context.authorizer.level $context.authorizer.status ` +
		`$context.authorizer.latency $context.authorizer.error $context.requestId`
	allowed := says("Allow", methodARN)
	allowed.Context = map[string]any{"level": 7}
	for name, test := range map[string]struct {
		result any
		err    error
		want   []string // lines without the request id
	}{
		"allowed": {allowed, nil, []string{"200 0 - u1 7 200 30 -", "200 0 - u1 7 - - -"}},
		"denied":  {says("Deny", methodARN), nil, []string{"403 - ACCESS_DENIED - - 403 - " + deny}},
		"unauthorized": {
			nil, errors.New("Unauthorized"), []string{"401 - UNAUTHORIZED - - 401 - Unauthorized"},
		},
		"broken": {
			nil, errors.New("broken"), []string{"500 - AUTHORIZER_FAILURE - - 500 - Internal server error"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock(time.Now())
			l := &lines{}
			h := newRecorder()
			z := &Authorizer{Timeout: -1, Authorize: func(context.Context, AuthorizerEvent) (any, error) {
				clock.add(30 * time.Millisecond)
				return test.result, test.err
			}}
			r := run(t, Config{Now: clock.now, Stages: logged(l, format, map[string]Route{
				"$connect": {Handler: h, Authorizer: z}, "$default": {Handler: h},
			})})
			c := r.handshake(t, "/prod")
			if len(test.want) > 1 {
				c.send("x")
			}
			for i, line := range l.wait(t, len(test.want)) {
				if got, _, _ := cutLast(line, " "); got != test.want[i] {
					t.Errorf("line %q, want %q", got, test.want[i])
				}
			}
		})
	}
}
