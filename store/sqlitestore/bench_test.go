//go:build unix

package sqlitestore_test

import (
	"fmt"
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
