package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim/checker"
)

// Times of a client.
const (
	dialLimit = 5 * time.Second
	redial    = 10 * time.Millisecond  // it comes back at once, and the machine is the same
	heartbeat = 500 * time.Millisecond // and how often it looks for what waits
)

// Options make a Client.
type Options struct {
	URL   func() string // asked before each connect
	User  string
	Rooms []string // that it joins and follows
	Seed  uint64   // of what it says where
	// Window is how many messages it has unacknowledged at a time; 0: it only listens.
	Window int
	Most   int // messages that it sends in all; 0: as many as it can until Stop
	// Resend is how many of its last acknowledged messages it repeats when it comes back, as one
	// would who had not got the answer.
	Resend int
	// ReadEvery is after how many acknowledgements it reads the end of a room's log; 0: never.
	ReadEvery int
	// Length is how long its texts are at least.
	Length int
	// Answer is how long it waits for an answer before it connects anew; 0: for ever. With it, a
	// refusal that may pass is tried again.
	Answer time.Duration
	// Heartbeat is how often it asks for the heads of its rooms; default 500 ms.
	Heartbeat time.Duration
	// Silent clients send no heartbeat.
	Silent bool
	// ReadBuffer is the size of the socket's receive buffer; 0: the system's.
	ReadBuffer int
}

// Client is a client that follows rooms and talks in them until its context ends, whatever becomes
// of the connection.
type Client struct {
	o    Options
	book *checker.Client
	rng  *rand.Rand
	http *http.Client
	gate gate

	mu      sync.Mutex
	conn    *websocket.Conn // nil between two connections
	rooms   map[string]*followed
	joined  int       // rooms
	joinAt  time.Time // when rooms are joined that are not yet
	reads   int       // asked for
	outbox  outbox
	stopped bool
	gone    bool
	left    time.Time // when the last connection ended
	began   time.Time // when the present one did
	seen    Seen
}

// Seen is what a client has met.
type Seen struct {
	Welcomes   int
	Duplicates int             // repeated messages that were answered as such
	Reconnects []time.Duration // what the server asked for before it went
	Gaps       []time.Duration // from the end of a connection to the next welcome
	Resets     int
	Resyncs    int
	Problems   []error
}

// Start runs a client until ctx ends; done is closed when it has stopped.
func Start(ctx context.Context, h *checker.History, o Options) (c *Client, done <-chan struct{}) {
	c = &Client{
		o: o, book: h.Client(o.User), rng: rand.New(rand.NewPCG(o.Seed, 0)),
		rooms: map[string]*followed{}, outbox: newOutbox(), http: httpClient(o.ReadBuffer),
	}
	for _, room := range o.Rooms {
		c.rooms[room] = newFollowed(room)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer c.http.CloseIdleConnections()
		c.run(ctx)
	}()
	return c, ended
}

// httpClient makes handshakes on sockets with a receive buffer of that size.
func httpClient(readBuffer int) *http.Client {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok && readBuffer > 0 {
			err = tcp.SetReadBuffer(readBuffer)
		}
		return conn, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}}
}

// run keeps the client connected.
func (c *Client) run(ctx context.Context) {
	for ctx.Err() == nil {
		if conn, err := c.dial(ctx); err == nil {
			c.talk(ctx, conn)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(redial):
		}
	}
}

func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	where := c.o.URL() + "?name=" + url.QueryEscape(c.o.User)
	options := &websocket.DialOptions{HTTPClient: c.http}
	conn, _, err := websocket.Dial(ctx, where, options) //nolint:bodyclose // the library closes it
	if err == nil {
		conn.SetReadLimit(1 << 20)
	}
	return conn, err
}

// errLeave ends a connection because the server asked for it.
var errLeave = errors.New("the server asks to reconnect")

// talk uses a connection until it ends.
func (c *Client) talk(ctx context.Context, conn *websocket.Conn) {
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	c.conn, c.began = conn, time.Now()
	c.greet()
	c.mu.Unlock()
	var beat sync.WaitGroup
	defer beat.Wait()
	defer cancel()
	beat.Go(func() { c.beat(ctx, conn) })
	err := c.listen(ctx, conn)
	if errors.Is(err, errLeave) {
		_ = conn.Close(websocket.StatusNormalClosure, "") // the server may have gone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	c.left = time.Now()
	c.outbox.lost()
}

// listen takes frames until the connection ends.
func (c *Client) listen(ctx context.Context, conn *websocket.Conn) error {
	for {
		if err := c.gate.pass(ctx); err != nil {
			return err
		}
		_, text, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		f, err := parse(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		c.mu.Lock()
		err = c.take(&f)
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// beat asks for the heads of the rooms at every heartbeat.
func (c *Client) beat(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	next := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if now := time.Now(); !c.o.Silent && now.After(next) {
			next = now.Add(c.o.Heartbeat - heartbeat/2)
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"action":"ping"}`)) // the reader finds out
		}
		c.mu.Lock()
		if c.o.Answer > 0 && time.Now().After(c.joinAt) {
			c.joinRest()
		}
		c.sendWaiting()
		late := c.overdue(time.Now())
		c.mu.Unlock()
		if late {
			conn.CloseNow()
			return
		}
	}
}

// overdue tells whether something has waited too long for its answer.
func (c *Client) overdue(now time.Time) bool {
	if c.o.Answer == 0 {
		return false
	}
	late := c.joined < len(c.o.Rooms) && now.Sub(c.began) > c.o.Answer
	for _, s := range c.outbox.open {
		late = late || s.attempt != nil && now.Sub(s.sent) > c.o.Answer
	}
	for _, r := range c.rooms {
		late = late || r.fetching && now.Sub(r.asked) > c.o.Answer
	}
	return late
}

// send writes a frame; that the connection is lost is the reader's to find out.
func (c *Client) send(format string, args ...any) {
	if c.conn != nil {
		_ = c.conn.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, format, args...))
	}
}

// Stop ends the client's talking; it goes on following.
func (c *Client) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// Leave says that the client's context is about to end before the others': what it has not seen by now
// it does not miss.
func (c *Client) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.book.Stop()
}

// Left tells whether Leave was called.
func (c *Client) Left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Cut cuts the connection without a word.
func (c *Client) Cut() {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		conn.CloseNow()
	}
}

// Pause makes the client read nothing until Unpause.
func (c *Client) Pause() { c.gate.close() }

// Unpause lets it read again.
func (c *Client) Unpause() { c.gate.open() }

// Seen gives what the client has met so far.
func (c *Client) Seen() Seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// Joined tells whether the client is in all its rooms.
func (c *Client) Joined() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.joined == len(c.o.Rooms)
}

// Acked tells how many messages are acknowledged.
func (c *Client) Acked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.acked
}

// Settled tells whether everything that it has sent is acknowledged, and everything up to the
// numbers of heads is shown.
func (c *Client) Settled(heads map[string]uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, r := range c.rooms {
		if r.last < heads[name] {
			return false
		}
	}
	return len(c.outbox.open) == 0
}

// gate is what a reader passes while it is open.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}

// pass returns when the gate is open.
func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed == nil {
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
