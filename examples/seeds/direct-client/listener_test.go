package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/gateway"
)

const patience = time.Minute

func TestLine(t *testing.T) {
	for frame, want := range map[string]string{
		`Hello from CLI!`: `📨 Message from everybody: Hello from CLI!`,
		`{"operationType":"chat","message":{"user":"bob","message":"hi"}}`: `📨 Message from bob: hi`,
		`{"operationType":"signing","message":{"txId":"abc123"}}`:          `📨 Message from signing: {"txId":"abc123"}`,
		`{"operationType":"chat","message":{"user":1}}`:                    `📨 Message from chat: {"user":1}`,
		`{"error":"message is missing","requestId":"x="}`:                  `❌ message is missing`,
		`{"operationType":1}`:   `📨 Message from everybody: {"operationType":1}`,
		"red \x1b[31m\nalert":   `📨 Message from everybody: red �[31m�alert`,
		`["no", "object"]`:      `📨 Message from everybody: ["no", "object"]`,
		`{"message":"no type"}`: `📨 Message from everybody: {"message":"no type"}`,
	} {
		if got := line([]byte(frame)); got != want {
			t.Errorf("%s\n got %s\nwant %s", frame, got, want)
		}
	}
}

func TestWait(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	wait(ctx, 100)
	if waited := time.Since(start); waited > 10*time.Second { // of 30 s at most
		t.Errorf("waited %v though it was to end", waited)
	}
}

// api is a gateway that answers getConnectionId, and counts how often it was asked.
type api struct {
	*gateway.API
	url   string
	asked chan string // connection ids
}

func serve(t *testing.T) *api {
	t.Helper()
	a := &api{asked: make(chan string, 100)}
	answer := func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (
		events.APIGatewayProxyResponse, error,
	) {
		id := e.RequestContext.ConnectionID
		a.asked <- id
		return events.APIGatewayProxyResponse{StatusCode: 200},
			a.Send(ctx, connections.Target{ID: id}, [][]byte{fmt.Appendf(nil, `{"connectionId":%q}`, id)})
	}
	var err error
	a.API, err = gateway.New(gateway.Config{
		Stages: []gateway.Stage{{Name: "production"}},
		Routes: map[string]gateway.Route{"getConnectionId": {Handler: gateway.HandlerFunc(answer)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	a.url = server.URL + "/production/"
	t.Cleanup(func() {
		a.Shutdown(context.Background(), 1001, "")
		server.Close()
	})
	return a
}

// listen runs a listener until the test ends and gives what it says, and the count of attempts before
// each time that it waits.
func listen(t *testing.T, url string, heartbeat time.Duration) (said chan string, waits chan int) {
	t.Helper()
	said, waits = make(chan string, 100), make(chan int, 100)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		listener{
			url: url, heartbeat: heartbeat,
			say:  func(line string) { said <- line },
			wait: func(_ context.Context, n int) { waits <- n },
		}.run(ctx)
	})
	t.Cleanup(func() { cancel(); group.Wait() })
	return said, waits
}

func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case value := <-c:
		return value
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestListener_Reconnects(t *testing.T) {
	a := serve(t)
	said, waits := listen(t, a.url, time.Hour)
	for range 2 {
		id := next(t, a.asked)
		if got, want := next(t, said), "🔑 Your connection id: "+id; got != want {
			t.Fatalf("it says %q, want %q", got, want)
		}
		target := connections.Target{ID: id}
		if err := a.Send(t.Context(), target, [][]byte{[]byte("hello")}); err != nil {
			t.Fatal(err)
		}
		if got, want := next(t, said), "📨 Message from everybody: hello"; got != want {
			t.Fatalf("it says %q, want %q", got, want)
		}
		if err := a.Close(t.Context(), target, 1001, "Going away"); err != nil {
			t.Fatal(err)
		}
		next(t, said) // that the connection is lost
		if n := next(t, waits); n != 0 {
			t.Errorf("it waits as after %d failures, though it was connected", n)
		}
	}
}

func TestListener_WaitsLongerEachTime(t *testing.T) {
	a := serve(t)
	_, waits := listen(t, a.url+"unknown", time.Hour)
	for want := range 3 {
		if n := next(t, waits); n != want {
			t.Fatalf("attempt %d, want %d", n, want)
		}
	}
}

func TestListener_Heartbeat(t *testing.T) {
	a := serve(t)
	said, _ := listen(t, a.url, time.Millisecond)
	id := next(t, a.asked)
	for range 3 {
		if again := next(t, a.asked); again != id {
			t.Fatal("another connection")
		}
	}
	next(t, said)
	if err := a.Send(t.Context(), connections.Target{ID: id}, [][]byte{[]byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if got, want := next(t, said), "📨 Message from everybody: hello"; got != want {
		t.Errorf("it says %q, want %q: heartbeats are silent", got, want)
	}
}
