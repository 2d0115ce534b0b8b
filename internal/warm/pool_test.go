package warm

import (
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestPool_RunsEveryJobOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	ran := map[int]int{}
	p := NewPool(func(n int) {
		defer all.Done()
		mu.Lock()
		defer mu.Unlock()
		ran[n]++
	})
	p.Open()
	for n := range 10_000 {
		all.Add(1)
		p.Do(n)
		if n == 5_000 {
			p.Close() // jobs still run
		}
	}
	all.Wait()
	for n := range 10_000 {
		if ran[n] != 1 {
			t.Fatalf("job %d ran %d times", n, ran[n])
		}
	}
}

func TestPool_KeepsGoroutines(t *testing.T) {
	defer goleak.VerifyNone(t)
	done := make(chan struct{})
	p := NewPool(func(chan struct{}) { done <- struct{}{} })
	p.Open()
	p.Do(nil)
	<-done
	for !waits(p) { // the goroutine is on its way
	}
	p.Do(nil)
	if waits(p) {
		t.Error("the second job got a goroutine of its own")
	}
	<-done
	p.Close()
}

func waits[J any](p *Pool[J]) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle) > 0
}
