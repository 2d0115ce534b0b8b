package chatapi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/store/memstore"
)

// errorEvent is an error frame as a client reads it.
type errorEvent struct {
	Event, ID, Code, Message, RequestID string
	RetryAfterMs                        *int
}

func readError(t testing.TB, frames []string) errorEvent {
	t.Helper()
	var e errorEvent
	if len(frames) != 1 {
		t.Fatalf("want one error, got %s", frames)
	}
	if err := json.Unmarshal([]byte(frames[0]), &e); err != nil || e.Event != "error" {
		t.Fatalf("%v in %s", err, frames[0])
	}
	return e
}

func TestHandler_Handle_errors(t *testing.T) {
	const secret = "arn:aws:dynamodb:eu-central-1:123456789012:table/secret"
	ms := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		err   error
		code  string
		retry *int
		says  string
	}{
		"unavailable": {
			&chat.Error{Kind: chat.Unavailable, Err: errors.New(secret)}, "unavailable",
			ms(1000), "nothing was stored",
		},
		"unavailable, when": {
			&chat.Error{Kind: chat.Unavailable, RetryAfter: 2500 * time.Millisecond},
			"unavailable", ms(2500), "try again",
		},
		"unknown": {
			&chat.Error{Kind: chat.Unknown, Message: secret}, "unknown_outcome", ms(1000),
			"same id",
		},
		"limited": {&chat.Error{
			Kind: chat.Limited, Message: "slow down",
			RetryAfter: 70 * time.Millisecond,
		}, "rate_limited", ms(70), "slow down"},
		"internal":       {&chat.Error{Kind: chat.Internal, Message: secret}, "internal", nil, "requestId"},
		"corrupt":        {&chat.Error{Kind: chat.Corrupt, Message: secret}, "internal", nil, "requestId"},
		"without a kind": {errors.New(secret), "internal", nil, "requestId"},
		"without a sentence": {
			&chat.Error{Kind: chat.Forbidden, Err: errors.New(secret)}, "forbidden", nil,
			"forbidden",
		},
	} {
		sub(t, name, func(w *world) {
			w.connect("alice1")
			w.use(failingLog{w.log, c.err})
			got := w.act("alice1", `{"action":"sendMessage","id":"m1","message":"hi"}`)
			e := readError(w, got)
			if e.Code != c.code || e.ID != "m1" || e.RequestID != "request1" || !strings.Contains(e.Message, c.says) {
				w.Errorf("%s", got)
			}
			equal(w, "retryAfterMs", e.RetryAfterMs, c.retry)
			if strings.Contains(got[0], "secret") {
				w.Errorf("internal text on the wire: %s", got)
			}
			if c.code == "internal" && (!strings.Contains(w.logged.String(), secret) ||
				!strings.Contains(w.logged.String(), "requestId=request1")) {
				w.Errorf("the log has %q", w.logged)
			}
		})
	}
}

func TestHandler_Handle_badFrames(t *testing.T) {
	for body, want := range map[string]struct{ code, says string }{
		``:                          {"bad_json", "JSON"},
		`hi`:                        {"bad_json", "JSON"},
		`[]`:                        {"bad_json", "JSON"},
		"{\"action\":\"\xff\"}":     {"bad_json", "JSON"},
		`{"action":"ping"} x`:       {"bad_json", "JSON"},
		`{"id":"x"}`:                {"bad_field", "action"},
		`{"action":"dance"}`:        {"unknown_action", "sendMessage"},
		`{"action":"SENDMESSAGE"}`:  {"unknown_action", "sendMessage"},
		`{"Action":"ping"}`:         {"bad_field", "Action"},
		`{"action":"sendMessage"}`:  {"bad_field", "message"},
		`{"action":"ping","id":7}`:  {"bad_field", "id"},
		`{"action":"ping","id":""}`: {"bad_field", "id"},
	} {
		sub(t, body, func(w *world) {
			w.connect("alice1")
			e := readError(w, w.act("alice1", body))
			if e.Code != want.code || !strings.Contains(e.Message, want.says) || e.RequestID != "request1" {
				w.Errorf("%+v", e)
			}
			equal(w, "closed", len(w.poster.closed), 0)
			equal(w, "logged", w.logged.String(), "")
		})
	}
}

