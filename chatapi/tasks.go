package chatapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/confab-chat/confab/connections"
)

// The kinds of task. Each may run any number of times.
const (
	TaskFanout      = "fanout"      // post Frames to the addresses of To
	TaskUnsubscribe = "unsubscribe" // end the subscriptions of User in Room
	TaskOpened      = "opened"      // tell what a connection could not be told within its $connect
)

// Task is work that comes after an event. It survives being JSON.
type Task struct {
	Kind   string    `json:"kind"`
	Frames []string  `json:"frames,omitempty"`
	To     []Address `json:"to,omitempty"`
	Room   string    `json:"room,omitempty"`
	User   string    `json:"user,omitempty"`  // of opened: whose direct messages wait
	Tries  int       `json:"tries,omitempty"` // of a fan-out, before this one
	// Connection is one of the lounge that has opened with a name.
	Connection string `json:"connection,omitempty"`
}

// Address is a connection and since when it is there.
type Address struct {
	connections.Target
	ConnectedAt time.Time
}

const (
	// youngRetry is how long a task waits before it tries a connection that may be not yet open.
	youngRetry = 250 * time.Millisecond
	// firstRetry is that at first: mostly the connection opens at once.
	firstRetry = 10 * time.Millisecond
	// openingTime is how long a task goes on trying.
	openingTime = 5 * time.Second
)

// untilDone tries until it is done, for openingTime: more often at first, then every youngRetry.
func (h *Handler) untilDone(ctx context.Context, try func() (done bool, err error)) error {
	for wait, waited := firstRetry, time.Duration(0); ; wait = min(waited, youngRetry) {
		done, err := try()
		if err != nil || done || waited >= openingTime {
			return err
		}
		if err := h.Sleep(ctx, wait); err != nil {
			return err
		}
		waited += wait
	}
}

// maxTries is how often a fan-out is tried. After that its receivers find it in the log.
const maxTries = 3

func fanoutTask(to []Address, frames [][]byte) Task {
	t := Task{Kind: TaskFanout, To: to, Frames: make([]string, len(frames))}
	for i, f := range frames {
		t.Frames[i] = string(f)
	}
	return t
}

// Run does a task.
func (h *Handler) Run(ctx context.Context, t Task) error {
	switch t.Kind {
	case TaskFanout:
		return h.runFanout(ctx, t)
	case TaskUnsubscribe:
		return h.Service.Unsubscribe(ctx, t.Room, t.User)
	case TaskOpened:
		return h.runOpened(ctx, t)
	}
	return fmt.Errorf("chatapi: unknown task %q", t.Kind)
}

// runFanout posts, and posts once more to connections that may not have been open yet. What fails
// then is found by its receiver in the log.
func (h *Handler) runFanout(ctx context.Context, t Task) error {
	frames := make([][]byte, len(t.Frames))
	for i, f := range t.Frames {
		frames[i] = []byte(f)
	}
	to := newAudience()
	defer to.release()
	for _, a := range t.To {
		to.add(a.ID, a.Endpoint, a.ConnectedAt)
	}
	young, unsent, err := h.postNow(ctx, to, frames)
	if err != nil {
		return err
	}
	if len(unsent) > 0 && t.Tries+1 < maxTries {
		again := fanoutTask(to.addresses(unsent), frames)
		again.Tries = t.Tries + 1
		if err := h.Deferrer.Later(ctx, again); err != nil {
			return err
		}
	}
	if len(young) == 0 {
		return nil
	}
	if err := h.Sleep(ctx, youngRetry); err != nil {
		return err
	}
	_, _, err = h.Poster.Post(ctx, young, frames)
	return err
}

// Local is the Deferrer of one process: each task is a goroutine. Its zero value needs Handler.
type Local struct {
	Handler *Handler
	running sync.WaitGroup
}

// Later starts the task and returns.
func (l *Local) Later(_ context.Context, t Task) error {
	l.running.Go(func() {
		ctx := context.Background()
		if err := l.Handler.Run(ctx, t); err != nil {
			l.Handler.logError(ctx, "task "+t.Kind, "", err)
		}
	})
	return nil
}

// Wait returns when no task runs.
func (l *Local) Wait() { l.running.Wait() }

// Sleep waits by the machine's clock: the Config.Sleep of hosts that run in real time.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
