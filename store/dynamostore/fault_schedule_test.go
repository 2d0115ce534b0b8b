//go:build !race

package dynamostore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// A schedule runs some processes on one table, one request at a time, in a random order. A
// request may lose its answer, and a process may die before or after any of its requests.

// fate is what happens to a request.
type fate int

const (
	done fate = iota
	answerLost
	diesBefore
	diesAfter
)

// process is one program: a store, whose every request waits for its turn.
type process struct {
	name  string
	store *dynamostore.Store
	turn  chan fate
	asks  chan<- *process // one that has a request to make, or has ended
	dead  bool
	ended bool
}

func (p *process) hook(ctx context.Context, input any, next request) (any, error) {
	if p.dead {
		return nil, context.Canceled
	}
	p.asks <- p
	switch <-p.turn {
	case answerLost:
		if _, err := next(ctx, input); err != nil {
			return nil, err
		}
		return nil, timeout{}
	case diesBefore:
		p.dead = true
		return nil, context.Canceled
	case diesAfter:
		p.dead = true
		if _, err := next(ctx, input); err != nil {
			return nil, err
		}
		return nil, context.Canceled
	}
	return next(ctx, input)
}

// schedule is one run.
type schedule struct {
	*testing.T
	random   *rand.Rand
	endpoint string
	table    string
	clock    *storetest.Clock
	asks     chan *process
	all      []*process
	jobs     []func()

	acked   map[string]uint64 // by id, the number that a client was told
	refused map[string]bool   // ids that were NotMember, and sent once
	maybe   map[string]bool   // ids that may be stored
	views   [][]chat.Message
	left    uint64 // the head's number when Leave had returned, 0: it has not
}

// spawn adds a process that does a job.
func (s *schedule) spawn(name string, job func(*dynamostore.Store)) {
	p := &process{name: name, turn: make(chan fate), asks: s.asks}
	client := dynamolocal.Client(s.endpoint, hooked(p.hook))
	p.store = dynamostore.New(client, dynamostore.Options{Table: s.table, Now: s.clock.Now, Budget: budget})
	s.all = append(s.all, p)
	s.jobs = append(s.jobs, func() {
		job(p.store)
		p.ended = true
		s.asks <- p
	})
}

// play gives the processes their turns until all have ended. No two ever run at once.
func (s *schedule) play() {
	var waiting []*process
	for _, job := range s.jobs {
		go job()
	}
	for running := len(s.jobs); running > 0; {
		for len(waiting) < running {
			p := <-s.asks
			if p.ended {
				running--
			} else {
				waiting = append(waiting, p)
			}
		}
		if running == 0 {
			return
		}
		i := s.random.IntN(len(waiting))
		p := waiting[i]
		waiting = append(waiting[:i], waiting[i+1:]...)
		if s.random.IntN(8) == 0 {
			s.clock.Advance(chat.SettleAfter + 1e9)
		}
		p.turn <- s.fate()
	}
}

func (s *schedule) fate() fate {
	switch n := s.random.IntN(100); {
	case n < 6:
		return answerLost
	case n < 9:
		return diesBefore
	case n < 12:
		return diesAfter
	}
	return done
}

// send adds a process that sends a message. many: others send the same.
func (s *schedule) send(user, id string, many bool) {
	s.spawn("send "+id, func(store *dynamostore.Store) {
		d := chat.Draft{Room: "tea", From: user, ID: id, Text: "text of " + id, At: s.clock.Now()}
		after := s.left
		m, err := store.Append(s.Context(), d, nobody)
		switch {
		case err == nil:
			s.ack(user, id, m, after)
		case chat.Is(err, chat.NotMember):
			s.refused[id] = !many
		case chat.Is(err, chat.Unknown):
			s.maybe[id] = true
		case !chat.Is(err, chat.Unavailable):
			s.Errorf("Append of %s: %v", id, err)
		}
	})
}

func (s *schedule) ack(user, id string, m chat.Message, after uint64) {
	if first, twice := s.acked[id]; twice && first != m.Seq {
		s.Errorf("%s was acknowledged as %d and as %d", id, first, m.Seq)
	}
	s.acked[id] = m.Seq
	if user == "bob" && after > 0 {
		s.Errorf("%s was sent after bob had left, and acknowledged", id)
	}
}

// read adds a process that reads the log twice.
func (s *schedule) read() {
	s.spawn("read", func(store *dynamostore.Store) {
		for range 2 {
			p, err := store.Messages(s.Context(), "tea", chat.Range{Limit: chat.MaxPage})
			if err != nil {
				return // it has died
			}
			s.views = append(s.views, p.Messages)
			newest := chat.Range{Before: chat.Newest, Limit: chat.MaxPage}
			p, err = store.Messages(s.Context(), "tea", newest)
			if err != nil {
				return
			}
			s.views = append(s.views, p.Messages)
		}
	})
}

