//go:build !race

package client_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

// TestF8_Rehearsal has the deployment itself behind the faulty networks, and kills its functions'
// processes instead of a server.
func TestF8_Rehearsal(t *testing.T) {
	t.Parallel()
	const rounds = 5
	seed, count := newSeed(t), times(60)
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Faults: &testenv.Faults{}})
	pa := newParty(t, e.URLs[0], seed, calm)
	report := pa.play(func() {
		for range rounds {
			pa.strike(count/rounds-1, 100*time.Millisecond)
			for _, pid := range e.Processes() {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
				pa.kinds["kill -9"]++
			}
		}
	})
	pa.verdict(report, count, seed)
	if pa.kinds["kill -9"] < rounds {
		t.Errorf("%d processes were killed", pa.kinds["kill -9"])
	}
}
