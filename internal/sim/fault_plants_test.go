//go:build !race

package sim_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// verdict is a testing.TB for a check that may fail: it keeps what the check has found.
type verdict struct {
	testing.TB
	limit time.Duration // see traffic
	mu    sync.Mutex
	found []error
}

// judge runs a check, which waits that long for what does not come, and gives what it has found.
func judge(t *testing.T, limit time.Duration, check func(testing.TB)) error {
	v := &verdict{TB: t, limit: limit}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		check(v)
	}()
	<-ended
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.found...)
}

func (v *verdict) keep(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.found = append(v.found, err)
}

func (v *verdict) Error(args ...any)                 { v.keep(errors.New(fmt.Sprint(args...))) }
func (v *verdict) Errorf(format string, args ...any) { v.keep(fmt.Errorf(format, args...)) }

func (v *verdict) Fatal(args ...any) {
	v.Error(args...)
	runtime.Goexit()
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}

// catchLimit is how soon a planted bug must be caught; a busy machine may take longer for one in four.
const catchLimit = 10 * time.Second

// TestF21_PlantedBugs plants a bug and expects that a check of the other tests finds it, which finds
// nothing without it.
func TestF21_PlantedBugs(t *testing.T) {
	seed := newSeed(t)
	crash := func(crashes int) func(testing.TB, plant) {
		return func(tb testing.TB, p plant) {
			_, report := checkCrashes(tb, newLocal(tb, p), "room", crashes, seed)
			if err := report.Err(); err != nil {
				tb.Error(err)
			}
		}
	}
	linear := func(tb testing.TB, p plant) {
		if _, _, err := checkLinear(tb, newLocal(tb, p), 1, 200, rand.New(rand.NewPCG(seed, 3))); err != nil {
			tb.Error(err)
		}
	}
	lagging := func(tb testing.TB, p plant) {
		report, _ := checkLagging(tb, newLocal(tb, p), seed)
		if err := report.Err(); err != nil {
			tb.Error(err)
		}
	}
	presence := func(tb testing.TB, p plant) { checkPresence(tb, p, 6) }
	onLocal := func(check func(testing.TB, *local)) func(testing.TB, plant) {
		return func(tb testing.TB, p plant) { check(tb, newLocal(tb, p)) }
	}
	onHost := func(check func(testing.TB, host)) func(testing.TB, plant) {
		return func(tb testing.TB, p plant) { check(tb, newLocal(tb, p)) }
	}
	bugs := []struct {
		name       string
		check      func(testing.TB, plant)
		bug, sound plant // sound is what is there without the bug
	}{
		{"ack before commit", crash(2), plant{log: plantEarly}, plant{}},
		{"no dedup", crash(2), plant{log: plantForgetful}, plant{}},
		{"reader that skips a hole", linear, plant{log: plantTardy(true)}, plant{log: plantTardy(false)}},
		{"410 deletes the sender", onLocal(checkGone), plant{poster: plantConfused}, plant{}},
		{"resume off by one", onHost(checkResume), plant{log: plantSkipping}, plant{}},
		{"presence counter", presence, plant{conns: plantCounting}, plant{}},
		{"revive after disconnect", presence, plant{conns: plantReviving}, plant{}},
		{"cross-room fan-out", crash(0), plant{conns: plantEverywhere}, plant{}},
		{"drop on overflow without resync", lagging, plant{poster: plantMute}, plant{}},
		{
			"unchecked membership at fan-out", onHost(checkLeaving),
			plant{log: plantUnchecked, conns: plantSubscribed},
			plant{},
		},
		{"epoch ignored", onLocal(checkRestore), plant{log: plantSameEpoch}, plant{}},
		{"Close of another's connection", presence, plant{conns: plantMistaken}, plant{}},
	}
	caught, late := 0, 0
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			if err := judge(t, patience, func(tb testing.TB) { b.check(tb, b.sound) }); err != nil {
				t.Errorf("without the bug, seed %d: %v", seed, err)
			}
			begin := time.Now()
			err := judge(t, catchLimit/2, func(tb testing.TB) { b.check(tb, b.bug) })
			took := time.Since(begin)
			if err == nil {
				t.Fatalf("not caught, seed %d", seed)
			}
			if took > catchLimit {
				late++
			}
			first, _, _ := strings.Cut(err.Error(), "\n")
			t.Logf("caught after %v: %s", took, first)
			caught++
		})
	}
	if late > len(bugs)/4 {
		t.Errorf("%d of %d were caught after more than %v", late, len(bugs), catchLimit)
	}
	fmt.Printf("%s faults=%d acked=0 lost=0 dup=0 reorder=0 seed=%d caught=%d\n", t.Name(), len(bugs), seed, caught)
}