// leave adds a process that ends bob's membership.
func (s *schedule) leave() {
	s.spawn("leave", func(store *dynamostore.Store) {
		if store.Leave(s.Context(), "tea", "bob") != nil {
			return // it has died
		}
		heads, err := store.Heads(s.Context(), []string{"tea"})
		if err != nil {
			return
		}
		s.left = heads[0].Seq
		if !heads[0].Outdated("bob", 0) {
			s.Errorf("after Leave the head is %v", heads[0])
		}
	})
}

// TestF12_Schedules runs random schedules of senders, repeating ones too, readers that
// fence numbers off, and a user who leaves, and checks what is stored afterwards.
func TestF12_Schedules(t *testing.T) {
	runs := 60
	if os.Getenv("CONFAB_DEEP") == "1" {
		runs = 15_000
	}
	client := dynamolocal.Client(dynamolocal.Start(t))
	table := dynamolocal.Table(t, client)
	seed := rand.Uint64()
	for n := range runs {
		name := fmt.Sprintf("seed %d run %d", seed, n)
		runSchedule(t, client, table, name, rand.New(rand.NewPCG(seed, uint64(n))))
		if t.Failed() {
			t.Fatalf("%s", name)
		}
	}
}

func runSchedule(t *testing.T, client *dynamodb.Client, table, name string, random *rand.Rand) {
	s := &schedule{
		T: t, random: random, endpoint: dynamolocal.Start(t), table: table,
		clock: storetest.NewClock(), asks: make(chan *process),
		acked: map[string]uint64{}, refused: map[string]bool{}, maybe: map[string]bool{},
	}
	empty(t, client, table)
	judge := dynamostore.New(client, dynamostore.Options{Table: table, Now: s.clock.Now, Budget: budget})
	join(t, judge, "tea", "ann", "bob")
	for range 1 + random.IntN(3) {
		s.send("bob", "twice", true)
	}
	s.send("bob", "once", false)
	s.send("ann", "other", false)
	s.read()
	s.read()
	leaves := random.IntN(2) == 0
	if leaves {
		s.leave()
	}
	s.play()
	s.clock.Advance(chat.SettleAfter + 1e9)
	s.judge(judge, leaves)
}

// empty deletes all items, which is faster than a new table.
func empty(t *testing.T, client *dynamodb.Client, table string) {
	t.Helper()
	found, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	ok(t, "Scan", err)
	for _, it := range found.Items {
		_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: &table, Key: keyItem(pk(it), sk(it)),
		})
		ok(t, "DeleteItem", err)
	}
}

// judge compares what the processes were told with what is stored.
func (s *schedule) judge(store *dynamostore.Store, leaves bool) {
	log := all(s.T, store, "tea")
	heads, err := store.Heads(s.Context(), []string{"tea"})
	ok(s.T, "Heads", err)
	equal(s.T, "numbers given", uint64(len(log)), heads[0].Seq)
	places := map[string]uint64{}
	for _, m := range log {
		if m.State != chat.Stored {
			continue
		}
		if first, twice := places[m.ID]; twice {
			s.Errorf("%s is stored as %d and as %d", m.ID, first, m.Seq)
		}
		places[m.ID] = m.Seq
		if s.left > 0 && m.From == "bob" && m.Seq > s.left {
			s.Errorf("%s of bob is stored as %d, but when he had left the head was %d", m.ID, m.Seq, s.left)
		}
		if s.refused[m.ID] || s.acked[m.ID] == 0 && !s.maybe[m.ID] {
			s.Errorf("%s was refused and is stored as %d", m.ID, m.Seq)
		}
	}
	for id, seq := range s.acked {
		if places[id] != seq {
			s.Errorf("%s was acknowledged as %d and is stored as %d", id, seq, places[id])
		}
	}
	for _, view := range s.views {
		for _, m := range view {
			equal(s.T, "what a reader saw", m, log[m.Seq-1])
		}
	}
	if !leaves {
		s.finish(store, places)
	}
}

// finish repeats what may be stored: the client is told its one number.
func (s *schedule) finish(store *dynamostore.Store, places map[string]uint64) {
	for id := range s.maybe {
		user := "bob"
		if id == "other" {
			user = "ann"
		}
		d := chat.Draft{Room: "tea", From: user, ID: id, Text: "text of " + id, At: s.clock.Now()}
		m, err := store.Append(s.Context(), d, nobody)
		ok(s.T, "repetition of "+id, err)
		if at := places[id]; at != 0 && (m.Seq != at || !m.Duplicate) {
			s.Errorf("repetition of %s: got %d, duplicate %v, stored is %d", id, m.Seq, m.Duplicate, at)
		}
	}
}
