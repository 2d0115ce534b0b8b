package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// Times of a connection in the dialect direct.
const (
	keepAlive  = 4 * time.Minute // between pings: API Gateway ends what is idle for 10 minutes
	shortest   = time.Second     // at most, before the first attempt to connect again
	longest    = 30 * time.Second
	maxMessage = 256 << 10 // bytes; messages have at most 128 KiB (docs/protocol.md, "Limits")
)

// someone has sent what bears no name: in this dialect no frame does.
const someone = "someone"

// direct is a chat in the dialect of the write-up with a Go client: docs/protocol.md, "Seed
// dialects".
type direct struct {
	*Chat
	address string
	options websocket.DialOptions

	mu    sync.Mutex
	conn  *websocket.Conn // nil while the line is down
	known string          // the connection's id, "" until it is known
	asked int             // requests for the connection's id without an answer
	texts []saidText      // that have not come back yet
	ended bool            // the last answer only tells that all is done
	told  chan struct{}   // has a token when something was answered
}

// saidText is a text on its way to all, the sender too.
type saidText struct{ id, text string }

// isDirect tells whether the address asks for the dialect.
func (t *Chat) isDirect() bool {
	address, _, err := t.resolve()
	return err == nil && address.Query().Get("dialect") == "direct"
}

// runDirect talks in the dialect until the input ends, or /quit.
func (t *Chat) runDirect(ctx context.Context) error {
	t.prepare()
	d := &direct{Chat: t, told: make(chan struct{}, 1)}
	if err := d.prepareDial(); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	inner, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	go func() { stop(d.keep(inner)) }()
	t.Console.SetPrompt("> ")
	lines := readConsole(t.Console)
	for {
		select {
		case <-ctx.Done():
			d.close()
			return context.Cause(ctx)
		case <-inner.Done():
			return context.Cause(inner)
		case in := <-lines:
			err := in.err
			if err == nil {
				err = d.enter(inner, in.line)
			}
			switch {
			case err == nil:
			case isEnd(err):
				return d.end(inner)
			default:
				return because(inner, err)
			}
		}
	}
}

// prepareDial makes the address, with the session where there is one.
func (d *direct) prepareDial() error {
	u, signedIn, err := d.resolve()
	if err != nil {
		return err
	}
	header := http.Header{}
	if signedIn && d.Name == "" {
		session, err := keptSession(client.Origin(u))
		if err != nil {
			return err
		}
		header.Set("Authorization", "Bearer "+session)
	} else if name := d.name(u); name != "" {
		query := u.Query()
		query.Set("name", name)
		u.RawQuery = query.Encode()
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	d.address = u.String()
	d.options = websocket.DialOptions{
		HTTPHeader: header,
		HTTPClient: &http.Client{Transport: d.transport(), CheckRedirect: refuse},
	}
	return nil
}

// connect makes the connection and asks for its id, as the write-up's client does first.
func (d *direct) connect(ctx context.Context) error {
	limit := d.Timeout
	if limit == 0 {
		limit = time.Minute
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, response, err := websocket.Dial(bounded, d.address, &d.options) //nolint:bodyclose // it closes it
	switch {
	case err != nil && isNoAnswer(err):
		return fmt.Errorf("%w: %s", ErrUnreachable, reason(err))
	case err != nil && response != nil && response.Body != nil:
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1024)) // the status says most
		return fmt.Errorf("the server answers %s: %s",
			response.Status, terminal.CleanLine(string(text)))
	case err != nil:
		return err
	}
	conn.SetReadLimit(maxMessage)
	d.mu.Lock()
	d.conn, d.known, d.asked, d.texts = conn, "", 0, nil
	d.mu.Unlock()
	return d.askID(ctx)
}

// keep prints what comes, and connects again when the line is down.
func (d *direct) keep(ctx context.Context) error {
	for {
		err := d.read(ctx)
		d.mu.Lock()
		d.conn.CloseNow()
		d.conn = nil
		ended := d.ended
		d.mu.Unlock()
		if ended {
			return nil
		}
		d.Console.Notice("The line is down (%s); connecting again.", reason(err))
		if err := d.again(ctx); err != nil {
			return err
		}
		d.Console.Notice("The line is up again.")
	}
}

// again connects until it succeeds, or makes no sense: docs/protocol.md, "Close codes".
func (d *direct) again(ctx context.Context) error {
	for wait := shortest; ; wait = min(2*wait, longest) {
		timer := time.NewTimer(rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		if err := d.connect(ctx); !errors.Is(err, ErrUnreachable) {
			return err
		}
	}
}

// read prints frames until the connection ends, and keeps it alive.
func (d *direct) read(ctx context.Context) error {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		ticker := time.NewTicker(keepAlive)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = conn.Ping(ctx) // what is lost shows in Read
			}
		}
	}()
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := d.show(frame); err != nil {
			return err
		}
	}
}
