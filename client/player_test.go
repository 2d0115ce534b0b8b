//go:build !race

package client_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/sim/checker"
)

// player is a program on the package client that talks in rooms, is slow at times and is started
// again now and then. It keeps the cursors of what it was told, as such a program does.
type player struct {
	tb    testing.TB
	user  string
	url   string
	rooms []string
	to    map[string]string // rooms of two users: the other one
	file  string
	book  *checker.Client
	rng   *rand.Rand
	talk  chan struct{} // closed when it is to say nothing more
	pace  pace

	mu      sync.Mutex
	c       *client.Client
	shown   map[string][]checker.Entry
	cursors map[string]client.Cursor
	open    map[string]*checker.Send
	acked   map[string]uint64
	ends    int // lines that went down
	slow    bool
}

// pace is how fast a player is, and how patient.
type pace struct {
	window            int           // messages under way
	pause             time.Duration // between two, at most
	answer, heartbeat time.Duration // limits of the client
	converge          time.Duration // in which all must have seen everything in the end: 10 s (guarantees, F8), and a busy machine's share
}

// hasty players find out what a server can take; calm ones have one whose events take a while.
var (
	hasty = pace{16, 8 * time.Millisecond, time.Second, 200 * time.Millisecond, 30 * time.Second}
	calm  = pace{3, 200 * time.Millisecond, 10 * time.Second, 3 * time.Second, time.Minute}
)

func newPlayer(
	tb testing.TB, h *checker.History, user, url string, seed uint64, how pace,
) *player {
	return &player{
		tb: tb, user: user, url: url, pace: how, to: map[string]string{}, book: h.Client(user),
		file: filepath.Join(tb.TempDir(), "outbox"), rng: rand.New(rand.NewPCG(seed, 8)),
		talk: make(chan struct{}), shown: map[string][]checker.Entry{},
		cursors: map[string]client.Cursor{}, open: map[string]*checker.Send{}, acked: map[string]uint64{},
	}
}

// connect starts the program, whether or not the server can be reached.
func (p *player) connect(ctx context.Context) error {
	p.mu.Lock()
	cursors := maps.Clone(p.cursors)
	p.mu.Unlock()
	c, err := client.Dial(
		ctx, p.url, client.Name(p.user), client.Lazy(), client.Outbox(p.file), client.From(cursors),
		client.Buffer(64), client.Backoff(5*time.Millisecond, 50*time.Millisecond),
		client.AnswerWithin(p.pace.answer), client.Heartbeat(p.pace.heartbeat),
	)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c = c
	return nil
}

// enter joins the rooms, before anything goes wrong.
func (p *player) enter(ctx context.Context, rooms []string) error {
	p.rooms = rooms
	for _, room := range rooms {
		if err := p.c.Join(ctx, room); err != nil {
			return err
		}
	}
	for event, err := range p.c.Events(ctx) {
		if err != nil {
			return err
		}
		if j, ok := event.(client.Joined); ok {
			p.follow(j.Room, client.Cursor{Epoch: j.Epoch, Seq: j.Seq})
		}
		if len(p.cursors) == len(rooms) {
			break
		}
	}
	return nil
}

func (p *player) follow(room string, after client.Cursor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cursors[room] = after
	p.book.Follow(room, after.Seq)
}

// play runs the program until ctx ends; each token of again starts it anew.
func (p *player) play(ctx context.Context, again <-chan struct{}) {
	for {
		run, stop := context.WithCancel(ctx)
		var both sync.WaitGroup
		both.Go(func() { p.listen(run) })
		both.Go(func() { p.speak(run) })
		select {
		case <-again:
		case <-ctx.Done():
		}
		stop()
		both.Wait()
		if err := p.c.Close(); err != nil {
			p.tb.Errorf("%s: close: %v", p.user, err)
		}
		if ctx.Err() != nil {
			return
		}
		if err := p.connect(ctx); err != nil {
			p.tb.Errorf("%s: start again: %v", p.user, err)
			return
		}
	}
}

