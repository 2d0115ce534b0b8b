//go:build !race

package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
)

// smallBuffer is the receive buffer of a socket that is to fill soon, in bytes.
const smallBuffer = 4 << 10

// together runs n jobs, 50 at a time, and gives what they make.
func together[T any](tb testing.TB, n int, job func(ctx context.Context, i int) (T, error)) []T {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	made, errs := make([]T, n), make([]error, n)
	slots := make(chan struct{}, 50)
	var all sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			made[i], errs[i] = job(ctx, i)
			<-slots
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		tb.Fatal(err)
	}
	return made
}

// audience is readers in the rooms quiet and mixed, and a writer.
type audience struct {
	tb      testing.TB
	host    host
	writer  *talker
	history *checker.History
	book    *checker.Client // the writer's
	stop    context.CancelFunc
	reading sync.WaitGroup
	said    int

	mu    sync.Mutex
	took  map[string]map[uint64][]time.Duration // by room and number, of all readers
	heads map[string]uint64
	epoch string // of mixed
}

func newAudience(tb testing.TB, h host, n int) *audience {
	tb.Helper()
	a := &audience{
		tb: tb, host: h, history: checker.New(), heads: map[string]uint64{},
		took: map[string]map[uint64][]time.Duration{quiet: {}, mixed: {}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	tb.Cleanup(a.end)
	a.book = a.history.Client("writer")
	line, err := sim.Dial(ctx, h.url(), "writer")
	if err != nil {
		tb.Fatal(err)
	}
	a.writer = &talker{line, tb, ctx}
	a.writer.join(quiet)
	a.epoch = a.writer.join(mixed).Epoch
	lines := together(tb, n, func(ctx context.Context, i int) (*sim.Line, error) {
		line, err := sim.Dial(ctx, h.url(), fmt.Sprintf("good%d", i))
		if err != nil {
			return nil, err
		}
		_, err = line.Join(ctx, quiet)
		if err == nil {
			_, err = line.Join(ctx, mixed)
		}
		return line, err
	})
	for i, line := range lines {
		book := a.history.Client(fmt.Sprintf("good%d", i))
		book.Follow(quiet, 0)
		book.Follow(mixed, 0)
		a.reading.Go(func() { a.read(ctx, line, book) })
	}
	return a
}

// end ends all connections.
func (a *audience) end() {
	a.stop()
	a.reading.Wait()
	a.writer.Close()
}

// read keeps what a reader gets and when.
func (a *audience) read(ctx context.Context, line *sim.Line, book *checker.Client) {
	defer line.Close()
	for {
		f, err := line.Next(ctx)
		if err != nil {
			return
		}
		if f.Event != "message" {
			continue
		}
		sent, _ := strconv.ParseInt(strings.TrimLeft(f.Text, "."), 10, 64)
		took := time.Since(time.Unix(0, sent))
		e := checker.Entry{Seq: f.Seq, From: f.From, ID: f.ID, Text: f.Text}
		book.Push(f.Room, e)
		book.Show(f.Room, e)
		a.mu.Lock()
		a.took[f.Room][f.Seq] = append(a.took[f.Room][f.Seq], took)
		a.mu.Unlock()
	}
}

// say says something of about that length; its end is the time.
func (a *audience) say(room string, length int) {
	a.tb.Helper()
	a.said++
	id := fmt.Sprintf("m%d", a.said)
	text := strings.Repeat(".", length) + strconv.FormatInt(time.Now().UnixNano(), 10)
	attempt := a.book.Send(room, id, text)
	f := a.writer.do(id, `{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, id, room, text)
	attempt.Ack(f.Seq)
	a.heads[room] = f.Seq
}

// talk says something every 50 ms, by turns in the two rooms.
func (a *audience) talk(lasting time.Duration) {
	a.tb.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(lasting); time.Now().Before(end); <-ticker.C {
		a.say([]string{quiet, mixed}[a.said%2], 200)
	}
}

// flood says that many bytes in a room, as fast as a client may.
func (a *audience) flood(room string, bytes int) {
	a.tb.Helper()
	const length = 16_000
	ctx, cancel := context.WithCancel(context.Background())
	c, done := sim.Start(ctx, a.history, sim.Options{
		URL: a.host.url, User: fmt.Sprintf("flood%d", a.said), Rooms: []string{room}, Window: 32,
		Most: bytes / length, Length: length,
	})
	await(a.tb, patience, "the flood is over", func() bool { return c.Acked() == bytes/length })
	heads := map[string]uint64{room: a.heads[room]}
	await(a.tb, patience, "the flood is seen", func() bool { return c.Settled(heads) })
	cancel()
	<-done
}

// head is the last number of a room.
func (a *audience) head(room string) uint64 { return a.heads[room] }

// welcomeBack lets the stalled readers come back with the cursor that they had: they get all that
// they missed.
func (a *audience) welcomeBack(cursor uint64) {
	a.tb.Helper()
	together(a.tb, stalledReaders, func(ctx context.Context, i int) (struct{}, error) {
		line, err := sim.Dial(ctx, a.host.url(), stalledName(i))
		if err != nil {
			return struct{}{}, err
		}
		defer line.Close()
		a.mu.Lock()
		book := a.history.Client(stalledName(i))
		a.mu.Unlock()
		book.Follow(mixed, cursor)
		book.Unfollow(mixed, a.heads[mixed])
		book.Resume(mixed, cursor)
		err = line.Send(ctx, `{"action":"hello","resume":{%q:{"epoch":%q,"seq":%d}}}`, mixed, a.epoch, cursor)
		for err == nil {
			var f sim.Frame
			if f, err = line.Next(ctx); f.Event == "resumed" {
				break
			}
			if f.Event == "message" {
				book.Show(f.Room, checker.Entry{Seq: f.Seq, From: f.From, ID: f.ID, Text: f.Text})
			}
		}
		return struct{}{}, err
	})
}

// report waits until everybody has got everything and gives what the checker says.
func (a *audience) report() *checker.Report {
	a.tb.Helper()
	await(a.tb, patience, "all readers have the last messages", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.took[quiet][a.heads[quiet]]) == goodReaders && len(a.took[mixed][a.heads[mixed]]) == goodReaders
	})
	for _, room := range []string{quiet, mixed, flooded} {
		log, err := sim.ReadLog(a.writer.ctx, a.host.url(), "reader", room)
		if err != nil {
			a.tb.Fatal(err)
		}
		a.history.Log(room, log)
	}
	return a.history.Check()
}

// p99 is how long a message of the room took to 99 % of the readers: the median of the messages,
// so that one that met something else on the machine does not count.
func (a *audience) p99(room string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var each []time.Duration
	for _, took := range a.took[room] {
		each = append(each, percentile(took, 0.99))
	}
	if len(each) < 10 {
		a.tb.Fatalf("%d messages in %s are too few to judge", len(each), room)
	}
	slices.Sort(each)
	return each[len(each)/2]
}
