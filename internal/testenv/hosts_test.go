package testenv_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// observed is the handler of one cold start, which tells what becomes of it.
type observed struct {
	testenv.Handler
	handle func(events.APIGatewayWebsocketProxyRequest)
	again  *atomic.Int64 // handlers that got more than one event
	used   atomic.Bool
}

func (o *observed) Handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	if o.used.Swap(true) {
		o.again.Add(1)
	}
	o.handle(e)
	return o.Handler.Handle(ctx, e)
}

// observe starts a cold host whose handlers tell of each event.
func observe(t *testing.T, o testenv.Options, handle func(events.APIGatewayWebsocketProxyRequest)) (e *testenv.Env, made, again *atomic.Int64) {
	t.Helper()
	made, again = new(atomic.Int64), new(atomic.Int64)
	o.WrapHandler = func(h testenv.Handler) testenv.Handler {
		made.Add(1)
		return &observed{Handler: h, handle: handle, again: again}
	}
	return testenv.Start(t, "cold", "memstore", o), made, again
}

// A handler that kept state between events would find none on the cold host.
func TestCold_NewHandlerForEachEvent(t *testing.T) {
	var handled atomic.Int64
	e, made, again := observe(t, testenv.Options{}, func(events.APIGatewayWebsocketProxyRequest) { handled.Add(1) })
	alice := e.Dial(t, "alice")
	for i := range 20 {
		alice.Say("lobby", fmt.Sprintf("m%d", i), "hi")
	}
	if again.Load() != 0 || handled.Load() < 21 || made.Load() < handled.Load() {
		t.Errorf("%d handlers were made for %d events, and %d got a second one", made.Load(), handled.Load(), again.Load())
	}
}

// deliveries counts how often each event was handled.
type deliveries struct {
	mu    sync.Mutex
	times map[string]int
}

func (d *deliveries) count(e events.APIGatewayWebsocketProxyRequest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times[e.RequestContext.RequestID]++
}

// spread tells how many events were handled once, and how many twice.
func (d *deliveries) spread() (one, two, more int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.times {
		switch n {
		case 1:
			one++
		case 2:
			two++
		default:
			more++
		}
	}
	return one, two, more
}

func TestCold_Doubles(t *testing.T) {
	const pings = 600
	for _, try := range []struct {
		name        string
		options     testenv.Options
		least, most int // events that come twice
	}{
		{"one in twenty", testenv.Options{}, 5, 80}, // mean 30, standard deviation 5.3
		{"all", testenv.Options{DoubleOneIn: 1}, pings + 1, pings + 1},
		{"none", testenv.Options{DoubleOneIn: -1}, 0, 0},
		{"one by one", testenv.Options{OneByOne: true}, 0, 0},
	} {
		t.Run(try.name, func(t *testing.T) {
			d := deliveries{times: map[string]int{}}
			e, _, _ := observe(t, try.options, d.count)
			alice := e.Dial(t, "alice")
			for i := range pings {
				alice.Do(fmt.Sprintf("p%d", i), `{"action":"ping","id":"p%d"}`, i)
			}
			alice.Close()
			e.Stop() // no event is under way after it
			one, two, more := d.spread()
			if two -= disconnects(try.options); two < try.least || two > try.most || more > 0 || one+two < pings+1 {
				t.Errorf("%d events came once, %d twice, %d more often", one, two, more)
			}
		})
	}
}

// disconnects is how many of the doubled events are the one $disconnect.
func disconnects(o testenv.Options) int {
	if o.DoubleOneIn == 1 {
		return 1
	}
	return 0
}

// The two deliveries of an event share nothing: what one does to its event the other does not see.
func TestCold_EventsCrossAsJSON(t *testing.T) {
	var connects, without atomic.Int64
	e, _, _ := observe(t, testenv.Options{DoubleOneIn: 1}, func(e events.APIGatewayWebsocketProxyRequest) {
		if e.RequestContext.RouteKey == "$connect" {
			connects.Add(1)
			if e.Headers["Host"] == "" {
				without.Add(1)
			}
			delete(e.Headers, "Host") // a planted fault: a handler that changes what it is given
		}
	})
	for i := range 5 {
		e.Dial(t, fmt.Sprintf("user%d", i)).Close()
	}
	e.Stop()
	if connects.Load() != 10 || without.Load() != 0 {
		t.Errorf("of %d handlers %d got an event that another one had changed", connects.Load(), without.Load())
	}
}

// Eight events are handled at once, and no more.
func TestCold_EightAtOnce(t *testing.T) {
	var running, most atomic.Int64
	gate := make(chan struct{})
	e, _, _ := observe(t, testenv.Options{DoubleOneIn: -1}, func(e events.APIGatewayWebsocketProxyRequest) {
		if e.RequestContext.EventType != "MESSAGE" {
			return
		}
		now := running.Add(1)
		for before := most.Load(); before < now && !most.CompareAndSwap(before, now); {
			before = most.Load()
		}
		<-gate
		running.Add(-1)
	})
	alice := e.Dial(t, "alice")
	for i := range 20 {
		alice.Send(`{"action":"ping","id":"p%d"}`, i)
	}
	for deadline := time.Now().Add(time.Minute); running.Load() < 8; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d are handled at once", running.Load())
		}
	}
	close(gate)
	for i := range 20 {
		alice.Seen("the pong", func(f testenv.Frame) bool { return f.ID == fmt.Sprintf("p%d", i) })
	}
	if most.Load() != 8 {
		t.Errorf("%d were handled at once, want 8", most.Load())
	}
}

