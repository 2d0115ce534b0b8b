//go:build !race

package chatapi_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/store/storetest"
	"github.com/confab-chat/confab/wire"
)

// killed is what a store panics with when the process is to end: the handler is thrown away.
type killed struct{}

// mortal ends the process before or after its n-th call to a store.
type mortal struct {
	chat.Log
	chat.Connections
	left  int // calls until the end; never when it begins below 0
	after bool
	step  int // calls that were made
}

// call counts a call around which the process may end.
func (m *mortal) call() func() {
	m.step++
	m.left--
	if m.left == 0 && !m.after {
		panic(killed{})
	}
	last := m.left == 0
	return func() {
		if last {
			panic(killed{})
		}
	}
}

func (m *mortal) Append(ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message)) (chat.Message, error) {
	done := m.call()
	stored, err := m.Log.Append(ctx, d, then)
	done()
	return stored, err
}

func (m *mortal) Member(ctx context.Context, room, user string) (chat.Member, chat.Head, error) {
	m.call()()
	return m.Log.Member(ctx, room, user)
}

func (m *mortal) RoomsOf(ctx context.Context, user string) ([]chat.Member, error) {
	m.call()()
	return m.Log.RoomsOf(ctx, user)
}

func (m *mortal) User(ctx context.Context, name string) (chat.User, error) {
	m.call()()
	return m.Log.User(ctx, name)
}

func (m *mortal) Heads(ctx context.Context, rooms []string) ([]chat.Head, error) {
	m.call()()
	return m.Log.Heads(ctx, rooms)
}

func (m *mortal) Join(ctx context.Context, j chat.Join) (chat.Member, chat.Head, error) {
	done := m.call()
	member, head, err := m.Log.Join(ctx, j)
	done()
	return member, head, err
}

func (m *mortal) Leave(ctx context.Context, room, user string) error {
	defer m.call()()
	return m.Log.Leave(ctx, room, user)
}

func (m *mortal) Delete(ctx context.Context, room string, seq uint64, author string) (chat.Message, error) {
	done := m.call()
	deleted, err := m.Log.Delete(ctx, room, seq, author)
	done()
	return deleted, err
}

func (m *mortal) MarkRead(ctx context.Context, user, room string, seq uint64) error {
	defer m.call()()
	return m.Log.MarkRead(ctx, user, room, seq)
}

func (m *mortal) PutUser(ctx context.Context, u chat.User) error {
	defer m.call()()
	return m.Log.PutUser(ctx, u)
}

func (m *mortal) Open(ctx context.Context, c chat.Connection, members []chat.Member) error {
	defer m.call()()
	return m.Connections.Open(ctx, c, members)
}

func (m *mortal) Touch(ctx context.Context, id string, now time.Time, p chat.Pulse) (chat.Connection, error) {
	done := m.call()
	c, err := m.Connections.Touch(ctx, id, now, p)
	done()
	return c, err
}

func (m *mortal) Close(ctx context.Context, id string) (chat.Connection, error) {
	done := m.call()
	c, err := m.Connections.Close(ctx, id)
	done()
	return c, err
}

func (m *mortal) Subscribe(ctx context.Context, member chat.Member) error {
	defer m.call()()
	return m.Connections.Subscribe(ctx, member)
}

func (m *mortal) Unsubscribe(ctx context.Context, room, user string) error {
	defer m.call()()
	return m.Connections.Unsubscribe(ctx, room, user)
}

func (m *mortal) Receivers(ctx context.Context, h chat.Head) iter.Seq2[chat.Receiver, error] {
	m.call()()
	return m.Connections.Receivers(ctx, h)
}

func (m *mortal) OfUser(ctx context.Context, user string) ([]chat.Connection, error) {
	m.call()()
	return m.Connections.OfUser(ctx, user)
}

func (m *mortal) Note(ctx context.Context, user string, rooms []string) error {
	defer m.call()()
	return m.Connections.Note(ctx, user, rooms)
}

