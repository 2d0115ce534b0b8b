package testenv

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/gateway"
)

// What the cold host does as AWS does.
const (
	coldAtOnce    = 8   // environments of the function
	coldDoubled   = 20  // one event in so many is delivered twice
	coldResumeMax = 100 // missed messages of a resume (guarantees G6)
	coldInline    = 200 // receivers that an event posts to by itself (G13)
	coldTypingMax = 20
)

// cold invokes a new handler for each event.
type cold struct {
	tb       testing.TB
	stores   backend
	endpoint string
	resume   int
	options  Options
	client   *http.Client
	slots    chan struct{}
	async    sync.WaitGroup
}

func startCold(tb testing.TB, e *Env, b backend, endpoint string, o Options) http.Handler {
	tb.Helper()
	e.ResumeMax = coldResumeMax
	if o.ResumeMax != 0 {
		e.ResumeMax = o.ResumeMax
	}
	c := &cold{
		tb: tb, stores: b, endpoint: endpoint, resume: e.ResumeMax, options: o,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		slots:  make(chan struct{}, coldAtOnce),
	}
	if o.OneByOne {
		c.slots = make(chan struct{}, 1)
	}
	routes := map[string]gateway.Handler{}
	for _, key := range append(chatapi.Actions(), "$connect", "$disconnect", "$default") {
		routes[key] = gateway.HandlerFunc(c.invoke)
	}
	api, err := gateway.New(gateway.Config{
		Stages: []gateway.Stage{{Name: "production"}}, Routes: routes, Endpoint: endpoint,
		Credentials: map[string]string{AccessKey: SecretKey}, ServeConnections: true,
		Now: o.Now, Logger: logger(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.async.Go(func() { c.schedule(ctx) })
	e.stop = append(e.stop, func() {
		cancel()
		stop, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := api.Shutdown(stop, 1001, "Going away"); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
		c.async.Wait()
		c.client.CloseIdleConnections()
	})
	return api
}

// handler is what a cold start builds.
func (c *cold) handler() *chatapi.Handler {
	log, conns := c.stores.open()
	poster, err := connections.New(connections.Config{
		Endpoint: c.endpoint, AccessKey: AccessKey, SecretKey: SecretKey,
		HTTPClient: c.client, Now: c.options.Now,
	})
	if err != nil {
		panic(err) // the endpoint is ours
	}
	return chatapi.New(chatapi.Config{
		Service:  chat.NewService(log, conns, c.options.Now),
		Poster:   poster,
		Deferrer: c,
		Version:  "0.0.0-test", Endpoint: c.endpoint,
		Heartbeat: 120 * time.Second, Pipeline: 1, MaxConnection: 2 * time.Hour,
		ResumeMax: c.resume, Inline: coldInline, TypingMax: coldTypingMax, ExcessMax: c.options.Burst,
		Now: c.options.Now, Sleep: sleep, Jitter: rand.IntN, Logger: logger(),
	})
}

// invoke is the integration of every route: the event crosses as JSON, as it does on AWS.
func (c *cold) invoke(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	text, err := gateway.MarshalEvent(e)
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	if c.doubled() {
		c.async.Go(func() { _, _ = c.once(context.WithoutCancel(ctx), text) })
	}
	return c.once(ctx, text)
}

func (c *cold) doubled() bool { return !c.options.OneByOne && rand.IntN(coldDoubled) == 0 }

func (c *cold) once(ctx context.Context, text []byte) (events.APIGatewayProxyResponse, error) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	var e events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(text, &e); err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	return c.handler().Handle(ctx, e)
}

// Later is an asynchronous invocation.
func (c *cold) Later(_ context.Context, t chatapi.Task) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	times := 1
	if c.doubled() {
		times = 2
	}
	for range times {
		c.async.Go(func() { c.runTask(text) })
	}
	return nil
}

func (c *cold) runTask(text []byte) {
	var t chatapi.Task
	if err := json.Unmarshal(text, &t); err != nil {
		c.tb.Errorf("task: %v", err)
		return
	}
	if err := c.handler().Run(context.Background(), t); err != nil {
		c.tb.Logf("task %s: %v", t.Kind, err)
	}
}

// schedule sweeps every second, so that tests need not wait for AWS's minute.
func (c *cold) schedule(ctx context.Context) {
	for sleep(ctx, time.Second) == nil {
		if err := c.handler().Sweep(ctx); err != nil && ctx.Err() == nil {
			c.tb.Logf("sweep: %v", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
