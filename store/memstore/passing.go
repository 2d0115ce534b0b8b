package memstore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
)

// bucket is a token bucket.
type bucket struct {
	tokens  float64
	at      time.Time
	refused int       // since the bucket was full
	until   time.Time // the end of the rest after a refusal
}

// rest is how long at least nothing is taken after a refusal. What a client has sent behind the
// refused action, before it could know, is refused with it, and so cannot overtake it: that
// many are sent within 16 ms, 32 at the rate of 2,000 a second.
const rest = 50 * time.Millisecond

// take takes a token, or tells how long there will be none.
func (b *bucket) take(now time.Time, rate, burst float64) time.Duration {
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(burst, b.tokens+passed.Seconds()*rate)
		b.at = now
	}
	if b.tokens >= burst {
		b.refused = 0
	}
	resting := now.Before(b.until)
	if b.tokens >= 1 && !resting {
		b.tokens--
		return 0
	}
	b.refused++
	if !resting {
		wait := time.Duration((1 - b.tokens) / rate * float64(time.Second))
		b.until = now.Add(max(rest, wait.Truncate(time.Millisecond)+time.Millisecond))
	}
	const up = time.Millisecond - 1 // clients are told milliseconds
	return (b.until.Sub(now) + up).Truncate(time.Millisecond)
}

const (
	// maxTombstones bounds the memory of closed ids to about 30 MB: beyond it the oldest are
	// forgotten early.
	maxTombstones = 1 << 18
	// sweepStep is how many expired tombstones a Close removes at most: more than it adds, and few
	// enough not to be felt.
	sweepStep = 8
)

// tombstones are the ids of closed connections.
type tombstones struct {
	until map[string]time.Time
	queue []tombstone // the oldest first
}

type tombstone struct {
	id    string
	until time.Time
}

func (t *tombstones) has(id string, now time.Time) bool { return now.Before(t.until[id]) }

// add remembers a closed id for TombstoneTTL from its first Close.
func (t *tombstones) add(id string, now time.Time) {
	for range sweepStep {
		if len(t.queue) == 0 || len(t.queue) < maxTombstones && now.Before(t.queue[0].until) {
			break
		}
		oldest := t.queue[0]
		t.queue = t.queue[1:]
		if t.until[oldest.id].Equal(oldest.until) {
			delete(t.until, oldest.id)
		}
	}
	if t.has(id, now) {
		return
	}
	until := now.Add(chat.TombstoneTTL)
	t.until[id] = until
	t.queue = append(t.queue, tombstone{id, until})
}

// notes are users who may have come or gone, by room.
type notes struct {
	mu    sync.Mutex
	rooms map[string]map[string]bool
}

// Note remembers a user in rooms, see chat.Connections.
func (s *Connections) Note(_ context.Context, user string, rooms []string) error {
	s.notes.mu.Lock()
	defer s.notes.mu.Unlock()
	if s.notes.rooms == nil {
		s.notes.rooms = map[string]map[string]bool{}
	}
	for _, room := range rooms {
		if s.notes.rooms[room] == nil {
			s.notes.rooms[room] = map[string]bool{}
		}
		s.notes.rooms[room][user] = true
	}
	return nil
}

// Noted yields what was noted and forgets it, see chat.Connections. What the caller does not come
// to stays noted.
func (s *Connections) Noted(context.Context) iter.Seq2[chat.RoomUsers, error] {
	return func(yield func(chat.RoomUsers, error) bool) {
		s.notes.mu.Lock()
		rooms := slices.Sorted(maps.Keys(s.notes.rooms))
		s.notes.mu.Unlock()
		for _, room := range rooms {
			users := s.notes.take(room)
			if len(users) > 0 && !yield(chat.RoomUsers{Room: room, Users: users}, nil) {
				return
			}
		}
	}
}

func (n *notes) take(room string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	users := slices.Sorted(maps.Keys(n.rooms[room]))
	delete(n.rooms, room)
	return users
}

// typed is when users were last told to be typing.
type typed struct {
	mu    sync.Mutex
	last  map[string]time.Time
	swept time.Time
}

// Typed tells whether a user's typing is due, see chat.Connections.
func (s *Connections) Typed(_ context.Context, user string, now time.Time) (bool, error) {
	t := &s.typed
	t.mu.Lock()
	defer t.mu.Unlock()
	old := func(_ string, at time.Time) bool { return now.Sub(at) >= chat.TypingEvery }
	if t.last == nil || old("", t.swept) {
		maps.DeleteFunc(t.last, old)
		t.swept = now
	}
	if at, found := t.last[user]; found && !old(user, at) {
		return false, nil
	}
	if t.last == nil {
		t.last = map[string]time.Time{}
	}
	t.last[user] = now
	return true, nil
}
