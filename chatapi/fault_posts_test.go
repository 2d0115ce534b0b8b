//go:build !race

package chatapi_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/store/storetest"
	"github.com/confab-chat/confab/wire"
)

// deep tells that tests are to take the time that `make deep` has.
func deep() bool { return os.Getenv("CONFAB_DEEP") == "1" }

// What a faulty gateway does to a post.
const (
	fine           = iota
	throttled      // 429 until the time is over
	broken         // 500 until the time is over
	timeout        // no answer, and not delivered
	slow           // delivered after a while
	lateTimeout    // delivered, but no answer came
	faultCount     // of the above; 410 is what a closed connection answers
	faultShare     = 0.3
	openAfter      = 400 * time.Millisecond // a new connection answers 410 so long in one of three
	heartbeatEvery = 120 * time.Second
)

// faultyGateway is a Poster between a handler and sockets.
type faultyGateway struct {
	r       *rand.Rand
	clock   *storetest.Clock
	sockets map[string]*socket
	healed  bool
	posts   int
	faults  map[int]int // by fault, 410 as -1
}

// socket is a connection at the gateway.
type socket struct {
	opens  time.Time // answers 410 until then
	closed bool      // answers 410, and no $disconnect came
	read   func(frame []byte)
}

var errGateway = errors.New("the gateway does not answer")

// one posts frames to one socket; delivered and answered are two things.
func (g *faultyGateway) one(id string, frames [][]byte) error {
	g.posts++
	s := g.sockets[id]
	if s == nil || s.closed || g.clock.Now().Before(s.opens) {
		g.faults[-1]++
		return connections.ErrGone
	}
	fault := fine
	if !g.healed && g.r.Float64() < faultShare {
		fault = 1 + g.r.IntN(faultCount-1)
		g.faults[fault]++
	}
	switch fault {
	case throttled, broken, timeout:
		g.clock.Advance(50 * time.Millisecond)
		return errGateway
	case slow:
		g.clock.Advance(200 * time.Millisecond)
	}
	for _, f := range frames {
		s.read(slices.Clone(f))
	}
	if fault == lateTimeout {
		return errGateway
	}
	return nil
}

