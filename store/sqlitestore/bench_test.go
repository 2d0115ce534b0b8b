package sqlitestore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
	for room := range rooms {
		for w := range writers {
			j := chat.Join{Room: fmt.Sprint("r", room), Name: "r", User: fmt.Sprint("u", w), Kind: chat.PublicRoom}
			if _, _, err := s.Join(ctx, j); err != nil {
				b.Fatal(err)
			}
		}
	}
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
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(float64(b.N)/float64(s.Commits()-commits), "msgs/commit")
}
