package chatapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

// world is a handler on stores in memory, with a clock that stands still.
type world struct {
	testing.TB
	ctx    context.Context
	clock  *storetest.Clock
	log    *memstore.Log
	conns  *memstore.Connections
	poster *poster
	later  *later
	logged *strings.Builder
	h      *chatapi.Handler
	next   int
	lock   sync.Mutex // guards next
}

// options are what a test may change of a world.
type options struct {
	store  memstore.Options
	config func(*chatapi.Config)
}

func newWorld(tb testing.TB, changes ...func(*options)) *world {
	tb.Helper()
	clock := storetest.NewClock()
	epochs := 0
	o := options{store: memstore.Options{Now: clock.Now, NewEpoch: func() string {
		epochs++
		return fmt.Sprintf("epoch%d", epochs)
	}}}
	for _, change := range changes {
		change(&o)
	}
	w := &world{
		TB: tb, ctx: context.Background(), clock: clock,
		log: memstore.NewLog(o.store), conns: memstore.NewConnections(o.store),
		poster: newPoster(), logged: &strings.Builder{},
	}
	w.later = &later{}
	config := chatapi.Config{
		Service: chat.NewService(w.log, w.conns, clock.Now), Poster: w.poster, Deferrer: w.later,
		Version: "0.1.0", Heartbeat: 10 * time.Second, Pipeline: 32, Now: clock.Now,
		Sleep:  func(_ context.Context, d time.Duration) error { clock.Advance(d); return nil },
		Jitter: func(n int) int { return n - 1 },
		Logger: slog.New(slog.NewTextHandler(w.logged, nil)),
	}
	if o.config != nil {
		o.config(&config)
	}
	w.h = chatapi.New(config)
	w.later.h = w.h
	return w
}

// with changes the handler's configuration.
func with(config func(*chatapi.Config)) func(*options) {
	return func(o *options) { o.config = config }
}