func (g *faultyGateway) Post(_ context.Context, to []connections.Target, frames [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	for _, t := range slices.Clone(to) {
		switch err := g.one(t.ID, frames); {
		case errors.Is(err, connections.ErrGone):
			gone = append(gone, t)
		case err != nil:
			unsent = append(unsent, t)
		}
	}
	return gone, unsent, nil
}

func (g *faultyGateway) Send(_ context.Context, t connections.Target, frames [][]byte) error {
	return g.one(t.ID, frames)
}

func (g *faultyGateway) Describe(_ context.Context, t connections.Target) (connections.Info, error) {
	if s := g.sockets[t.ID]; s == nil || s.closed {
		return connections.Info{}, connections.ErrGone
	}
	return connections.Info{}, nil
}

func (g *faultyGateway) Close(_ context.Context, t connections.Target, _ int, _ string) error {
	s := g.sockets[t.ID]
	if s == nil || s.closed {
		return connections.ErrGone
	}
	s.closed = true
	return nil
}

// device is a client that shows each message of its room once and in order, as docs/protocol.md
// asks of clients.
type device struct {
	id, user, room string
	h              *checker.Client
	last, head     uint64
	held           map[uint64]checker.Entry
	pending        *checker.Send // the send that has no answer
	pendingID      string
	sent           int
}

func entryOf(m wire.Message) checker.Entry {
	return checker.Entry{Seq: m.Seq, From: m.From, ID: m.ID, Text: m.Text, Void: m.Void, Deleted: m.Deleted}
}

// read takes a frame from the socket.
func (d *device) read(t *testing.T, frame []byte) {
	event, err := wire.DecodeEvent(frame)
	if err != nil {
		t.Errorf("%s: %v in %s", d.id, err, frame)
	}
	switch e := event.(type) {
	case wire.Message:
		if d.pending != nil && e.From == d.user && e.ID == d.pendingID {
			d.pending.Ack(e.Seq)
			d.pending = nil
		}
		if !e.Duplicate {
			d.h.Push(d.room, entryOf(e))
		}
		d.show(entryOf(e))
	case wire.History:
		for _, m := range e.Messages {
			d.show(entryOf(m))
		}
	case wire.Pong:
		for _, h := range e.Rooms {
			if h.Room == d.room {
				d.head = max(d.head, h.Seq)
			}
		}
	case wire.Failure: // of an answer that could not be posted: it is asked for again
		if e.Code != wire.InternalError {
			t.Errorf("%s: %+v", d.id, e)
		}
	}
}

// show shows what is due and holds what comes too early.
func (d *device) show(e checker.Entry) {
	if e.Seq <= d.last {
		return
	}
	d.held[e.Seq] = e
	d.head = max(d.head, e.Seq)
	for {
		next, ok := d.held[d.last+1]
		if !ok {
			return
		}
		delete(d.held, next.Seq)
		d.last++
		d.h.Show(d.room, next)
	}
}

// postRun is a run of F11.
type postRun struct {
	t *testing.T
	*world
	r       *rand.Rand
	g       *faultyGateway
	history *checker.History
	live    map[string]*device
	dead    []string
	opened  int
}

var postRooms = []string{"tea", "coffee", "green"}

// connect opens a device of a new user, which makes it a member of a room by its rows alone.
func (p *postRun) connect() {
	p.opened++
	d := &device{
		id: fmt.Sprintf("c%d", p.opened), user: fmt.Sprintf("user%d", p.opened),
		held: map[uint64]checker.Entry{},
	}
	d.room = postRooms[p.opened%len(postRooms)]
	s := &socket{read: func(f []byte) { d.read(p.t, f) }}
	if p.r.IntN(3) == 0 {
		s.opens = p.clock.Now().Add(openAfter)
	}
	p.g.sockets[d.id] = s
	member := chat.Join{Room: d.room, Name: d.room, User: d.user, Kind: chat.PublicRoom}
	_, head, err := p.log.Join(p.ctx, member)
	p.ok(err)
	p.handle(p.connectEvent(d.id, map[string]string{"name": d.user}))
	head, err = p.h.Service.HeadOf(p.ctx, head.Room)
	p.ok(err)
	d.last = head.Seq
	d.h = p.history.Client(d.user)
	d.h.Follow(d.room, head.Seq)
	p.live[d.id] = d
}

// die ends a device; half of the time nobody tells the handler.
func (p *postRun) die(d *device) {
	delete(p.live, d.id)
	d.h.Stop()
	p.g.sockets[d.id].closed = true
	if p.r.IntN(2) == 0 {
		p.disconnect(d.id)
	} else {
		p.dead = append(p.dead, d.id)
	}
}

// send sends a message, or the one without answer again.
func (p *postRun) send(d *device) {
	if d.pending == nil {
		d.sent++
		d.pendingID = fmt.Sprintf("m%d", d.sent)
	} else {
		d.pending.Unknown()
	}
	d.pending = d.h.Send(d.room, d.pendingID, "text of "+d.pendingID)
	p.handle(p.frame(d.id, fmt.Sprintf(`{"action":"sendMessage","id":%q,"room":%q,"message":"text of %s"}`,
		d.pendingID, d.room, d.pendingID)))
}

// heartbeat asks for the heads and fetches what is missing.
func (p *postRun) heartbeat(d *device) {
	p.handle(p.frame(d.id, `{"action":"ping"}`))
	for tries := 0; d.last < d.head && tries < 20; tries++ {
		p.handle(p.frame(d.id, fmt.Sprintf(`{"action":"history","room":%q,"after":%d,"limit":200}`, d.room, d.last)))
	}
}

func (p *postRun) any() *device {
	ids := slices.Sorted(maps.Keys(p.live))
	return p.live[ids[p.r.IntN(len(ids))]]
}

func newPostRun(t *testing.T, seed uint64) *postRun {
	r := rand.New(rand.NewPCG(seed, 11))
	g := &faultyGateway{r: r, sockets: map[string]*socket{}, faults: map[int]int{}}
	w := newWorld(t, func(o *options) {
		o.store.Lease, o.store.SilentLease = 250*time.Second, 2*time.Hour
		o.config = func(c *chatapi.Config) { c.Poster, c.Inline, c.Heartbeat, c.Logger = g, 10, heartbeatEvery, quiet }
	})
	g.clock = w.clock
	return &postRun{t: t, world: w, r: r, g: g, history: checker.New(), live: map[string]*device{}}
}

// TestF11_Posts is F11: posts fail in every way, and no live client misses a message, no dead row
// stays and no live one goes.
func TestF11_Posts(t *testing.T) {
	posts, seed := 20_000, rand.Uint64()
	if deep() {
		posts = 200_000
	}
	p := newPostRun(t, seed)
	for range 60 {
		p.connect()
	}
	lastBeat := p.clock.Now()
	for p.g.posts < posts {
		switch n := p.r.IntN(100); {
		case n < 70:
			p.send(p.any())
		case n < 75 && len(p.live) > 30:
			p.die(p.any())
		case n < 81 && len(p.live) < 90:
			p.connect()
		default:
			p.clock.Advance(time.Duration(p.r.IntN(2000)) * time.Millisecond)
		}
		if p.r.IntN(3) > 0 {
			p.ok(p.later.run(p.ctx))
		}
		if p.clock.Now().Sub(lastBeat) > heartbeatEvery {
			lastBeat = p.clock.Now()
			for _, id := range slices.Sorted(maps.Keys(p.live)) {
				p.heartbeat(p.live[id])
			}
			p.ok(p.h.Sweep(p.ctx))
		}
	}
	p.settle()
	p.check(seed)
}

// settle heals the gateway: what is unanswered is sent again, and one heartbeat comes from all.
func (p *postRun) settle() {
	p.g.healed = true
	p.ok(p.later.run(p.ctx))
	p.clock.Advance(11 * time.Second) // nobody is young
	ids := slices.Sorted(maps.Keys(p.live))
	for _, id := range ids {
		p.send(p.live[id])
	}
	p.ok(p.later.run(p.ctx))
	for _, id := range ids {
		p.heartbeat(p.live[id])
	}
}

func (p *postRun) check(seed uint64) {
	for _, room := range postRooms {
		p.history.Log(room, readLog(p.world, room))
	}
	report := p.history.Check()
	faults := 0
	for fault := -1; fault < faultCount; fault++ {
		if fault != fine && p.g.faults[fault] == 0 {
			p.Errorf("fault %d never happened", fault)
		}
		faults += p.g.faults[fault]
	}
	p.t.Log(report.Line(faults, seed))
	if err := report.Err(); err != nil {
		p.t.Errorf("seed %d: %v", seed, err)
	}
	for id := range p.live {
		if _, err := p.conns.Get(p.ctx, id); err != nil {
			p.t.Errorf("seed %d: the row of the live %s is deleted: %v", seed, id, err)
		}
	}
	for _, id := range p.dead {
		if _, err := p.conns.Get(p.ctx, id); !chat.Is(err, chat.NotFound) {
			p.t.Errorf("seed %d: the row of the dead %s is still there: %v", seed, id, err)
		}
	}
}

// readLog reads a room's whole log.
func readLog(w *world, room string) []checker.Entry {
	w.Helper()
	var log []checker.Entry
	for more := true; more; {
		p, err := w.log.Messages(w.ctx, room, chat.Range{After: uint64(len(log)), Limit: chat.MaxPage})
		w.ok(err)
		for _, m := range p.Messages {
			log = append(log, checker.Entry{
				Seq: m.Seq, From: m.From, ID: m.ID, Text: m.Text,
				Void: m.State == chat.Void, Deleted: m.State == chat.Deleted,
			})
		}
		more = p.More
	}
	return log
}
