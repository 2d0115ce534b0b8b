package testenv

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// patience is how long a client waits for a frame before the test fails.
const patience = time.Minute

// sweepEvery is how often a stage tells presence: the template's schedule.
const sweepEvery = time.Minute

// Frame is one frame that a client got.
type Frame struct {
	Raw string
	// The members that most tests look at.
	Event, ID, Room, Code, From, Message, Epoch, User string
	Seq                                               uint64
	More, Duplicate, Void, Deleted                    bool
	// Fields has all members.
	Fields map[string]any
}

// Client is a WebSocket client of the chat that keeps all frames it gets.
type Client struct {
	tb    testing.TB
	User  string
	conn  *websocket.Conn
	mu    sync.Mutex
	news  *sync.Cond
	all   []Frame
	seen  map[string]bool // messages by room and seq
	next  int             // the first frame that no Await has looked at
	any   bool            // frames of any form: the connection speaks another dialect than native
	err   error           // why reading ended
	due   time.Time       // when the next action may be sent, where names are set
	names *names
	done  chan struct{}
}

// read keeps what comes, from when gate is closed on.
func (c *Client) read(gate <-chan struct{}) {
	defer close(c.done)
	if gate != nil {
		<-gate
	}
	for {
		_, text, err := c.conn.Read(context.Background())
		text = c.names.in(text)
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			if problem := checkForm(text); problem != nil && !c.any {
				c.tb.Errorf("%s got %s: %v", c.User, text, problem)
			}
			if f := parse(text); !c.repeated(f) {
				c.all = append(c.all, f)
			}
		}
		c.news.Broadcast()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// repeated tells whether a pushed message is there already: at least once is all that is promised.
func (c *Client) repeated(f Frame) bool {
	if f.Event != "message" || f.Duplicate {
		return false
	}
	key := fmt.Sprint(f.Room, " ", f.Seq)
	again := c.seen[key]
	c.seen[key] = true
	return again
}

func parse(text []byte) Frame {
	f := Frame{Raw: string(text)}
	if err := json.Unmarshal(text, &f.Fields); err != nil {
		return f
	}
	// A second look at the members with a fixed type; one of another type stays in Fields.
	text2 := func(name string) string { s, _ := f.Fields[name].(string); return s }
	flag := func(name string) bool { b, _ := f.Fields[name].(bool); return b }
	f.Event, f.ID, f.Room, f.Code = text2("event"), text2("id"), text2("room"), text2("code")
	f.From, f.Message = text2("from"), text2("message")
	f.Epoch, f.User = text2("epoch"), text2("user")
	f.More, f.Duplicate = flag("more"), flag("duplicate")
	f.Void, f.Deleted = flag("void"), flag("deleted")
	seq, _ := f.Fields["seq"].(float64)
	f.Seq = uint64(seq)
	return f
}

// Send sends a text frame.
func (c *Client) Send(format string, args ...any) {
	c.tb.Helper()
	if err := c.TrySend(fmt.Sprintf(format, args...)); err != nil {
		c.tb.Fatalf("%s sends: %v", c.User, err)
	}
}

// TrySend sends a text frame and gives the error.
func (c *Client) TrySend(frame string) error {
	c.names.pace(c)
	frame = c.names.out(frame)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, []byte(frame))
}

// SendParts sends one text message in WebSocket frames of at most size bytes.
func (c *Client) SendParts(message []byte, size int) {
	c.tb.Helper()
	if err := c.TrySendParts(message, size); err != nil {
		c.tb.Fatalf("%s sends: %v", c.User, err)
	}
}

// TrySendParts is SendParts that gives the error.
func (c *Client) TrySendParts(message []byte, size int) error {
	c.names.pace(c)
	message = []byte(c.names.out(string(message)))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w, err := c.conn.Writer(ctx, websocket.MessageText)
	for part := range slices.Chunk(message, size) {
		if err == nil {
			_, err = w.Write(part)
		}
	}
	if err == nil {
		err = w.Close()
	}
	return err
}

// SendBinary sends a binary message.
func (c *Client) SendBinary(message []byte) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageBinary, message); err != nil {
		c.tb.Fatalf("%s sends: %v", c.User, err)
	}
}

// Await gives the first frame, among those that no Await has passed, that fits; it passes it and
// all before it. The test fails when none comes.
func (c *Client) Await(what string, fits func(Frame) bool) Frame {
	c.tb.Helper()
	limit := patience
	if c.names != nil {
		limit = sweepEvery + patience
	}
	f, err := c.TryAwait(limit, fits)
	if err != nil {
		c.tb.Fatalf("%s waits for %s: %v", c.User, what, err)
	}
	return f
}