// sub runs a subtest in a world of its own.
func sub(t *testing.T, name string, run func(w *world), changes ...func(*options)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { run(newWorld(t, changes...)) })
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func equal[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// connectEvent is what API Gateway makes of a handshake.
func (w *world) connectEvent(id string, query map[string]string) chatapi.Event {
	e := chatapi.Event{
		Headers:               map[string]string{"Host": "chat.example"},
		QueryStringParameters: query,
	}
	e.RequestContext.RouteKey = "$connect"
	e.RequestContext.EventType = "CONNECT"
	e.RequestContext.ConnectionID = id
	e.RequestContext.ConnectedAt = w.clock.Now().UnixMilli()
	e.RequestContext.RequestID = "request-" + id
	return e
}

// frame is the event of one frame of a client.
func (w *world) frame(id, body string) chatapi.Event {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.next++
	e := chatapi.Event{Body: body}
	e.RequestContext.RouteKey = "$default"
	e.RequestContext.EventType = "MESSAGE"
	e.RequestContext.ConnectionID = id
	e.RequestContext.RequestID = fmt.Sprintf("request%d", w.next)
	e.RequestContext.MessageID = fmt.Sprintf("message%d", w.next)
	return e
}

func (w *world) handle(e chatapi.Event) chatapi.Response {
	w.Helper()
	r, err := w.h.Handle(w.ctx, e)
	w.ok(err)
	return r
}

// connect opens connections whose ids are the users' names with a number: alice1.
func (w *world) connect(ids ...string) {
	w.Helper()
	for _, id := range ids {
		name := strings.TrimRight(id, "0123456789")
		if r := w.handle(w.connectEvent(id, map[string]string{"name": name})); r.StatusCode != http.StatusOK {
			w.Fatalf("%s: %d %s", id, r.StatusCode, r.Body)
		}
	}
}

func (w *world) disconnect(id string) {
	w.Helper()
	e := chatapi.Event{}
	e.RequestContext.RouteKey = "$disconnect"
	e.RequestContext.ConnectionID = id
	w.handle(e)
}

// act hands a frame of a client over and gives what that connection has got since it was asked.
func (w *world) act(id, body string) []string {
	w.Helper()
	if r := w.handle(w.frame(id, body)); r.StatusCode != http.StatusOK {
		w.Errorf("status %d", r.StatusCode)
	}
	return w.poster.take(id)
}

// join lets connections join a room and forgets what they were told.
func (w *world) join(room string, ids ...string) {
	w.Helper()
	for _, id := range ids {
		got := w.act(id, fmt.Sprintf(`{"action":"joinRoom","room":%q}`, room))
		if len(got) == 0 || !strings.Contains(got[len(got)-1], `"event":"joined"`) {
			w.Fatalf("%s joins %s: %s", id, room, got)
		}
	}
	w.poster.forget()
}

// send sends a message and forgets what anybody was told.
func (w *world) send(id, room, messageID, text string) {
	w.Helper()
	w.act(id, fmt.Sprintf(`{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, messageID, room, text))
	w.poster.forget()
}

// poster is a gateway that keeps what it is given, per connection and in order. A test tells it
// what goes wrong.
type poster struct {
	mu     sync.Mutex
	got    map[string][]string
	calls  []call
	closed map[string]closing
	gone   map[string]bool // what AWS answers with 410
	unsent map[string]bool // those for which the time is over, to close them too
	info   connections.Info
	fail   error      // of every call
	before func(call) // runs before a Post
}

// call is one Post.
type call struct {
	to     []string
	frames []string
}

type closing struct {
	code   int
	reason string
}

func newPoster() *poster {
	return &poster{
		got: map[string][]string{}, closed: map[string]closing{}, gone: map[string]bool{},
		unsent: map[string]bool{},
	}
}

func (p *poster) Post(_ context.Context, to []connections.Target, frames [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	c := call{}
	for _, t := range to {
		c.to = append(c.to, t.ID)
	}
	for _, f := range frames {
		c.frames = append(c.frames, string(f))
	}
	if p.before != nil {
		p.before(c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	if p.fail != nil {
		return nil, nil, p.fail
	}
	for _, t := range to {
		switch {
		case p.gone[t.ID]:
			gone = append(gone, t)
		case p.unsent[t.ID]:
			unsent = append(unsent, t)
		default:
			p.got[t.ID] = append(p.got[t.ID], c.frames...)
		}
	}
	return gone, unsent, nil
}

func (p *poster) Send(_ context.Context, to connections.Target, frames [][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone[to.ID] {
		return fmt.Errorf("send: %w", connections.ErrGone)
	}
	for _, f := range frames {
		p.got[to.ID] = append(p.got[to.ID], string(f))
	}
	return nil
}

func (p *poster) Close(_ context.Context, t connections.Target, code int, reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone[t.ID]:
		return connections.ErrGone
	case p.unsent[t.ID]:
		return errors.New("not done in time")
	}
	p.closed[t.ID] = closing{code, reason}
	return nil
}

func (p *poster) Describe(_ context.Context, t connections.Target) (connections.Info, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone[t.ID] {
		return connections.Info{}, connections.ErrGone
	}
	return p.info, p.fail
}

// take gives what a connection has got since it was asked, never nil.
func (p *poster) take(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	frames := append([]string{}, p.got[id]...)
	delete(p.got, id)
	return frames
}

// forget forgets everything that was posted.
func (p *poster) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.got)
	p.calls = nil
}

// later is a Deferrer that waits until it is told to run.
type later struct {
	h     *chatapi.Handler
	mu    sync.Mutex
	tasks []chatapi.Task
	fail  error
}

func (l *later) Later(_ context.Context, t chatapi.Task) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail == nil {
		l.tasks = append(l.tasks, t)
	}
	return l.fail
}

// take gives the tasks that wait.
func (l *later) take() []chatapi.Task {
	l.mu.Lock()
	defer l.mu.Unlock()
	tasks := l.tasks
	l.tasks = nil
	return tasks
}

// run runs tasks until none waits, and finds fault with tasks that make tasks without end.
func (l *later) run(ctx context.Context) error {
	var errs []error
	for range 100 {
		tasks := l.take()
		if len(tasks) == 0 {
			return errors.Join(errs...)
		}
		for _, t := range tasks {
			errs = append(errs, l.h.Run(ctx, t))
		}
	}
	return errors.New("tasks make tasks without end")
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// use puts another log under the handler.
func (w *world) use(log chat.Log) { w.h.Service = chat.NewService(log, w.conns, w.clock.Now) }

// failingLog is a log that answers every call of some methods with an error.
type failingLog struct {
	chat.Log
	err error
}

func (f failingLog) PutUser(context.Context, chat.User) error { return f.err }

func (f failingLog) Append(context.Context, chat.Draft, func(chat.Head, chat.Message)) (chat.Message, error) {
	return chat.Message{}, f.err
}
