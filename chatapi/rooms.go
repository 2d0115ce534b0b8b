package chatapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/warm"
)

// Rooms fans out with a worker per busy room, for a host where one process holds all sockets. A
// worker takes all that waits in its room at once, so that what has queued meanwhile leaves in
// one write; it ends when nothing waits.
type Rooms struct {
	limit   int
	workers *warm.Pool[roomWork]
	mu      sync.Mutex
	busy    map[string]*roomQueue
	errands map[string][]string // by user with one under way: rooms that are asked for meanwhile
	idle    sync.WaitGroup
}

// roomWork is what a worker begins with.
type roomWork struct {
	handler *Handler
	room    string
	queue   *roomQueue
}

// roomQueue is what waits in one room.
type roomQueue struct {
	waiting []push
	since   time.Time     // when the first of them came; known where somebody observes
	spare   []push        // the batch before, to be filled again
	taken   chan struct{} // closed when the worker takes what waits; nil: nobody waits for it
}

// NewRooms makes the workers. limit is the most events that wait in one room before senders to it
// are made to wait.
func NewRooms(limit int) *Rooms {
	r := &Rooms{limit: limit, busy: map[string]*roomQueue{}, errands: map[string][]string{}}
	r.workers = warm.NewPool(r.work)
	r.workers.Open()
	return r
}

// enqueue puts an event behind those of its room. It never blocks.
func (r *Rooms) enqueue(h *Handler, p push) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(h, p)
}

// enqueueAll puts events behind those of their room, with none of another in between.
func (r *Rooms) enqueueAll(h *Handler, pushes []push) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range pushes {
		r.put(h, p)
	}
}

// put is enqueue under the lock.
func (r *Rooms) put(h *Handler, p push) {
	q := r.busy[p.head.Room]
	if q != nil {
		if len(q.waiting) == 0 {
			q.since = h.observedAt()
		}
		q.waiting = append(q.waiting, p)
		return
	}
	q = &roomQueue{waiting: []push{p}, since: h.observedAt()}
	r.busy[p.head.Room] = q
	r.idle.Add(1)
	r.workers.Do(roomWork{h, p.head.Room, q})
}

// work delivers until nothing waits.
func (r *Rooms) work(w roomWork) {
	defer r.idle.Done()
	for {
		batch, since := r.take(w.room, w.queue)
		if batch == nil {
			return
		}
		errands := w.handler.deliver(context.Background(), batch)
		w.handler.observeFanOut(batch, since)
		for _, e := range errands {
			r.run(w.handler, e)
		}
		clear(batch)
		w.queue.spare = batch[:0]
	}
}

// take gives what waits in a room and since when; nothing ends the room's worker.
func (r *Rooms) take(room string, q *roomQueue) ([]push, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.taken != nil {
		close(q.taken)
		q.taken = nil
	}
	if len(q.waiting) == 0 {
		delete(r.busy, room)
		return nil, time.Time{}
	}
	batch := q.waiting
	q.waiting, q.spare = q.spare, nil
	return batch, q.since
}

// maxAsked is how many rooms are kept for one errand: beyond them it is through all of the user's.
const maxAsked = 32

// run does an errand. It never blocks: a user's errands run one after the other, those that have come
// meanwhile at once.
func (r *Rooms) run(h *Handler, e errand) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if asked, running := r.errands[e.user]; running {
		switch {
		case slices.Contains(asked, e.room), slices.Contains(asked, ""):
		case len(asked) == maxAsked:
			r.errands[e.user] = []string{""}
		default:
			r.errands[e.user] = append(asked, e.room)
		}
		return
	}
	r.errands[e.user] = nil
	r.idle.Go(func() {
		for rooms := []string{e.room}; rooms != nil; rooms = r.asked(e.user) {
			if err := h.handOver(context.Background(), e.user, rooms); err != nil {
				h.logError(context.Background(), "hand over", "", err)
			}
		}
	})
}

// asked takes the rooms that were asked for meanwhile; nil ends the user's errands.
func (r *Rooms) asked(user string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rooms := r.errands[user]
	if rooms == nil {
		delete(r.errands, user)
		return nil
	}
	r.errands[user] = nil
	return rooms
}

// admit waits while the room's queue is full.
func (r *Rooms) admit(ctx context.Context, room string) error {
	for {
		taken := r.full(room)
		if taken == nil {
			return nil
		}
		select {
		case <-taken:
		case <-ctx.Done():
			return chat.Wrap(chat.Unavailable, "wait for the room", ctx.Err())
		}
	}
}

func (r *Rooms) full(room string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.busy[room]
	if q == nil || len(q.waiting) < r.limit {
		return nil
	}
	if q.taken == nil {
		q.taken = make(chan struct{})
	}
	return q.taken
}

// Wait returns when no room has anything left to deliver, and no worker is kept for more.
func (r *Rooms) Wait() {
	r.idle.Wait()
	r.workers.Close()
}
