//go:build !race

package sim_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
)

// dropped is how many frames slow readers have lost.
func (k *killed) dropped(tb testing.TB) int {
	n := 0.0
	for name, value := range k.process.Metrics(tb) {
		if strings.HasPrefix(name, "confab_messages_dropped_total{") {
			n += value
		}
	}
	return int(n)
}

// TestF7_LaggingReader pauses a reader until frames are dropped.
func TestF7_LaggingReader(t *testing.T) {
	seed := newSeed(t)
	report, resyncs := checkLagging(t, newKilled(t), seed)
	pass(t, report, 1, seed)
	if resyncs == 0 {
		t.Error("the reader is not told that frames were dropped")
	}
}

// The rooms of TestF7_StalledReaders: the good readers are in quiet and mixed, the stalled ones in
// mixed and in flooded, where more is said than the system keeps for them.
const (
	quiet   = "quiet"
	mixed   = "mixed"
	flooded = "flooded"
)

const (
	goodReaders    = 1000
	stalledReaders = 100
	stallFor       = 8 * time.Second // of measuring; after 10 s they are closed
	maxPerStalled  = 1.5 * (1 << 20) // bytes of memory
	rss            = "process_resident_memory_bytes"
)

// TestF7_StalledReaders lets 100 readers take nothing beside 1,000 good ones. Messages go by turns
// to the room with them and to one without, so that what else slows the machine slows both alike.
func TestF7_StalledReaders(t *testing.T) {
	seed, rounds := newSeed(t), column(1, 20)
	k := newKilled(t)
	crowd := newAudience(t, k, goodReaders)
	before := k.process.Metrics(t)[rss]
	var grown float64
	for round := range rounds {
		head := crowd.head(mixed)
		stalled := stallAll(t, k, crowd)
		begin := time.Now()
		crowd.talk(stallFor)
		grown = max(grown, k.process.Metrics(t)[rss]-before)
		count := float64((round + 1) * stalledReaders)
		await(t, 25*time.Second-time.Since(begin), "all stalled readers are closed", func() bool {
			all := k.process.Metrics(t)
			return all[`confab_connections_closed_total{cause="stalled"}`] >= count &&
				all[`confab_close_codes_total{code="1013"}`] >= count
		})
		for _, s := range stalled {
			s.Close()
		}
		crowd.welcomeBack(head)
	}
	report := crowd.report()
	without, with := crowd.p99(quiet), crowd.p99(mixed)
	each := grown / stalledReaders
	fmt.Printf("%s p99 without=%v with=%v memory=%.0fKiB\n", t.Name(), without, with, each/1024)
	pass(t, report, rounds*stalledReaders, seed)
	if limit := without*5/4 + time.Millisecond; with > limit {
		t.Errorf("p99 beside stalled readers %v, without them %v: want at most 1.25 times as much", with, without)
	}
	if each > maxPerStalled {
		t.Errorf("%.0f KiB of memory for a stalled reader, want at most 1536", each/1024)
	}
}

// stallAll connects readers who read nothing, and fills their sockets and queues.
func stallAll(tb testing.TB, k *killed, crowd *audience) []*sim.Line {
	tb.Helper()
	lines := together(tb, stalledReaders, func(ctx context.Context, i int) (*sim.Line, error) {
		s, err := sim.DialWith(ctx, k.url(), stalledName(i), smallBuffer)
		if err == nil {
			_, err = s.Join(ctx, mixed)
		}
		if err == nil {
			_, err = s.Join(ctx, flooded)
		}
		return s, err
	})
	before := k.dropped(tb)
	crowd.flood(flooded, socketBuffer(tb)+2<<20)
	await(tb, patience, "all of them lose frames", func() bool { return k.dropped(tb) >= before+stalledReaders })
	return lines
}

func stalledName(i int) string { return fmt.Sprintf("stalled%d", i) }

// socketBuffer is how many bytes the system keeps at most for a socket that is written to.
func socketBuffer(tb testing.TB) int {
	tb.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_wmem")
	if err != nil {
		tb.Fatal(err)
	}
	fields := strings.Fields(string(text))
	size, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil {
		tb.Fatal(err)
	}
	return size
}
