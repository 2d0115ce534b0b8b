package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// State is how a client is connected.
type State int

// The states of a client.
const (
	Connecting State = iota // an attempt is under way
	Online                  // the server has welcomed the client
	Waiting                 // until the next attempt
	Closed                  // for good
)

// String names the state.
func (s State) String() string {
	return [...]string{"connecting", "online", "waiting", "closed"}[s]
}

// steady is how many of the shortest waits a connection has to last to count as a good one.
const steady = 10

// Client is a user of a chat, on a connection that is made again whenever it is lost. Its methods
// may be called at any time, by several goroutines at once. Close it when it is no longer needed.
type Client struct {
	o    options
	url  *url.URL
	http *http.Client
	stop context.CancelFunc
	// ended is closed when nothing of the client runs any more.
	ended chan struct{}
	links sync.WaitGroup // that are being closed

	mu       sync.Mutex
	state    State
	err      error // why it has ended
	user     string
	name     string // to connect with, in open mode
	link     *link  // that is written to; nil without a connection
	welcomed bool   // at least once
	told     bool   // that the line is down
	complete bool   // the last list of one's rooms had all of them
	rooms    map[string]*room
	late     map[*room]bool // those with something due
	fetches  map[string]*room
	left     map[string]time.Time
	queue    queue
	stalled  bool // a message waits for room in the queue
	outbox   outbox
	requests requests
	typing   [][]byte // frames that are worth nothing later
}

// Dial connects to a chat, as ws://127.0.0.1:8080/production or wss://HOST/STAGE, and returns when
// the server has welcomed the client. It tries once, so that a wrong address shows at once, and ctx
// bounds it; a client that has been welcomed connects again by itself until it is closed.
func Dial(ctx context.Context, address string, opts ...Option) (*Client, error) {
	o := defaults()
	for _, option := range opts {
		option(&o)
	}
	u, err := parse(address)
	if err != nil {
		return nil, err
	}
	box, err := openOutbox(o.outbox, u)
	if err != nil {
		return nil, err
	}
	c := newClient(o, u, box)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	for _, e := range box.order {
		e.sending.client = c
	}
	first := make(chan error, 1)
	go c.run(running, first)
	if o.lazy {
		return c, nil
	}
	select {
	case err = <-first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func newClient(o options, u *url.URL, box outbox) *Client {
	c := &Client{
		o: o, url: u, http: o.http, name: o.name, ended: make(chan struct{}),
		rooms: map[string]*room{}, late: map[*room]bool{}, fetches: map[string]*room{},
		left: map[string]time.Time{}, queue: newQueue(o.buffer), outbox: box, requests: newRequests(),
	}
	if c.http == nil {
		c.http = newHTTPClient()
	}
	for name, cursor := range o.from {
		c.rooms[name] = newRoom(name, cursor.Epoch, cursor.Seq+1, time.Now())
	}
	return c
}

// Close ends the client and returns when nothing of it runs any more. What is in an outbox file is
// sent by the next run.
func (c *Client) Close() error {
	c.stop()
	<-c.ended
	return c.outbox.close()
}

// Err is why the client has ended: ErrClosed, or what no new attempt can mend; nil while it lives.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// State tells how the client is connected.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// User is who one is, "" before the first welcome.
func (c *Client) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// run keeps the client connected until ctx ends, or it makes no sense any more.
func (c *Client) run(ctx context.Context, first chan<- error) {
	err := c.keep(ctx, first)
	if ctx.Err() != nil {
		err = ErrClosed
	}
	c.stop()
	c.links.Wait()
	if c.o.http == nil {
		c.http.CloseIdleConnections()
	}
	c.mu.Lock()
	c.state, c.err = Closed, err
	c.mu.Unlock()
	close(c.ended)
}

// keep connects again and again; first gets the outcome of the first attempt.
func (c *Client) keep(ctx context.Context, first chan<- error) error {
	for attempt, failed := 0, 0; ; attempt++ {
		c.setState(Connecting)
		begin := time.Now()
		l, err := c.open(ctx)
		if attempt == 0 {
			first <- err
		}
		if err == nil {
			l = c.follow(ctx, l)
			err = context.Cause(l.ctx)
		}
		if ctx.Err() != nil || final(err) || attempt == 0 && l == nil && !c.o.lazy {
			return err
		}
		if l != nil && time.Since(begin) > steady*c.o.minWait {
			failed = 0
		}
		wait := c.o.backoff(failed)
		failed++
		c.down(err, wait)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// follow returns when a link, or the last of those that took over from it, has ended, and gives that
// one.
func (c *Client) follow(ctx context.Context, l *link) *link {
	for failed := 0; ; {
		select {
		case <-ctx.Done():
			l.close(ctx, 0)
			return l
		case <-l.done:
			return l
		case <-l.turn:
		}
		next, err := c.open(ctx)
		switch {
		case err == nil:
			old := l
			c.links.Go(func() { old.close(ctx, lingering) })
			l, failed = next, 0
		case l.leave:
			l.close(ctx, 0)
		default:
			failed++
			c.turnLater(l, c.o.backoff(failed))
		}
	}
}

// turnLater tries again to have another link take over.
func (c *Client) turnLater(l *link, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.turnAt = time.Now().Add(wait)
	l.poke()
}

func (c *Client) setState(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

// down tells that the line is down, once.
func (c *Client) down(err error, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.told {
		c.queue.hint(Disconnected{err, wait})
	}
	c.state, c.told = Waiting, true
}