func TestHandler_Handle_rate(t *testing.T) {
	limited := func(o *options) {
		o.store.Rate, o.store.Burst = 10, 20
		o.config = func(c *chatapi.Config) { c.ExcessMax = 5 }
	}
	sub(t, "over the rate", func(w *world) {
		w.connect("alice1", "alice2")
		for range 20 {
			w.act("alice1", `{"action":"ping"}`)
		}
		e := readError(w, w.act("alice1", `{"action":"sendMessage","id":"m1","message":"hi"}`))
		if e.Code != "rate_limited" || e.ID != "m1" || e.RetryAfterMs == nil || *e.RetryAfterMs < 1 ||
			*e.RetryAfterMs > 101 {
			w.Errorf("%+v", e)
		}
		head, err := w.log.Heads(w.ctx, []string{"lobby"})
		w.ok(err)
		equal(w, "stored", head[0].Seq, 0)
		equal(w, "another device's", len(w.act("alice2", `{"action":"ping"}`)), 1)
		w.clock.Advance(time.Duration(*e.RetryAfterMs) * time.Millisecond)
		got := w.act("alice1", `{"action":"ping"}`)
		if len(got) != 1 || !strings.Contains(got[0], "pong") {
			w.Errorf("after the wait: %s", got)
		}
	}, limited)
	sub(t, "who does not heed it is closed", func(w *world) {
		w.connect("alice1", "bob1")
		for range 20 + 5 {
			w.act("alice1", `x`)
		}
		equal(w, "closed", len(w.poster.closed), 0)
		w.act("alice1", `x`)
		equal(w, "closed", w.poster.closed["alice1"].code, 1008)
		equal(w, "closed", len(w.poster.closed), 1)
	}, limited)
	sub(t, "over the address's rate", func(w *world) {
		w.connect("alice1")
		e := w.frame("alice1", `{"action":"sendMessage","id":"m1","message":"hi"}`)
		e.RequestContext.Identity.SourceIP = "192.0.2.1"
		w.handle(e)
		got := readError(w, w.poster.take("alice1"))
		if got.Code != "rate_limited" || got.RetryAfterMs == nil || *got.RetryAfterMs != 40 {
			w.Errorf("%+v", got)
		}
		e.RequestContext.Identity.SourceIP = "192.0.2.2"
		w.handle(e)
		equal(w, "another address's", len(w.poster.take("alice1")), 1)
	}, with(func(c *chatapi.Config) {
		c.Limit = func(address string) time.Duration {
			if address == "192.0.2.1" {
				return 40 * time.Millisecond
			}
			return 0
		}
	}))
	sub(t, "a lapsed connection is told to connect again", func(w *world) {
		w.connect("alice1")
		w.clock.Advance(time.Minute)
		equal(w, "posted", w.act("alice1", `{"action":"ping"}`), []string{})
		equal(w, "closed", w.poster.closed["alice1"].code, 1008)
	}, func(o *options) { o.store = memstore.Options{Now: o.store.Now, SilentLease: time.Minute} })
}

// What one store answers is for one client; what the gateway answers is for none.
func TestHandler_Handle_posterErrors(t *testing.T) {
	sub(t, "an answer that cannot be sent", func(w *world) {
		w.connect("alice1", "bob1")
		w.join("tea", "alice1", "bob1")
		w.poster.fail = errors.New("no rights")
		w.act("alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`)
		if !strings.Contains(w.logged.String(), "no rights") {
			w.Errorf("the log has %q", w.logged)
		}
		p, err := w.log.Messages(w.ctx, "tea", chat.Range{Limit: 9})
		w.ok(err)
		equal(w, "stored", len(p.Messages), 1)
		for _, id := range []string{"alice1", "bob1"} {
			_, err := w.conns.Get(w.ctx, id)
			w.ok(err)
		}
	})
	sub(t, "telling other devices fails", func(w *world) {
		w.connect("alice1", "alice2")
		w.poster.fail = errors.New("no rights")
		got := w.act("alice1", `{"action":"joinRoom","id":"j1","room":"tea"}`)
		equal(w, "answer", got, []string{`{"event":"joined","id":"j1","room":"tea","seq":0,"epoch":"epoch2"}`})
	})
	sub(t, "the asking connection is gone", func(w *world) {
		w.connect("alice1")
		w.poster.gone["alice1"] = true
		w.act("alice1", `{"action":"ping"}`)
		_, err := w.conns.Get(w.ctx, "alice1")
		w.ok(err) // young: it may be not yet open
		w.clock.Advance(10*time.Second + time.Millisecond)
		w.act("alice1", `{"action":"ping"}`)
		_, err = w.conns.Get(w.ctx, "alice1")
		equal(w, "row", chat.KindOf(err), chat.NotFound)
		equal(w, "logged", w.logged.String(), "")
	})
}

var _ chatapi.Poster = (*poster)(nil)
