package lambdahost

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

// deployed is one deployment of a function with its processes.
type deployed struct {
	Function
	host  *Host
	argv  []string // of a process
	task  string   // folder of the code
	opt   string   // folder of the layers, "" without
	temp  []string // folders to remove
	stats *Stats   // under host.mu

	mu      sync.Mutex
	running int             // events under way
	idle    []*sandbox      // wait for events; the last was used last
	waiting []chan *sandbox // of events that may start no process yet
	retired bool            // no new events come
	tidying bool            // a timer looks after idle
}

// errRetired says that there is a newer deployment.
var errRetired = errors.New("retired")

// enter counts an event that is under way, or says that there are too many.
func (f *deployed) enter() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retired {
		return errRetired
	}
	limit, over := f.Concurrency, ""
	if limit != 0 && f.running >= max(limit, 0) {
		over = limitOfFunction
	} else if f.host.running.Add(1) > int64(f.host.config.Concurrency) {
		f.host.running.Add(-1)
		over = limitOfHost
	}
	if over != "" {
		f.count(func(s *Stats) { s.Throttles++ })
		return tooMany(over)
	}
	f.running++
	return nil
}

// leave ends what enter has begun. The last event of a retired deployment removes its files.
func (f *deployed) leave() {
	f.host.running.Add(-1)
	f.mu.Lock()
	f.running--
	last := f.retired && f.running == 0
	f.mu.Unlock()
	if last {
		f.removeSoon()
	}
}

// acquire gives a process for an event: the one used last of those that wait, or a new one, which
// has not begun to initialize. While many initialize, one that becomes free may come first.
func (f *deployed) acquire() (sb *sandbox, release func()) {
	f.mu.Lock()
	if n := len(f.idle); n > 0 {
		sb = f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		return sb, func() {}
	}
	select {
	case f.host.starts <- struct{}{}:
		f.mu.Unlock()
		return nil, func() { <-f.host.starts }
	default:
	}
	turn := make(chan *sandbox, 1)
	f.waiting = append(f.waiting, turn)
	f.mu.Unlock()

	release = func() {}
	patience := time.NewTimer(f.host.patience) // a function that initializes may itself wait for one
	defer patience.Stop()
	select {
	case sb = <-turn:
		return sb, release
	case f.host.starts <- struct{}{}:
		release = func() { <-f.host.starts }
	case <-patience.C:
	case <-f.host.closing:
	}
	if sb = f.giveUp(turn); sb != nil {
		release()
		return sb, func() {}
	}
	return nil, release
}

// giveUp takes an event from those that wait, or gives the process that it has been handed.
func (f *deployed) giveUp(turn chan *sandbox) *sandbox {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting, turn); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		return nil
	}
	return <-turn
}

// release takes back a process that is ready for the next event.
func (f *deployed) release(sb *sandbox) {
	f.mu.Lock()
	if len(f.waiting) > 0 && !f.retired {
		turn := f.waiting[0]
		f.waiting = slices.Delete(f.waiting, 0, 1)
		f.mu.Unlock()
		turn <- sb
		return
	}
	if f.retired || len(f.idle) >= f.host.config.MaxIdle {
		f.mu.Unlock()
		sb.stop()
		return
	}
	sb.rest(f.host.config.Clock.Now())
	f.idle = append(f.idle, sb)
	if !f.tidying {
		f.tidying = true
		f.host.config.Clock.AfterFunc(f.host.config.IdleFor, f.tidy)
	}
	f.mu.Unlock()
}

// tidy ends processes that have waited for too long, and comes again while there are others.
func (f *deployed) tidy() {
	now := f.host.config.Clock.Now()
	f.mu.Lock()
	n := 0
	for n < len(f.idle) && now.Sub(f.idle[n].since) >= f.host.config.IdleFor {
		n++
	}
	old := slices.Clone(f.idle[:n])
	f.idle = slices.Delete(f.idle, 0, n)
	f.tidying = len(f.idle) > 0
	if f.tidying {
		f.host.config.Clock.AfterFunc(f.host.config.IdleFor-now.Sub(f.idle[0].since), f.tidy)
	}
	f.mu.Unlock()
	stopAll(old)
}

// discard forgets a process that has ended by itself.
func (f *deployed) discard(sb *sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = slices.DeleteFunc(f.idle, func(other *sandbox) bool { return other == sb })
}

// retire ends the deployment: what is idle now, the others after their event.
func (f *deployed) retire() {
	f.mu.Lock()
	idle := f.idle
	f.idle, f.retired = nil, true
	unused := f.running == 0
	f.mu.Unlock()
	stopAll(idle)
	if unused {
		f.removeSoon()
	}
}

// stopAll ends processes side by side.
func stopAll(all []*sandbox) {
	var ended sync.WaitGroup
	for _, sb := range all {
		ended.Go(sb.stop)
	}
	ended.Wait()
}

// removeSoon removes the files; what stays goes with the host's folder.
func (f *deployed) removeSoon() { f.remove() } //nolint:errcheck // Close tells

// remove removes the files that the deployment has made.
func (f *deployed) remove() error {
	var all []error
	for _, dir := range f.temp {
		all = append(all, os.RemoveAll(dir))
	}
	return errors.Join(all...)
}
