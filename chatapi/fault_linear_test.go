//go:build !race

package chatapi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/store/memstore"
)

// shaky is a log whose answers are lost now and then, before or after the message is stored.
type shaky struct {
	chat.Log
	mu sync.Mutex
	r  *rand.Rand
}

func (s *shaky) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.IntN(n)
}

func (s *shaky) Append(ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message)) (chat.Message, error) {
	switch s.draw(20) {
	case 0:
		return chat.Message{}, chat.E(chat.Unavailable, "not stored")
	case 1:
		return chat.Message{}, chat.E(chat.Unknown, "not stored, and not known")
	case 2:
		if _, err := s.Log.Append(ctx, d, then); err != nil {
			return chat.Message{}, err
		}
		return chat.Message{}, chat.E(chat.Unknown, "stored, and not known")
	}
	return s.Log.Append(ctx, d, then)
}

// linearRun is one history: clients that write and read one room at once.
type linearRun struct {
	*testing.T
	ctx     context.Context
	svc     *chat.Service
	history *checker.History
	faults  int
	mu      sync.Mutex
}

// client does operations of one user.
func (l *linearRun) client(n, operations int, r *rand.Rand) {
	user := fmt.Sprint("user", n)
	c, conn := l.history.Client(user), chat.Connection{ID: user, User: user}
	repeat := ""
	for i := range operations {
		if r.IntN(2) == 0 {
			l.read(c, conn, r)
			continue
		}
		id := repeat
		if id == "" {
			id = fmt.Sprint("m", i)
		}
		repeat = ""
		attempt := c.Send("tea", id, "text of "+id)
		m, err := l.svc.Send(l.ctx, conn, chat.Send{Room: "tea", ID: id, Text: "text of " + id},
			func(chat.Head, chat.Message) {})
		switch {
		case err == nil:
			attempt.Ack(m.Seq)
		case chat.Is(err, chat.Unavailable):
			attempt.Nack()
		default:
			attempt.Unknown()
			if r.IntN(2) == 0 {
				repeat = id
			}
		}
		if err != nil {
			l.mu.Lock()
			l.faults++
			l.mu.Unlock()
		}
	}
}

func (l *linearRun) read(c *checker.Client, conn chat.Connection, r *rand.Rand) {
	head, err := l.svc.HeadOf(l.ctx, "tea")
	if err != nil {
		l.Error(err)
		return
	}
	after := max(head.Seq, 20) - uint64(r.IntN(20))
	read := c.Read("tea", after)
	p, err := l.svc.History(l.ctx, conn, "tea", chat.Range{After: after, Limit: 1 + r.IntN(chat.MaxPage)})
	if err != nil {
		l.Error(err)
		return
	}
	entries := make([]checker.Entry, len(p.Messages))
	for i, m := range p.Messages {
		entries[i] = checker.Entry{Seq: m.Seq, From: m.From, ID: m.ID, Text: m.Text}
	}
	read.Done(entries, p.More)
}

// TestF16_Linear is F16: whatever clients are answered who write and read a room at once, one order
// of what they did explains it.
func TestF16_Linear(t *testing.T) {
	const clients, operations = 8, 1000
	histories, seed := 100, rand.Uint64()
	if deep() {
		histories = 500
	}
	acked, faults := 0, 0
	for n := range histories {
		log := memstore.NewLog(memstore.Options{})
		sub := rand.NewPCG(seed, uint64(n))
		w := newWorld(t)
		svc := chat.NewService(&shaky{Log: log, r: rand.New(sub)}, w.conns, time.Now)
		l := &linearRun{T: t, ctx: context.Background(), svc: svc, history: checker.New()}
		for i := range clients {
			user := chat.Connection{User: fmt.Sprint("user", i)}
			if _, err := svc.JoinRoom(l.ctx, user, "tea", false); err != nil {
				t.Fatal(err)
			}
		}
		var running sync.WaitGroup
		for i := range clients {
			r := rand.New(rand.NewPCG(seed, uint64(1000*n+i+1000)))
			running.Go(func() { l.client(i, operations/clients, r) })
		}
		running.Wait()
		w.log = log
		l.history.Log("tea", readLog(w, "tea"))
		report := l.history.Check()
		acked, faults = acked+report.Acked, faults+l.faults
		if err := report.Err(); err != nil {
			t.Fatalf("history %d of seed %d: %v", n, seed, err)
		}
		if err := l.history.Linear(30 * time.Second); err != nil {
			t.Fatalf("history %d of seed %d: %v", n, seed, err)
		}
	}
	t.Logf("faults=%d acked=%d lost=0 dup=0 reorder=0 seed=%d", faults, acked, seed)
}