// planned is one event of a scenario.
type planned struct {
	at    time.Duration
	event chatapi.Event
	send  sending // of a sendMessage
	copy  int
	last  bool // a copy that is never killed: the client, or Lambda, tries until it works
}

// sending is what a planned event sends.
type sending struct{ user, room, id, text string }

// lateness is how much later a copy of an event may come.
const lateness = 30 * time.Second

// apart is the time between events of which the second needs the first.
const apart = lateness + time.Second

// scenario plans about n events of users who connect, join, write, read, leave and go.
func scenario(w *world, r *rand.Rand, n int) []planned {
	var plan []planned
	for user := 0; len(plan) < n; user++ {
		id := fmt.Sprintf("conn%d", user)
		at := time.Duration(user) * time.Second
		add := func(e chatapi.Event) { plan = append(plan, planned{at: at, event: e}) }
		act := func(frame string, args ...any) { add(w.frame(id, fmt.Sprintf(frame, args...))) }
		name := fmt.Sprintf("user%d", user%(n/40)) // some come again
		open := w.connectEvent(id, map[string]string{"name": name})
		open.RequestContext.ConnectedAt = storetest.Start.Add(at).UnixMilli()
		add(open)
		if r.IntN(4) == 0 { // gone at once: $disconnect may come first
			at += time.Second
			add(disconnectEvent(id))
			continue
		}
		room := postRooms[user%len(postRooms)]
		at += apart
		act(`{"action":"joinRoom","room":%q}`, room)
		at += apart
		for i := range 5 + r.IntN(10) {
			plan = append(plan, plannedSend(w, at, id, name, room, i, r.IntN(2) == 0))
		}
		act(`{"action":"read","room":%q,"seq":1}`, room)
		at += apart
		if r.IntN(3) == 0 {
			act(`{"action":"leaveRoom","room":%q}`, room)
			at += apart
		}
		if r.IntN(2) == 0 {
			add(disconnectEvent(id))
		}
	}
	slices.SortStableFunc(plan, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
	return plan
}

// plannedSend plans a message with an id of the client's, or with the one of the event.
func plannedSend(w *world, at time.Duration, conn, user, room string, n int, named bool) planned {
	m := sending{user: user, room: room, text: fmt.Sprintf("%s writes %d", conn, n)}
	member := ""
	if named {
		m.id = fmt.Sprintf("%s-%d", conn, n)
		member = fmt.Sprintf(`"id":%q,`, m.id)
	}
	e := w.frame(conn, fmt.Sprintf(`{"action":"sendMessage",%s"room":%q,"message":%q}`, member, room, m.text))
	if !named {
		m.id = e.RequestContext.MessageID.(string)
	}
	return planned{at: at, event: e, send: m}
}

func disconnectEvent(id string) chatapi.Event {
	e := chatapi.Event{}
	e.RequestContext.RouteKey = "$disconnect"
	e.RequestContext.ConnectionID = id
	return e
}

// spoil delivers each event one to three times, late.
func spoil(r *rand.Rand, plan []planned) []planned {
	var copies []planned
	for _, p := range plan {
		n := 1 + r.IntN(3)
		for i := range n {
			c := p
			c.copy, c.last = i+1, i == n-1
			c.at += time.Duration(r.Int64N(int64(lateness)))
			copies = append(copies, c)
		}
	}
	slices.SortStableFunc(copies, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
	return copies
}

// outcome is what of a run must not depend on how events were delivered.
type outcome struct {
	Texts   map[string][]string // of each room, sorted
	Members map[string][]string // joined
	Online  []string
	Reached map[string][]string // receivers of each room
}

func outcomeOf(w *world) outcome {
	o := outcome{Texts: map[string][]string{}, Members: map[string][]string{}, Reached: map[string][]string{}}
	for _, room := range postRooms {
		for _, e := range readLog(w, room) {
			o.Texts[room] = append(o.Texts[room], e.From+": "+e.Text)
		}
		slices.Sort(o.Texts[room])
		members, _, err := w.log.Members(w.ctx, room, "", 1<<20)
		w.ok(err)
		for _, m := range members {
			o.Members[room] = append(o.Members[room], m.User)
		}
		head, err := w.h.Service.HeadOf(w.ctx, room)
		w.ok(err)
		for c, err := range w.h.Service.Receivers(w.ctx, head) {
			w.ok(err)
			o.Reached[room] = append(o.Reached[room], c.ID)
		}
		slices.Sort(o.Reached[room])
	}
	online, _, err := w.conns.Online(w.ctx, "", 1<<20)
	w.ok(err)
	o.Online = online
	return o
}

// deliver gives an event to a handler of its own, which may die at the n-th call to a store.
func deliver(w *world, e chatapi.Event, n int, after bool) (steps int, died bool) {
	m := &mortal{Log: w.log, Connections: w.conns, left: n, after: after}
	defer func() {
		steps = m.step
		switch r := recover(); r.(type) {
		case nil:
		case killed:
			died = true
		default:
			panic(r)
		}
	}()
	config := w.h.Config
	config.Service = chat.NewService(m, m, w.clock.Now)
	h := chatapi.New(config)
	if _, err := h.Handle(w.ctx, e); err != nil {
		w.Error(err)
	}
	for _, task := range w.later.take() {
		w.ok(h.Run(w.ctx, task))
	}
	return m.step, false
}

// TestF13_Events is F13: events that come up to three times, up to 30 s late, to handlers that die
// at every step leave what the same events leave that come once.
func TestF13_Events(t *testing.T) {
	events, seed := 20_000, rand.Uint64()
	if deep() {
		events = 200_000
	}
	r := rand.New(rand.NewPCG(seed, 13))
	once, faulty := newWorld(t), newWorld(t)
	plan := scenario(once, r, events)
	for _, p := range plan {
		once.advanceTo(p.at)
		deliver(once, p.event, -1, false)
		once.poster.forget()
	}
	history, faults, deaths := checker.New(), 0, map[int]int{}
	for i, p := range spoil(r, plan) {
		faulty.advanceTo(p.at)
		kill := -1
		if !p.last {
			kill = 1 + i/2%12
		}
		attempt := p.begin(history)
		steps, died := deliver(faulty, p.event, kill, i%2 == 0)
		p.end(attempt, faulty.poster.take(p.event.RequestContext.ConnectionID))
		faulty.poster.forget()
		if died {
			deaths[steps]++
		}
		if died || p.copy > 1 {
			faults++
		}
	}
	for _, room := range postRooms {
		history.Log(room, readLog(faulty, room))
	}
	report := history.Check()
	t.Log(report.Line(faults, seed))
	if err := report.Err(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	equal(t, fmt.Sprintf("seed %d: outcome", seed), outcomeOf(faulty), outcomeOf(once))
	for step := 1; step <= 6; step++ { // a sendMessage to a room takes 3 calls, a $connect 6
		if deaths[step] == 0 {
			t.Errorf("no handler died at step %d: %v", step, deaths)
		}
	}
}

// begin records an attempt to send, if the event is one.
func (p *planned) begin(h *checker.History) *checker.Send {
	if p.send.id == "" {
		return nil
	}
	return h.Client(p.send.user).Send(p.send.room, p.send.id, p.send.text)
}

// end records what the sender was posted.
func (p *planned) end(attempt *checker.Send, frames []string) {
	if attempt == nil {
		return
	}
	for _, f := range frames {
		event, err := wire.DecodeEvent([]byte(f))
		if m, ok := event.(wire.Message); ok && err == nil && m.ID == p.send.id && m.From == p.send.user {
			attempt.Ack(m.Seq)
		}
	}
}

func (w *world) advanceTo(at time.Duration) {
	w.clock.Advance(storetest.Start.Add(at).Sub(w.clock.Now()))
}
