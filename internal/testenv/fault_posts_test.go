//go:build !race

package testenv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/lambdahost"
)

// What a faulty gateway does to a call of @connections.
const (
	tooManyCalls = "429"
	broken       = "500"
	noAnswer     = "timeout"
	slowAnswer   = "slow"
	lateTimeout  = "success, then timeout"
	notYet       = "410, then fine"
	gone         = "410"
)

// faultyPosts stands before @connections: three of ten calls go wrong, one new connection in three is
// not there at first, and half of those that have gone nobody tells the function of.
type faultyPosts struct {
	*dice
	next http.Handler

	mu    sync.Mutex
	opens map[string]time.Time // by connection: answers 410 until then
	calls int
	turns map[string]int
}

// turn tells whether a fault has its turn, which it has once in so many times, and counts it then.
func (f *faultyPosts) turn(in int, kind string) bool {
	f.mu.Lock()
	f.turns[kind]++
	mine := f.turns[kind]%in == 1
	f.mu.Unlock()
	return mine && f.count(kind)
}

// deliver passes events on, and learns of new connections.
func (f *faultyPosts) deliver(
	ctx context.Context, in lambdahost.Input, invoke rehearsal.Invoke,
) (lambdahost.Output, error) {
	var e struct {
		RequestContext struct{ RouteKey, ConnectionID string }
	}
	if err := json.Unmarshal(in.Payload, &e); err != nil {
		return lambdahost.Output{}, err
	}
	if e.RequestContext.RouteKey == "$disconnect" && f.turn(2, "no $disconnect") {
		return lambdahost.Output{Status: http.StatusOK, Payload: []byte(`{"statusCode":200}`)}, nil
	}
	out, err := invoke(ctx, in)
	if e.RequestContext.RouteKey == "$connect" && f.turn(3, notYet) {
		f.mu.Lock()
		f.opens[e.RequestContext.ConnectionID] = time.Now().Add(400 * time.Millisecond)
		f.mu.Unlock()
	}
	return out, err
}

func (f *faultyPosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, id, _ := strings.Cut(r.URL.Path, "@connections/")
	f.mu.Lock()
	f.calls++
	until := f.opens[id]
	f.mu.Unlock()
	if time.Now().Before(until) {
		w.Header().Set("X-Amzn-Errortype", "GoneException")
		w.WriteHeader(http.StatusGone)
		return
	}
	kind := f.draw(0.3, tooManyCalls, broken, noAnswer, slowAnswer, lateTimeout)
	switch kind {
	case tooManyCalls:
		w.Header().Set("X-Amzn-Errortype", "LimitExceededException")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case broken:
		w.Header().Set("X-Amzn-Errortype", "InternalServerErrorException")
		w.WriteHeader(http.StatusInternalServerError)
		return
	case noAnswer:
		panic(http.ErrAbortHandler)
	case slowAnswer:
		time.Sleep(200 * time.Millisecond)
	}
	body, _ := io.ReadAll(r.Body)
	clone := r.Clone(context.WithoutCancel(r.Context()))
	clone.Body = io.NopCloser(strings.NewReader(string(body)))
	answer := httptest.NewRecorder()
	f.next.ServeHTTP(answer, clone)
	if answer.Code == http.StatusGone {
		f.count(gone)
	}
	if kind == lateTimeout {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who has gone misses it
}

// TestF11_Rehearsal is F11 on the deployment itself: the calls by which its functions post go wrong in
// every way. Every client that is there has all of its rooms' messages, no row of one that has gone
// stays, and no row of one that is there goes.
func TestF11_Rehearsal(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	f := &faultyPosts{dice: newDice(seed), opens: map[string]time.Time{}, turns: map[string]int{}}
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Faults: &testenv.Faults{
		Posts: func(next http.Handler) http.Handler {
			f.next = next
			return f
		},
		Deliver: f.deliver,
	}})
	ta := talkers(t, e, 4, seed)
	var left []string
	for round := range column(5, 400) {
		guest := fmt.Sprintf("guest%d", round)
		ctx, leave := context.WithCancel(ta.ctx)
		c := ta.join(ctx, guest, seed+uint64(100+round), 0)
		ta.await(trafficLimit, "the guest has joined", (*sim.Client).Joined)
		ta.until(column(20, 100))
		c.Leave()
		leave()
		left = append(left, guest)
	}
	ta.until(column(30, 1000))
	f.heal()
	report := ta.settle()
	ta.verdict(report, f.dice, seed, tooManyCalls, broken, noAnswer, slowAnswer, lateTimeout, notYet,
		"no $disconnect")
	for i := range 4 {
		rows, err := e.Connections.OfUser(t.Context(), fmt.Sprintf("user%d", i))
		if err != nil || len(rows) == 0 {
			t.Errorf("the row of user%d, who is there, is deleted: %v", i, err)
		}
	}
	ta.swept(left)
	if f.calls < column(500, 100_000) {
		t.Errorf("%d calls are too few", f.calls)
	}
	if f.counts[gone] == 0 {
		t.Errorf("nothing was posted to those who have left: %v", f.counts)
	}
}

// swept awaits that no row of those who have left is there, while somebody goes on talking: what tells of
// them is a message that cannot be posted to them.
func (ta *talk) swept(users []string) {
	ta.t.Helper()
	ctx, cancel := context.WithTimeout(ta.ctx, convergeLimit)
	defer cancel()
	line, err := sim.Dial(ctx, ta.e.URLs[0], "talker")
	if err == nil {
		_, err = line.Join(ctx, talkRooms[0])
	}
	for n := 0; err == nil; n++ {
		stay := 0
		for _, user := range users {
			rows, _ := ta.e.Connections.OfUser(ctx, user) // when the time is over the line ends too
			stay += len(rows)
		}
		if stay == 0 && ctx.Err() == nil {
			line.Close()
			return
		}
		time.Sleep(200 * time.Millisecond)
		id := fmt.Sprintf("talker-%d", n)
		const say = `{"action":"sendMessage","id":%q,"room":%q,"message":"is anybody gone?"}`
		if _, err = line.Do(ctx, id, say, id, talkRooms[0]); err != nil {
			err = fmt.Errorf("%d rows of users who have left are still there: %w", stay, err)
		}
	}
	ta.t.Error(err)
}
