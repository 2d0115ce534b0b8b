package memstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

var _ chat.Retainer = (*Log)(nil)

// Keep sets how long a room keeps its messages, see chat.Retainer.
func (l *Log) Keep(_ context.Context, id string, keep time.Duration) (chat.Head, error) {
	if err := chat.CheckKeep(keep); err != nil {
		return chat.Head{}, fail("keep", chat.Invalid, "%v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find("keep", id)
	if err != nil {
		return chat.Head{}, err
	}
	r.head.Keep = keep
	return r.head, nil
}

// Cut removes the first messages of a room, see chat.Retainer.
func (l *Log) Cut(_ context.Context, id string, upTo uint64) (chat.Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find("cut", id)
	if err != nil {
		return chat.Head{}, err
	}
	upTo = min(upTo, r.head.Seq)
	if upTo > r.head.Cut {
		r.messages = slices.Clone(r.messages[upTo-r.head.Cut:]) // so that the texts are let go
		r.head.Cut = upTo
	}
	return r.head, nil
}

// AllKept lists what rooms keep, see chat.Retainer.
func (l *Log) AllKept(_ context.Context, after string, limit int) ([]chat.Kept, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var rows []chat.Kept
	for id, r := range l.rooms {
		if id > after {
			rows = append(rows, chat.Kept{Room: id, Keep: r.head.Keep, Cut: r.head.Cut})
		}
	}
	byRoom := func(a, b chat.Kept) int { return strings.Compare(a.Room, b.Room) }
	rows, more := firstOf(rows, limit, byRoom)
	return rows, more, nil
}
