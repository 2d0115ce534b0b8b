//go:build unix

package sqlitestore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// BenchmarkAppend has 64 writers send messages of 200 bytes, durably, into one room and into 100.
// Run it with -cpu 1 for the number of one core. Of its figures CPU, pages and commits for a message
// stay, where the time goes by what else the disk and the machine do.
func BenchmarkAppend(b *testing.B) {
	for _, rooms := range []int{1, 100} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			s := open(b, b.TempDir(), sqlitestore.Options{})
			names := joinAll(b, s, rooms)
			commits, pages, cpu := s.Commits(), s.PagesWritten(), cpuTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			appendAll(b, s, names, b.N)
			b.StopTimer()
			n := float64(b.N)
			b.ReportMetric(n/b.Elapsed().Seconds(), "msgs/s")
			b.ReportMetric(n/float64(s.Commits()-commits), "msgs/commit")
			b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/1e3/n, "cpu-µs/msg")
			b.ReportMetric(float64(s.PagesWritten()-pages)/n, "pages/msg")
		})
	}
}

// cpuTime is how long this process has computed.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	ok(b, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkMessages reads pages of 100 messages of 200 bytes, from anywhere in 100 rooms.
func BenchmarkMessages(b *testing.B) {
	const rooms, messages = 100, 100_000
	s := open(b, b.TempDir(), sqlitestore.Options{})
	names := joinAll(b, s, rooms)
	appendAll(b, s, names, messages)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		after := uint64(i*7919) % (messages/rooms - 100)
		page, err := s.Messages(b.Context(), names[i%rooms], chat.Range{After: after, Limit: 100})
		ok(b, err)
		if len(page.Messages) != 100 {
			b.Fatalf("got %d messages, want 100", len(page.Messages))
		}
	}
}

// BenchmarkNewcomers has users come for the first time, as a connection asks the store: are they known,
// what are their rooms; then they join one and ask for their rooms again.
func BenchmarkNewcomers(b *testing.B) {
	s := open(b, b.TempDir(), sqlitestore.Options{})
	var next atomic.Int64
	var coming sync.WaitGroup
	cpu := cpuTime(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range appenders {
		coming.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				ok(b, comeIn(s, fmt.Sprint("u", i), fmt.Sprint("r", i/10)))
			}
		})
	}
	coming.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/1e3/float64(b.N), "cpu-µs/user")
}

// comeIn is what a connection of a new user asks the store, until it is in a room.
func comeIn(s *sqlitestore.Store, user, room string) error {
	ctx := context.Background()
	if _, err := s.User(ctx, user); !chat.Is(err, chat.NotFound) {
		return fmt.Errorf("a new user is known: %w", err)
	}
	err := s.PutUser(ctx, chat.User{Name: user, Since: time.Now()})
	if err == nil {
		_, err = s.RoomsOf(ctx, user)
	}
	if err == nil {
		_, _, err = s.Join(ctx, chat.Join{Room: room, Name: room, User: user, Kind: chat.PublicRoom})
	}
	if err == nil {
		_, _, err = s.Member(ctx, room, user)
	}
	if err == nil {
		_, err = s.RoomsOf(ctx, user)
	}
	return err
}

// BenchmarkRoomsOf is what each heartbeat asks the store: the rooms of a user in ten of them.
func BenchmarkRoomsOf(b *testing.B) {
	s := open(b, b.TempDir(), sqlitestore.Options{})
	joinAll(b, s, 10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		rooms, err := s.RoomsOf(b.Context(), fmt.Sprint("u", i%appenders))
		ok(b, err)
		if len(rooms) != 11 {
			b.Fatalf("got %d rooms, want 11", len(rooms))
		}
	}
}
