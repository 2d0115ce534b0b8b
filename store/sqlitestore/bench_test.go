package sqlitestore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// BenchmarkAppend has 64 writers send messages of 200 bytes, durably, into one room and into 100.
// Run it with GOMAXPROCS=1 for the number of one core.
func BenchmarkAppend(b *testing.B) {
	for _, rooms := range []int{1, 100} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) { benchmarkAppend(b, rooms) })
	}
}

func benchmarkAppend(b *testing.B, rooms int) {
	const writers = 64
	s := open(b, b.TempDir(), sqlitestore.Options{})
	ctx := context.Background()
	text := strings.Repeat("x", 200)
	var joins sync.WaitGroup
	for w := range writers {
		joins.Go(func() {
			for room := range rooms {
				j := chat.Join{Room: fmt.Sprint("r", room), Name: "r", User: fmt.Sprint("u", w), Kind: chat.PublicRoom}
				if _, _, err := s.Join(ctx, j); err != nil {
					b.Error(err)
				}
			}
		})
	}
	joins.Wait()
	pages := s.PagesWritten()
	var ru0, ru1 syscall.Rusage
	_ = syscall.Getrusage(0, &ru0)
	commits := s.Commits()
	var next atomic.Int64
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for w := range writers {
		all.Go(func() {
			from := fmt.Sprint("u", w)
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				d := chat.Draft{
					Room: fmt.Sprint("r", n%int64(rooms)), From: from, ID: fmt.Sprintf("%016x", n*0x9E3779B9),
					Text: text, At: time.Now(),
				}
				if _, err := s.Append(ctx, d, func(chat.Head, chat.Message) {}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	_ = syscall.Getrusage(0, &ru1)
	cpu := func(r syscall.Rusage) int64 { return r.Utime.Nano() + r.Stime.Nano() }
	b.ReportMetric(float64(cpu(ru1)-cpu(ru0))/1e3/float64(b.N), "cpu-µs/msg")
	b.ReportMetric(float64(s.PagesWritten()-pages)/float64(b.N), "pages/msg")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(float64(b.N)/float64(s.Commits()-commits), "msgs/commit")
}
