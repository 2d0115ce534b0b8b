package testenv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

func TestErrors_Frames(t *testing.T) {
	deep := func(levels int) string { return strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) }
	tries := []struct{ name, frame, code, names string }{
		{"no JSON", `hello`, "bad_json", "JSON"},
		{"array", `["action"]`, "bad_json", "JSON"},
		{"string", `"ping"`, "bad_json", "JSON"},
		{"cut off", `{"action":"ping","id":"x"`, "bad_json", "JSON"},
		{"two objects", `{"action":"ping","id":"x"}{}`, "bad_json", "JSON"},
		{"white space alone", ` `, "bad_json", "JSON"},
		{"duplicate key", `{"action":"ping","action":"help","id":"x"}`, "bad_json", "action"},
		{"duplicate unknown key", `{"action":"ping","extra":1,"extra":2,"id":"x"}`, "bad_json", "extra"},
		{"duplicate key by an escape", `{"action":"ping","\u0061ction":"help","id":"x"}`, "bad_json", "action"},
		{"duplicate key inside", `{"action":"ping","extra":{"k":1,"k":2},"id":"x"}`, "bad_json", "k"},
		{"lone surrogate", `{"action":"sendMessage","id":"x","message":"\ud800"}`, "bad_json", "surrogate"},
		{"lone surrogate in an unknown member", `{"action":"ping","id":"x","extra":"\udc00"}`, "bad_json", "surrogate"},
		{"33 levels", `{"action":"ping","id":"x","extra":` + deep(33) + `}`, "bad_json", "32"},
		{"no action", `{"id":"x"}`, "bad_field", "action"},
		{"action of another type", `{"action":1,"id":"x"}`, "bad_field", "action"},
		{"known name in other case", `{"action":"joinRoom","id":"x","Room":"tea"}`, "bad_field", "room"},
		{"ACTION beside action", `{"action":"ping","ACTION":"help","id":"x"}`, "bad_field", "action"},
		{"missing field", `{"action":"joinRoom","id":"x"}`, "bad_field", "room"},
		{"field of another type", `{"action":"joinRoom","id":"x","room":5}`, "bad_field", "room"},
		{"null", `{"action":"joinRoom","id":"x","room":null}`, "bad_field", "room"},
		{"flag of another type", `{"action":"joinRoom","id":"x","room":"tea","private":1}`, "bad_field", "private"},
		{"unknown action", `{"action":"dance","id":"x"}`, "unknown_action", "sendMessage"},
		{"action in other case", `{"action":"Ping","id":"x"}`, "unknown_action", "ping"},
		{"resume without epoch", `{"action":"hello","id":"x","resume":{"tea":{"seq":1}}}`, "bad_field", "epoch"},
		{"resume of another type", `{"action":"hello","id":"x","resume":["tea"]}`, "bad_field", "resume"},
	}
	withoutID := map[string]bool{"no JSON": true, "array": true, "string": true, "white space alone": true, "cut off": true, "two objects": true}
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		for _, try := range tries {
			alice.Send("%s", try.frame)
			f := alice.Event("error")
			id := `"id":"x",`
			if withoutID[try.name] && f.ID == "" {
				id = "" // the id of a frame that is no object need not be found
			}
			if err := f.Matches(`{"event":"error",%s"code":%q,"message":"$any","requestId":"$any"}`, id, try.code); err != nil {
				t.Errorf("%s: %v: %s", try.name, err, f.Raw)
			}
			namesField(t, f, try.names)
		}
		// What is unknown is ignored, and 32 levels are allowed; the connection is open after all that.
		alice.Do("p1", `{"action":"ping","id":"p1","extra":%s,"Extra":1,"later":{"x":null}}`, deep(32)).Is(t,
			`{"event":"pong","id":"p1","rooms":[{"room":"lobby","seq":%d,"epoch":"$any"}]}`, lobby(t, e))
	})
}

