package lambdahost

import (
	"errors"
	"testing"
	"time"
)

// events gives a function failing events that nobody waits for.
func enqueue(tb testing.TB, h *Host, id string, e event) {
	tb.Helper()
	out, err := h.Invoke(tb.Context(), Input{Function: "f", Type: Event, RequestID: id, Payload: encode(e)})
	if err != nil || out.Status != 202 || out.Payload != nil {
		tb.Fatalf("%+v, %v", out, err)
	}
}

// of matches records of an event.
func of(id string, k Kind) func(Record) bool {
	return func(r Record) bool { return r.RequestID == id && r.Kind == k }
}

// A function that fails gets the event again after one minute and after two more, and no more.
func TestEvent_retries(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock, IdleFor: time.Hour})
	deploy(t, h, func(f *Function) { f.Timeout = time.Second })
	enqueue(t, h, "one", event{Fail: "always"})
	for n, wait := range []time.Duration{time.Minute, 2 * time.Minute} {
		j.await(t, n+1, of("one", KindReport))
		clock.await(t, wait)
		clock.turn(wait - time.Second)
		if got := len(j.all(of("one", KindStart))); got != n+1 {
			t.Fatalf("%d attempts before %v", got, wait)
		}
		clock.turn(time.Second)
	}
	dropped := j.await(t, 1, of("one", KindDropped))
	if got := len(j.all(of("one", KindReport))); got != 3 || dropped.Function != "f" {
		t.Errorf("%d attempts, %+v", got, dropped)
	}
	if d, waits := clock.next(0); waits && d <= 6*time.Hour && d != h.config.IdleFor-3*time.Minute {
		t.Errorf("something waits for %v", d)
	}
	if s := h.Stats()["f"]; s.Invocations != 3 || s.Errors != 3 {
		t.Errorf("%+v", s)
	}
}

// One that is throttled is tried ever later, at most five minutes, for six hours.
func TestEvent_throttled(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) { f.Concurrency = -1 })
	begun := clock.Now()
	enqueue(t, h, "one", event{})
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300} {
		clock.await(t, seconds*time.Second)
		clock.turn(seconds * time.Second)
	}
	for len(j.all(kind(KindDropped))) == 0 {
		eventually(t, func() bool {
			_, waits := clock.next(5 * time.Minute)
			return waits || len(j.all(kind(KindDropped))) > 0
		})
		if len(j.all(kind(KindDropped))) == 0 {
			clock.turn(5 * time.Minute)
		}
	}
	if age := clock.Now().Sub(begun); age > 6*time.Hour || age < 6*time.Hour-5*time.Minute {
		t.Errorf("dropped after %v", age)
	}
}

// One that was throttled is handled once there is room.
func TestEvent_afterThrottle(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) { f.Concurrency = 1 })
	gate := newGate(t)
	first := begin(t, h, Input{Payload: encode(event{Print: "x\n", Wait: gate.path})})
	j.await(t, 1, kind(KindOutput))
	enqueue(t, h, "two", event{})
	clock.await(t, time.Second)
	gate.open()
	end(t, first)
	clock.turn(time.Second)
	if r := j.await(t, 1, of("two", KindReport)); r.Report.Status != "" {
		t.Errorf("%+v", r)
	}
}

// What waits when the host ends, or whose function is gone, is dropped, and said.
func TestEvent_dropped(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) { f.Concurrency = -1 })
	enqueue(t, h, "one", event{})
	clock.await(t, time.Second)
	h.Remove("f")
	clock.turn(time.Second)
	j.await(t, 1, of("one", KindDropped))
	deploy(t, h, func(f *Function) { f.Concurrency = -1 })
	enqueue(t, h, "two", event{})
	clock.await(t, time.Second)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	j.await(t, 1, of("two", KindDropped))
	_, err := h.Invoke(t.Context(), Input{Function: "f", Type: Event})
	var e *Error
	if !errors.As(err, &e) && !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