// TryAwait is Await with a time limit of its own, and an error instead of a failure.
func (c *Client) TryAwait(limit time.Duration, fits func(Frame) bool) (Frame, error) {
	deadline := time.Now().Add(limit)
	wake := time.AfterFunc(limit, c.news.Broadcast)
	defer wake.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.next
	for i := from; ; {
		for ; i < len(c.all); i++ {
			if fits(c.all[i]) {
				c.next = i + 1
				return c.all[i], nil
			}
		}
		if c.err != nil {
			return Frame{}, fmt.Errorf("%w; it got %s", c.err, raws(c.all[from:]))
		}
		if !time.Now().Before(deadline) {
			return Frame{}, fmt.Errorf("nothing after %v; it got %s", limit, raws(c.all[from:]))
		}
		c.news.Wait()
	}
}

func raws(frames []Frame) string {
	var all string
	for i, f := range frames {
		if i == 20 {
			return all + "\n  and more"
		}
		all += "\n  " + f.Raw
	}
	return all
}

// Event awaits the next frame of that event.
func (c *Client) Event(name string) Frame {
	c.tb.Helper()
	return c.Await("event "+name, func(f Frame) bool { return f.Event == name })
}

// Answer awaits the frame that carries the id.
func (c *Client) Answer(id string) Frame {
	c.tb.Helper()
	return c.Await("the answer to "+id, func(f Frame) bool { return f.ID == id })
}

// Do sends an action, in which id must stand, and gives its answer.
func (c *Client) Do(id, format string, args ...any) Frame {
	c.tb.Helper()
	c.Send(format, args...)
	return c.Answer(id)
}

// Join joins a room and gives the answer, which must be "joined".
func (c *Client) Join(room string) Frame {
	c.tb.Helper()
	f := c.Do("join-"+room, `{"action":"joinRoom","id":"join-%s","room":%q}`, room, room)
	if f.Event != "joined" {
		c.tb.Fatalf("%s joins %s: %s", c.User, room, f.Raw)
	}
	return f
}

// Say sends a message to a room and gives the acknowledgement.
func (c *Client) Say(room, id, text string) Frame {
	c.tb.Helper()
	f := c.Do(id, `{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, id, room, text)
	if f.Event != "message" {
		c.tb.Fatalf("%s says %q in %s: %s", c.User, text, room, f.Raw)
	}
	return f
}

// All gives every frame so far, repeated messages left out.
func (c *Client) All() []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

// Seen gives the first frame ever that fits, and awaits it where there is none yet. It passes no
// frame.
func (c *Client) Seen(what string, fits func(Frame) bool) Frame {
	c.tb.Helper()
	c.mu.Lock()
	at := c.next
	c.next = 0
	c.mu.Unlock()
	f := c.Await(what, fits)
	c.mu.Lock()
	c.next = at
	c.mu.Unlock()
	return f
}

// Count tells how many frames so far fit.
func (c *Client) Count(fits func(Frame) bool) int {
	n := 0
	for _, f := range c.All() {
		if fits(f) {
			n++
		}
	}
	return n
}

// Next gives the next frame, whichever it is.
func (c *Client) Next() Frame {
	c.tb.Helper()
	return c.Await("the next frame", func(Frame) bool { return true })
}

// Rest gives, and passes, the frames that nobody has awaited and that were posted to this
// connection before. It sends an action that every dialect refuses, and awaits the refusal: the cold
// host may handle it before the client's own last action.
func (c *Client) Rest() []Frame {
	c.tb.Helper()
	id := fmt.Sprintf("rest-%d", fetches.Add(1))
	c.Send(`{"action":"sendMessage","id":%q}`, id)
	if _, err := c.find(func(f Frame) bool { return f.ID == id }); err != nil {
		c.tb.Fatalf("%s sends an incomplete frame: %v", c.User, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.next
	for c.next = from; c.all[c.next].ID != id; c.next++ {
	}
	c.next++
	return slices.Clone(c.all[from : c.next-1])
}

// Sync returns when everything that was posted to this connection before has arrived: it sends a
// ping and awaits the pong, without passing any frame.
func (c *Client) Sync() {
	c.tb.Helper()
	c.mu.Lock()
	at := c.next
	c.mu.Unlock()
	id := fmt.Sprintf("sync-%d-%d", at, time.Now().UnixNano())
	c.Do(id, `{"action":"ping","id":%q}`, id)
	c.mu.Lock()
	c.next = at
	c.mu.Unlock()
}