// Posts go through @connections, which wants a signature.
func TestHosts_ConnectionsAreSigned(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		id := alice.Do("c1", `{"action":"getConnectionId","id":"c1"}`).Fields["connectionId"].(string)
		url := "http" + strings.TrimPrefix(e.URLs[0], "ws") + "/@connections/" + id
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"event":"forged"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("an unsigned post is answered %d", resp.StatusCode)
		}
		quiet(t, alice, "a forged frame", func(f testenv.Frame) bool { return f.Event == "forged" })
	})
}

// The comparison finds what differs: a test that passes says something.
func TestFrame_Matches(t *testing.T) {
	frame := testenv.Frame{Raw: `{"event":"message","room":"tea","seq":1,"at":"2026-11-21T12:00:00.123Z","list":[{"a":null},"b"]}`}
	for want, ok := range map[string]bool{
		`{"event":"message","room":"tea","seq":1,"at":"$at","list":[{"a":null},"b"]}`:              true,
		`{"event":"message","room":"$any","seq":"$n","at":"$any","list":[{"a":null},"b"]}`:         true,
		`{"event":"message","room":"tea","seq":2,"at":"$at","list":[{"a":null},"b"]}`:              false,
		`{"event":"message","room":"tea","seq":"$any","at":"$at","list":[{"a":null},"b"]}`:         false,
		`{"event":"message","room":"$at","seq":1,"at":"$at","list":[{"a":null},"b"]}`:              false,
		`{"event":"message","room":"tea","seq":1,"at":"$at","list":[{"a":null}]}`:                  false,
		`{"event":"message","room":"tea","seq":1,"at":"$at","list":[{},"b"]}`:                      false,
		`{"event":"message","room":"tea","seq":1,"at":"$at"}`:                                      false,
		`{"event":"message","room":"tea","seq":1,"at":"$at","list":[{"a":null},"b"],"id":"$any"}`:  false,
		`{"event":"message","room":"tea","seq":"1","at":"$at","list":[{"a":null},"b"]}`:            false,
		`{"event":"message","room":"tea","seq":1,"at":"$at","list":[{"a":null},"b"],"more":false}`: false,
	} {
		if err := frame.Matches("%s", want); (err == nil) != ok {
			t.Errorf("%s: %v", want, err)
		}
	}
	duplicate := testenv.Frame{Raw: `{"event":"message","seq":1,"duplicate":true}`}
	if duplicate.Matches(`{"event":"message","seq":1}`) != nil {
		t.Error("a repeated delivery's mark is not accepted")
	}
	if plain := (testenv.Frame{Raw: `{"event":"message","seq":1}`}); plain.Matches(`{"event":"message","seq":1,"duplicate":true}`) == nil {
		t.Error("a missing mark is accepted")
	}
}

// skipping is a log with a planted fault: a reader that skips a number.
type skipping struct{ chat.Log }

func (s skipping) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	page, err := s.Log.Messages(ctx, room, r)
	for i, m := range page.Messages {
		if m.Seq == 3 {
			page.Messages = append(page.Messages[:i], page.Messages[i+1:]...)
			break
		}
	}
	return page, err
}

// A client's view notices a log that skips a number, and finds what was not pushed.
func TestClient_View(t *testing.T) {
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	alice := e.Dial(t, "alice")
	fill(alice, "lobby", 5)
	late := e.Dial(t, "bob")
	shown, fetched, err := late.View("lobby", 1)
	if err != nil || len(shown) != 4 || fetched != 4 {
		t.Errorf("%d shown, %d fetched, %v; want all 4", len(shown), fetched, err)
	}
	broken := testenv.Start(t, "direct", "memstore", testenv.Options{
		WrapLog: func(l chat.Log) chat.Log { return skipping{l} },
	})
	alice = broken.Dial(t, "alice")
	fill(alice, "lobby", 5)
	if _, _, err := broken.Dial(t, "bob").View("lobby", 0); err == nil {
		t.Error("a log that skips a number is not noticed")
	}
}

// A send without id has the id of its event, so that a repeated delivery is known again.
func TestSendMessage_TakesTheEventsID(t *testing.T) {
	var ids sync.Map
	e, _, _ := observe(t, testenv.Options{DoubleOneIn: 1}, func(e events.APIGatewayWebsocketProxyRequest) {
		ids.Store(e.RequestContext.MessageID, true)
	})
	alice := e.Dial(t, "alice")
	alice.Send(`{"action":"sendMessage","message":"hi"}`)
	if f := alice.Await("the message", message("lobby", "hi")); f.ID == "" {
		t.Errorf("it has no id: %s", f.Raw)
	} else if _, ok := ids.Load(f.ID); !ok {
		t.Errorf("its id %q is no event's messageId", f.ID)
	}
}
