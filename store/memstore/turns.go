package memstore

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
)

// turns are who hands waiting messages over, by user.
type turns struct {
	mu    sync.Mutex
	count int
	taken map[string]*turn
}

type turn struct {
	holder string
	until  time.Time
	wanted bool // by somebody else
}

// Turn takes a user's turn, see chat.Connections.
func (s *Connections) Turn(_ context.Context, user string, now time.Time) (string, error) {
	t := &s.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.taken[user]; held != nil && now.Before(held.until) {
		held.wanted = true
		return "", nil
	}
	maps.DeleteFunc(t.taken, func(_ string, held *turn) bool { return !now.Before(held.until) })
	if t.taken == nil {
		t.taken = map[string]*turn{}
	}
	t.count++
	mine := &turn{holder: strconv.Itoa(t.count), until: now.Add(chat.TurnMax)}
	t.taken[user] = mine
	return mine.holder, nil
}

// EndTurn ends it, or goes on with it, see chat.Connections.
func (s *Connections) EndTurn(
	_ context.Context, user, holder string, now time.Time,
) (again bool, err error) {
	t := &s.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.taken[user]
	switch {
	case held == nil || held.holder != holder:
		return false, nil
	case held.wanted:
		held.wanted, held.until = false, now.Add(chat.TurnMax)
		return true, nil
	}
	delete(t.taken, user)
	return false, nil
}