// Who speaks, and what number a message gets, is the server's to say, in every action.
func TestErrors_Claims(t *testing.T) {
	actions := []string{
		`"action":"hello"`, `"action":"joinRoom","room":"tea"`, `"action":"leaveRoom","room":"tea"`,
		`"action":"invite","room":"tea","user":"bob"`, `"action":"sendMessage","message":"hi"`,
		`"action":"deleteMessage","room":"tea","seq":1`, `"action":"history","room":"tea"`,
		`"action":"read","room":"tea","seq":1`, `"action":"ping"`, `"action":"rooms"`, `"action":"members","room":"tea"`,
		`"action":"users"`, `"action":"setName","name":"mallory"`, `"action":"typing","room":"tea"`,
		`"action":"getConnectionId"`, `"action":"sendDirect","connectionId":"c","operationType":"x","message":1`, `"action":"help"`,
	}
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		alice := e.Dial(t, "alice")
		for _, action := range actions {
			for _, claim := range []string{"from", "sender", "seq", "epoch", "at", "duplicate"} {
				if strings.Contains(action, `"`+claim+`"`) {
					continue
				}
				f := refused(t, alice, "bad_field", "x", `{%s,"id":"x",%q:"bob"}`, action, claim)
				namesField(t, f, claim)
			}
		}
		// Nobody is anybody else by then, nothing was joined and nothing said.
		welcome := alice.Do("h1", `{"action":"hello","id":"h1"}`)
		if welcome.User != "alice" {
			t.Errorf("alice is %q", welcome.User)
		}
		alice.Do("p1", `{"action":"ping","id":"p1"}`).Is(t,
			`{"event":"pong","id":"p1","rooms":[{"room":"lobby","seq":%d,"epoch":"$any"}]}`, before)
	})
}

func TestErrors_IDs(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		longest := strings.Repeat("é", 32) // 64 bytes
		alice.Do(longest, `{"action":"ping","id":%q}`, longest)
		for _, id := range []string{`""`, `"` + longest + `x"`, `7`, `null`, `{}`} {
			alice.Send(`{"action":"ping","id":%s}`, id)
			f := alice.Event("error").Is(t, `{"event":"error","code":"bad_field","message":"$any","requestId":"$any"}`)
			namesField(t, f, "id")
		}
	})
}

// failing is a log whose writes fail with an error as long as there is one.
type failing struct {
	chat.Log
	err *atomic.Pointer[error]
}

func (f failing) Append(ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message)) (chat.Message, error) {
	if err := f.err.Load(); err != nil {
		return chat.Message{}, *err
	}
	return f.Log.Append(ctx, d, then)
}

func TestErrors_Store(t *testing.T) {
	for _, c := range testenv.Combinations {
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			t.Parallel()
			var fault atomic.Pointer[error]
			options := once
			options.WrapLog = func(l chat.Log) chat.Log { return failing{l, &fault} }
			e := testenv.Start(t, c.Host, c.Store, options)
			alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
			send := func(id string) testenv.Frame {
				return alice.Do(id, `{"action":"sendMessage","id":%q,"message":"hi"}`, id)
			}
			cause := errors.New("canary: disk of 10.0.0.7 is on fire")
			for _, try := range []struct {
				err   error
				code  string
				retry bool
			}{
				{&chat.Error{Kind: chat.Unavailable, RetryAfter: 1500 * time.Millisecond, Err: cause}, "unavailable", true},
				{&chat.Error{Kind: chat.Unknown, Err: cause}, "unknown_outcome", true},
				{&chat.Error{Kind: chat.Corrupt, Err: cause}, "internal", false},
				{cause, "internal", false},
			} {
				fault.Store(&try.err)
				f := send("m1")
				want := fmt.Sprintf(`{"event":"error","id":"m1","code":%q,"message":"$any","requestId":"$any"}`, try.code)
				if try.retry {
					want = want[:len(want)-1] + `,"retryAfterMs":"$n"}`
				}
				f.Is(t, "%s", want)
				if strings.Contains(f.Raw, "canary") {
					t.Errorf("the cause is shown to the client: %s", f.Raw)
				}
				if try.code == "unavailable" && f.Fields["retryAfterMs"] != 1500.0 {
					t.Errorf("retryAfterMs is not what the store said: %s", f.Raw)
				}
			}
			fault.Store(nil)
			if f := send("m1"); f.Event != "message" || f.Seq != 1 || f.Duplicate { // it heals by itself
				t.Errorf("after the fault: %s", f.Raw)
			}
			if n := bob.Count(func(f testenv.Frame) bool { return f.Event == "message" && f.Seq > 1 }); n != 0 {
				t.Errorf("bob got %d messages that were not stored", n)
			}
			bob.Await("the message", message("lobby", "hi"))
		})
	}
}

