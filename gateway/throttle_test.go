package gateway

import (
	"math"
	"net/http"
	"regexp"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// unlimited are limits that are never met.
var unlimited = Throttle{Rate: -1}

// refused wants the handshake answered 429.
func (r *rig) refused(t *testing.T, path string) {
	t.Helper()
	c := r.handshake(t, path)
	got := answered{c.head.StatusCode, c.head.Header.Get("x-amzn-ErrorType"), c.body, c.head.Header}
	want(t, got, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`)
}

func TestGW64_ConnectionRate(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{
		Now: clock.now, NewConnections: Throttle{Rate: 2, Burst: 3},
		Routes: map[string]Route{"$connect": {Handler: h}},
	})
	for range 3 {
		r.dial(t)
		h.next(t)
	}
	r.refused(t, "/prod")
	h.none(t)
	clock.add(500 * time.Millisecond)
	r.dial(t)
	r.refused(t, "/prod")
	if got := r.Stats().Refused[CauseThrottle]; got != 2 {
		t.Errorf("%d handshakes counted as throttled, want 2", got)
	}
}

func TestGW64_ConnectRouteHasALimitToo(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{Now: clock.now, Stages: []Stage{
		{Name: "prod", Routes: map[string]Route{
			"$connect": {Handler: h, Throttle: Throttle{Rate: 1}}, "$disconnect": {Handler: h},
		}},
		{Name: "dev"},
	}})
	r.dial(t).conn.Close()
	r.refused(t, "/prod")
	for range 2 { // $connect and $disconnect, and nothing of the refused handshake
		h.next(t)
	}
	h.none(t)
	if c := r.handshake(t, "/dev"); c.head.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("another stage: %d, want 101", c.head.StatusCode)
	}
}

// tooManyFrame is the error frame of a throttled message: the shape of all error frames.
var tooManyFrame = regexp.MustCompile(`^{"message": "Too Many Requests", "connectionId":"[A-Za-z0-9_-]{18}==", ` +
	`"requestId":"[A-Za-z0-9_-]{15}="}$`)

func (c *client) throttled() {
	c.tb.Helper()
	if text, _ := c.message(); !tooManyFrame.MatchString(text) {
		c.tb.Fatalf("message %s, want Too Many Requests", text)
	}
}

func TestRoute_Throttle(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	h := newRecorder()
	r := run(t, Config{Now: clock.now, Stages: []Stage{{
		Name: "prod", Throttle: Throttle{Rate: 1, Burst: 2}, Routes: map[string]Route{
			"$default": {Handler: h}, "$disconnect": {Handler: h},
			"own":  {Handler: h, Throttle: Throttle{Rate: 1}},
			"free": {Handler: h, Throttle: unlimited},
		},
	}}})
	c, other := r.dial(t), r.dial(t)
	for range 2 { // the stage's limit is of each route, for all connections together
		c.send("x")
		h.next(t)
	}
	other.send("x")
	other.throttled()
	c.send(`{"action":"own"}`)
	h.next(t)
	c.send(`{"action":"own"}`)
	c.throttled()
	for range 9 {
		c.send(`{"action":"free"}`)
		h.next(t)
	}
	clock.add(time.Second)
	other.send("after a second")
	if _, e := h.next(t); e["body"] != "after a second" {
		t.Errorf("event %v", e)
	}
	if got := r.Stats().Dropped[CauseThrottle]; got != 2 {
		t.Errorf("%d messages counted as throttled, want 2", got)
	}
	other.conn.Close()
	h.next(t)
}

// Messages and @connections calls share the account's limit; the API's own methods have none.
func TestConfig_Requests(t *testing.T) {
	clock := newClock(time.Now())
	h := newRecorder()
	r := managed(t, Config{
		Now: clock.now, Requests: Throttle{Rate: 1, Burst: 3},
		Routes: map[string]Route{"$default": {Handler: h}},
	})
	c := r.dial(t)
	id := r.onlyID(t)
	c.send("1")
	h.next(t)
	want(t, r.call(t, "POST", at(id), []byte("2"), nil), 200, "", "")
	c.expect("2")
	c.send("3")
	h.next(t)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		want(t, r.call(t, method, at(id), nil, nil), 429, "LimitExceededException",
			`{"message":"Too Many Requests"}`)
	}
	c.send("4")
	c.throttled()
	want(t, r.call(t, "POST", at(id), nil, unsigned), 403, "MissingAuthenticationTokenException",
		`{"message":"Missing Authentication Token"}`) // and takes nothing
	clock.add(time.Second)
	want(t, r.call(t, "POST", at(id), []byte("5"), nil), 200, "", "")
	c.expect("5")
	post(t, r, id, "6")
	c.expect("6")
	h.none(t)
}

// AWS lets 500 connections open a second, and an account make 10,000 requests, 5,000 at once.
func TestGW64_DefaultsAreTheQuotas(t *testing.T) {
	clock := newClock(time.UnixMilli(1790299458000))
	api, err := New(Config{Stages: []Stage{{Name: "prod"}}, Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	count := func(b *rate.Limiter) (n int) {
		for passes(clock.now, b) {
			n++
		}
		return n
	}
	if got, requests := count(api.handshakes), count(api.requests); got != 500 || requests != 5000 {
		t.Errorf("%d connections and %d requests at once, want 500 and 5,000", got, requests)
	}
	clock.add(100 * time.Millisecond)
	if got, requests := count(api.handshakes), count(api.requests); got != 50 || requests != 1000 {
		t.Errorf("%d connections and %d requests in 100 ms, want 50 and 1,000", got, requests)
	}
}

func TestThrottle_refuses(t *testing.T) {
	for _, bad := range []Throttle{{Rate: 1, Burst: -1}, {Burst: 5}, {Rate: math.NaN()}, {Rate: math.Inf(1)}} {
		prod := Stage{Name: "prod"}
		throttled := Stage{Name: "prod", Throttle: bad, Routes: all(newRecorder())}
		for _, cfg := range []Config{
			{Stages: []Stage{prod}, Requests: bad},
			{Stages: []Stage{prod}, NewConnections: bad},
			{Stages: []Stage{throttled}},
		} {
			if _, err := New(cfg); err == nil {
				t.Errorf("accepts %+v", bad)
			}
		}
	}
}

// Whatever limits there are, looking at them costs a message no memory.
func TestConnection_throttled_allocatesNothing(t *testing.T) {
	for _, limit := range []Throttle{unlimited, {Rate: 1}} {
		api, err := New(Config{Stages: []Stage{{Name: "prod"}}, Requests: limit})
		if err != nil {
			t.Fatal(err)
		}
		c, r := &connection{api: api}, &route{bucket: limit.bucket()}
		if n := testing.AllocsPerRun(100, func() { c.throttled(r) }); n > 0 {
			t.Errorf("%v allocations with %+v", n, limit)
		}
	}
}
