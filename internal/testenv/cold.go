package testenv

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/wire"
)

// What the cold host does as AWS does.
const (
	coldAtOnce    = 8   // environments of the function
	coldDoubled   = 20  // one event in so many is delivered twice
	coldResumeMax = 100 // missed messages of a resume
	coldInline    = 200 // receivers that an event posts to by itself
	coldTypingMax = 20
)

// Handler is what a cold start of the function makes.
type Handler interface {
	Handle(context.Context, chatapi.Event) (chatapi.Response, error)
	Run(context.Context, chatapi.Task) error
	Sweep(context.Context) error
}

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
	repeats  repeats
}

func startCold(tb testing.TB, e *Env, b backend, endpoint string, o Options) http.Handler {
	tb.Helper()
	e.ResumeMax = coldResumeMax
	if o.ResumeMax != 0 {
		e.ResumeMax = o.ResumeMax
	}
	c := &cold{
		tb: tb, stores: b, endpoint: endpoint, resume: e.ResumeMax, options: o,
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		slots:   make(chan struct{}, coldAtOnce),
		repeats: newRepeats(),
	}
	if o.OneByOne {
		c.slots = make(chan struct{}, 1)
	}
	routes := map[string]gateway.Route{}
	for _, key := range append(chatapi.Actions(), "$connect", "$disconnect", "$default") {
		routes[key] = gateway.Route{Handler: gateway.HandlerFunc(c.invoke)}
	}
	unlimited := gateway.Throttle{Rate: -1} // in tests with a clock that stands, buckets never fill
	api, err := gateway.New(gateway.Config{
		Stages: stages(), Routes: routes, Endpoint: endpoint,
		Credentials: map[string]string{AccessKey: SecretKey}, ServeConnections: true,
		NewConnections: unlimited, Requests: unlimited, Now: o.Now, Logger: o.logger(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.async.Go(func() { c.schedule(ctx) })
	e.stop = append(e.stop, func() {
		cancel()
		stop, done := context.WithTimeout(context.Background(), patience)
		defer done()
		if err := api.Shutdown(stop, 1001, "Going away"); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
		c.async.Wait()
		c.client.CloseIdleConnections()
	})
	return api
}

// stages are those that serve answers, all of one deployment.
func stages() []gateway.Stage {
	var list []gateway.Stage
	for _, name := range serve.DefaultStages {
		list = append(list, gateway.Stage{Name: name})
	}
	return list
}

// handler is what a cold start builds.
func (c *cold) handler() (Handler, error) {
	poster, err := connections.New(connections.Config{
		Endpoint: c.endpoint, Region: "us-east-1", AccessKey: AccessKey, SecretKey: SecretKey,
		HTTPClient: c.client, Now: c.options.Now,
	})
	if err != nil {
		return nil, err
	}
	log, conns := c.stores.open()
	var h Handler = chatapi.New(chatapi.Config{
		Service:  chat.NewService(log, conns, c.options.Now),
		Poster:   poster,
		Deferrer: c,
		Version:  "0.0.0-test", Dialect: wire.Dialect(c.options.Dialect),
		Endpoint: c.endpoint, AllowedOrigins: c.options.AllowedOrigins,
		Heartbeat: 120 * time.Second, Pipeline: 1, MaxConnection: 2 * time.Hour,
		ResumeMax: c.resume, Inline: coldInline, TypingMax: coldTypingMax, ExcessMax: c.options.Burst,
		Now: c.options.Now, Sleep: chatapi.Sleep, Jitter: rand.IntN, Logger: c.options.logger(),
	})
	if c.options.WrapHandler != nil {
		h = c.options.WrapHandler(h)
	}
	return h, nil
}

// invoke is the integration of every route: the event crosses as JSON, as it does on AWS. The
// repeat of an event runs beside it, and ends before the connection's next event begins.
func (c *cold) invoke(ctx context.Context, e chatapi.Event) (chatapi.Response, error) {
	text, err := gateway.MarshalEvent(e)
	if err != nil {
		return chatapi.Response{}, err
	}
	id := e.RequestContext.ConnectionID
	c.repeats.wait(id)
	if c.doubled() {
		c.repeats.begin(id)
		c.async.Go(func() {
			defer c.repeats.end(id)
			_, _ = c.once(context.WithoutCancel(ctx), text) // only the first answer counts
		})
	}
	return c.once(ctx, text)
}

func (c *cold) doubled() bool {
	oneIn := c.options.DoubleOneIn
	if oneIn == 0 {
		oneIn = coldDoubled
	}
	return !c.options.OneByOne && oneIn > 0 && rand.IntN(oneIn) == 0
}

func (c *cold) once(ctx context.Context, text []byte) (chatapi.Response, error) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	var e chatapi.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return chatapi.Response{}, err
	}
	h, err := c.handler()
	if err != nil {
		return chatapi.Response{}, err
	}
	return h.Handle(ctx, e)
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
	if c.options.OneByOne {
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
	}
	var t chatapi.Task
	h, err := c.handler()
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err == nil {
		err = h.Run(context.Background(), t)
	}
	if err != nil {
		c.tb.Errorf("task %s: %v", t.Kind, err)
	}
}

// schedule sweeps every second, so that tests need not wait for AWS's minute.
func (c *cold) schedule(ctx context.Context) {
	for chatapi.Sleep(ctx, time.Second) == nil {
		h, err := c.handler()
		if err == nil {
			err = h.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			c.tb.Errorf("sweep: %v", err)
		}
	}
}

// repeats counts the repeated events of each connection that are being handled.
type repeats struct {
	mu      *sync.Mutex
	ended   *sync.Cond
	running map[string]int
}

func newRepeats() repeats {
	mu := new(sync.Mutex)
	return repeats{mu: mu, ended: sync.NewCond(mu), running: map[string]int{}}
}

func (r repeats) begin(connectionID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[connectionID]++
}

func (r repeats) end(connectionID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[connectionID]--; r.running[connectionID] == 0 {
		delete(r.running, connectionID)
	}
	r.ended.Broadcast()
}

// wait returns when no repeat of the connection is being handled.
func (r repeats) wait(connectionID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.running[connectionID] > 0 {
		r.ended.Wait()
	}
}
