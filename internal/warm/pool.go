// Package warm runs short jobs on goroutines that are kept for the next one. A new goroutine begins
// with a small stack, which a job with deep calls makes the runtime copy several times over; with a
// job for each message that is a good part of the whole cost.
package warm

import "sync"

// maxIdle is how many goroutines of a pool wait for another job.
const maxIdle = 256

// Pool runs jobs of one kind. Goroutines wait for the next job only while the pool is open.
type Pool[J any] struct {
	run  func(J)
	mu   sync.Mutex
	open bool
	idle []chan J
}

// NewPool makes a pool, closed at first: jobs run, but no goroutine waits.
func NewPool[J any](run func(J)) *Pool[J] { return &Pool[J]{run: run} }

// Do runs a job on a goroutine that waits, or on a new one, and returns at once. There is no bound
// on how many run: the caller has one.
func (p *Pool[J]) Do(j J) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		waiting := p.idle[last] // the one that ran last
		p.idle = p.idle[:last]
		p.mu.Unlock()
		waiting <- j
		return
	}
	p.mu.Unlock()
	go p.loop(j)
}

func (p *Pool[J]) loop(j J) {
	next := make(chan J, 1)
	for more := true; more; {
		p.run(j)
		if !p.wait(next) {
			return
		}
		j, more = <-next
	}
}

// wait puts a goroutine among those that wait, unless there are enough.
func (p *Pool[J]) wait(next chan J) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || len(p.idle) >= maxIdle {
		return false
	}
	p.idle = append(p.idle, next)
	return true
}

// Open lets goroutines wait.
func (p *Pool[J]) Open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = true
}

// Close ends the goroutines that wait; the others end with their job. Jobs still run after it.
func (p *Pool[J]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = false
	for _, next := range p.idle {
		close(next)
	}
	p.idle = nil
}
