//go:build !race

package testenv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/lambdahost"
)

// faultyLambda delivers each event up to three times, out of order and late, freezes processes between
// events, and kills them before and after every kind of step that they take.
type faultyLambda struct {
	*dice
	late   time.Duration // of a copy, at most
	every  int           // a step of a kind in so many ends the process
	env    *testenv.Env
	copies sync.WaitGroup

	mu    sync.Mutex
	steps map[string]int
}

// deliver gives the gateway the answer of the first delivery, which may overtake others by a little.
func (f *faultyLambda) deliver(
	ctx context.Context, in lambdahost.Input, invoke rehearsal.Invoke,
) (lambdahost.Output, error) {
	times := 1
	switch f.draw(2./3, "twice", "three times") {
	case "twice":
		times = 2
	case "three times":
		times = 3
	}
	again := in
	again.RequestID = ""
	for range times - 1 {
		f.copies.Go(func() {
			time.Sleep(f.below(f.late))
			_, _ = invoke(context.WithoutCancel(ctx), again) // only the first answer counts
		})
	}
	time.Sleep(f.below(50 * time.Millisecond))
	return invoke(ctx, in)
}

// The steps of a function, by what they ask for: what a message takes, and what a connection does.
var deadlySteps = []string{
	"UpdateItem C", "BatchGetItem", "UpdateItem R", "PutItem D", "PutItem R", "Query S", "POST",
}

// stepOf names a request of a function.
func stepOf(r *http.Request, body []byte) string {
	_, operation, isTable := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !isTable {
		return r.Method
	}
	a := asked{operation: operation}
	if json.Unmarshal(body, &a.input) != nil {
		return operation
	}
	values, _ := a.input["ExpressionAttributeValues"].(map[string]any)
	of, _ := values[":pk"].(map[string]any)
	key, _ := of["S"].(string)
	key += a.text("Key", "PK") + a.text("Item", "PK")
	kind, _, _ := strings.Cut(key, "#")
	return strings.TrimSpace(operation + " " + kind)
}

// kill stands before the tables and @connections: every so often a step is the process's last, by turns
// before it is taken and after.
func (f *faultyLambda) kill(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // its process has ended
		}
		r = r.Clone(context.WithoutCancel(r.Context()))
		r.Body = io.NopCloser(bytes.NewReader(body))
		name := stepOf(r, body)
		f.mu.Lock()
		f.steps[name]++
		n := f.steps[name]
		f.mu.Unlock()
		switch n % (2 * f.every) {
		case f.every:
			f.end(name+" before", r.RemoteAddr)
		case 0:
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			f.end(name+" after", r.RemoteAddr)
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes()) // who has gone misses it
			return
		}
		next.ServeHTTP(w, r)
	})
}

// end ends the process that has asked, unless all is healed or it has ended already.
func (f *faultyLambda) end(kind, address string) {
	pid := f.env.ProcessOf(address)
	if pid == 0 || !f.count(kind) {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL) // it is gone, one way or another
	panic(http.ErrAbortHandler)
}

// TestF13_Rehearsal is F13 on the deployment itself: events come up to three times, late and out of order,
// to processes that are frozen between events and die at every step of theirs. All is as if each event
// had come once.
func TestF13_Rehearsal(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	f := &faultyLambda{
		dice: newDice(seed), late: 3 * time.Second, every: 16, steps: map[string]int{}, env: &testenv.Env{},
	}
	if deep() {
		f.late = 30 * time.Second
	}
	started := make(chan struct{})
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Faults: &testenv.Faults{
		Tables:  func(next http.Handler) http.Handler { return f.after(started, f.kill(next), next) },
		Posts:   func(next http.Handler) http.Handler { return f.kill(next) },
		Deliver: f.deliver, Freeze: true,
	}})
	f.env = e
	close(started)
	ta := talkers(t, e, 3, seed)
	ta.until(column(100, 20_000))
	f.heal()
	f.copies.Wait()
	report := ta.settle()
	kinds := []string{"twice", "three times"}
	for _, step := range deadlySteps {
		kinds = append(kinds, step+" before", step+" after")
	}
	ta.verdict(report, f.dice, seed, kinds...)
}

// after has one handler before the start, and the other then.
func (f *faultyLambda) after(started <-chan struct{}, then, before http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-started:
			then.ServeHTTP(w, r)
		default:
			before.ServeHTTP(w, r)
		}
	})
}