// Over its rate a connection is told to wait; one that goes on is closed.
func TestErrors_Rate(t *testing.T) {
	for _, c := range testenv.Combinations {
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			t.Parallel()
			clock := clock{frozen: time.Now()}
			const rate, burst = 5, 10
			e := testenv.Start(t, c.Host, c.Store, testenv.Options{Rate: rate, Burst: burst, OneByOne: true, Now: clock.now})
			mallory, bob := e.Dial(t, "mallory"), e.Dial(t, "bob")
			for i := range 10 * burst {
				if mallory.TrySend(fmt.Sprintf(`{"action":"ping","id":"p%d"}`, i)) != nil {
					break
				}
			}
			want := websocket.StatusPolicyViolation
			if e.Host != "direct" {
				want = websocket.StatusNormalClosure // all that AWS can do
			}
			if code := mallory.Closed(); code != want {
				t.Errorf("closed with %d, want %d", code, want)
			}
			pongs := mallory.Count(func(f testenv.Frame) bool { return f.Event == "pong" })
			limited := mallory.Count(func(f testenv.Frame) bool { return f.Code == "rate_limited" })
			if pongs < burst || pongs > rate*10+burst || limited < burst {
				t.Errorf("%d were answered and %d refused, with a burst of %d", pongs, limited, burst)
			}
			if e.Host == "direct" && pongs != burst {
				t.Errorf("%d were answered at once, want the burst of %d", pongs, burst)
			}
			for _, f := range mallory.All() {
				if f.Code != "rate_limited" {
					continue
				}
				f.Is(t, `{"event":"error","id":"$any","code":"rate_limited","message":"$any","requestId":"$any","retryAfterMs":"$n"}`)
				if wait := f.Fields["retryAfterMs"].(float64); wait < 1 || wait > 10_000 {
					t.Errorf("retryAfterMs is %v", wait)
				}
			}
			bob.Sync() // a bucket is a connection's own
		})
	}
}

func TestErrors_Sizes(t *testing.T) {
	ping := func(size int) []byte {
		frame := `{"action":"ping","id":"p1","extra":""}`
		return []byte(strings.Replace(frame, `""`, `"`+strings.Repeat("x", size-len(frame))+`"`, 1))
	}
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		for _, try := range []struct {
			name        string
			size, frame int
			code        websocket.StatusCode
		}{
			{"largest frame", 32 << 10, 32 << 10, 0},
			{"largest message", 128 << 10, 30_000, 0},
			{"frame too large", 32<<10 + 1, 32<<10 + 1, websocket.StatusMessageTooBig},
			{"message too large", 128<<10 + 1, 30_000, websocket.StatusMessageTooBig},
		} {
			alice := e.Dial(t, "alice")
			err := alice.TrySendParts(ping(try.size), try.frame)
			if try.code == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if f := alice.Answer("p1"); f.Event != "pong" {
					t.Errorf("%s: %s", try.name, f.Raw)
				}
				continue
			}
			if code := alice.Closed(); code != try.code {
				t.Errorf("%s: closed with %d, want %d", try.name, code, try.code)
			}
		}
		binary := e.Dial(t, "alice")
		binary.SendBinary([]byte(`{"action":"ping"}`))
		if code := binary.Closed(); code != websocket.StatusUnsupportedData {
			t.Errorf("binary: closed with %d, want 1003", code)
		}
		invalid := e.Dial(t, "alice")
		if err := invalid.TrySend("{\"action\":\"ping\",\"id\":\"\xff\"}"); err != nil {
			t.Fatal(err)
		}
		if code := invalid.Closed(); code != websocket.StatusInvalidFramePayloadData {
			t.Errorf("invalid UTF-8: closed with %d, want 1007", code)
		}
	})
}