// listen deals with events.
func (p *player) listen(ctx context.Context) {
	for event, err := range p.c.Events(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				p.tb.Errorf("%s: %v", p.user, err)
			}
			return
		}
		switch e := event.(type) {
		case client.Message:
			p.show(e)
		case client.Reset:
			p.tb.Errorf("%s: %+v", p.user, e)
		case client.SendFailed:
			p.tb.Errorf("%s: %+v", p.user, e)
		case client.Disconnected:
			p.mu.Lock()
			p.ends++
			p.mu.Unlock()
		}
		if p.dawdles() {
			_ = sleep(ctx, 100*time.Millisecond) // the loop ends if ctx does
		}
	}
}

func (p *player) dawdles() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	slow := p.slow
	p.slow = false
	return slow
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *player) show(m client.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown[m.Room] = append(p.shown[m.Room], checker.Entry{Seq: m.Seq, From: m.From, ID: m.ID, Text: m.Text})
	p.cursors[m.Room] = m.Cursor()
	if m.From == p.user {
		p.ack(m)
	}
}

// ack notes an acknowledgement, which may come by two ways. It needs the mutex.
func (p *player) ack(m client.Message) {
	if seq, ok := p.acked[m.ID]; ok && seq != m.Seq {
		p.tb.Errorf("%s: message %s is acknowledged as %d and as %d", p.user, m.ID, seq, m.Seq)
	}
	p.acked[m.ID] = m.Seq
	if try := p.open[m.ID]; try != nil {
		try.Ack(m.Seq)
		delete(p.open, m.ID)
	}
}

// speak says things while at most so many are under way.
func (p *player) speak(ctx context.Context) {
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for {
		select {
		case <-p.talk:
			return
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond + time.Duration(p.rng.Int64N(int64(p.pace.pause)))):
		}
		p.mu.Lock()
		under := len(p.open)
		p.mu.Unlock()
		if under < p.pace.window {
			p.say(ctx, &waiting)
		}
	}
}

func (p *player) say(ctx context.Context, waiting *sync.WaitGroup) {
	p.mu.Lock()
	room := p.rooms[p.rng.IntN(len(p.rooms))]
	id := fmt.Sprintf("%s-%d", p.user, len(p.open)+len(p.acked))
	try := p.book.Send(room, id, "text of "+id)
	p.open[id] = try
	c := p.c
	p.mu.Unlock()
	draft := client.Draft{Room: room, ID: id, Text: "text of " + id}
	if other := p.to[room]; other != "" {
		draft.Room, draft.To = "", other
	}
	s, err := c.Queue(ctx, draft)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		try.Nack()
		delete(p.open, id)
		p.acked[id] = 0 // the id is used up
		return
	}
	waiting.Go(func() {
		if m, err := s.Wait(ctx); err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.ack(m)
		} else if ctx.Err() == nil {
			p.tb.Errorf("%s: %s: %v", p.user, id, err)
		}
	})
}

// settled tells whether all is acknowledged, and told up to the ends of the logs.
func (p *player) settled(logs map[string][]checker.Entry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for room, log := range logs {
		last := len(log)
		for last > 0 && log[last-1].Void {
			last--
		}
		if cursor, ok := p.cursors[room]; ok && cursor.Seq < uint64(last) {
			return false
		}
	}
	return len(p.open) == 0
}

// report tells the checker what was shown. Numbers that were never used are shown by leaving them
// out.
func (p *player) report(room string, log []checker.Entry) {
	after := uint64(0)
	mine := slices.Contains(p.rooms, room)
	void := func(until uint64) {
		for n := after + 1; mine && n < until && n <= uint64(len(log)); n++ {
			if log[n-1].Void {
				p.book.Show(room, log[n-1])
			}
		}
	}
	for _, e := range p.shown[room] {
		void(e.Seq)
		p.book.Show(room, e)
		after = max(after, e.Seq)
	}
	void(uint64(len(log)) + 1)
}
