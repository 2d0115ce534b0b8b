package memstore

import (
	"context"
	"sync"
	"time"
)

// announced are the users of whose coming others have been told, and not of their going.
type announced struct {
	mu    sync.Mutex
	users map[string]bool
}

// Announce notes a coming or a going, see chat.Connections.
func (s *Connections) Announce(
	_ context.Context, user string, here bool, _ time.Time,
) (news bool, err error) {
	a := &s.announced
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users[user] == here {
		return false, nil
	}
	if !here {
		delete(a.users, user)
		return true, nil
	}
	if a.users == nil {
		a.users = map[string]bool{}
	}
	a.users[user] = true
	return true, nil
}
