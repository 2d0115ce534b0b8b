package chatapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
)

// audience is who gets a post, in the order of posting. Its memory is used again, because a busy
// room lists its receivers for every batch.
type audience struct {
	targets []connections.Target
	since   []time.Time // when each of targets connected
}

var audiences = sync.Pool{New: func() any { return new(audience) }}

func newAudience() *audience { return audiences.Get().(*audience) }

func (a *audience) release() {
	a.targets, a.since = a.targets[:0], a.since[:0]
	audiences.Put(a)
}

func (a *audience) add(id, endpoint string, since time.Time) {
	a.targets = append(a.targets, connections.Target{ID: id, Endpoint: endpoint})
	a.since = append(a.since, since)
}

// slice gives a part of the audience, which shares its memory.
func (a *audience) slice(from, to int) *audience {
	return &audience{a.targets[from:to], a.since[from:to]}
}

// addresses gives some of the targets in the form that tasks have.
func (a *audience) addresses(some []connections.Target) []Address {
	list := make([]Address, len(some))
	next := 0 // mostly they follow one another
	for i, t := range some {
		at := a.index(t, next)
		list[i] = Address{t, a.since[at]}
		next = at + 1
	}
	return list
}

// index finds a target, looking from a place on first.
func (a *audience) index(t connections.Target, from int) int {
	if i := slices.Index(a.targets[from:], t); i >= 0 {
		return from + i
	}
	return slices.Index(a.targets[:from], t)
}

func (a *audience) connectedAt(t connections.Target) time.Time { return a.since[a.index(t, 0)] }

// gather lists who is told of the pushes: their origins first, then everyone else in the room. Those
// who speak a seed dialect are listed by themselves.
func (h *Handler) gather(ctx context.Context, pushes []push) (
	a *audience, seeds []chat.Receiver, err error,
) {
	a = newAudience()
	for i := range pushes {
		switch o := &pushes[i].origin; {
		case o.ID == "":
		case o.Dialect != native:
			if !hasReceiver(seeds, o.ID) {
				seeds = append(seeds, receiverOf(o))
			}
		case !a.has(o.ID, len(a.targets)):
			a.add(o.ID, o.Endpoint, o.ConnectedAt)
		}
	}
	origins, seedOrigins := len(a.targets), seeds
	last := &pushes[len(pushes)-1]
	for r, err := range h.Service.Receivers(ctx, last.head) {
		switch {
		case err != nil:
			a.release()
			return nil, nil, err
		case r.User == last.skip:
		case r.Dialect != native:
			if !hasReceiver(seedOrigins, r.ID) {
				seeds = append(seeds, r)
			}
		case !last.lounge && !a.has(r.ID, origins):
			a.add(r.ID, r.Endpoint, r.ConnectedAt)
		}
	}
	return a, seeds, nil
}

func hasReceiver(list []chat.Receiver, id string) bool {
	return slices.ContainsFunc(list, func(r chat.Receiver) bool { return r.ID == id })
}

// receiverOf is a connection as the fan-out sees it.
func receiverOf(c *chat.Connection) chat.Receiver {
	return chat.Receiver{
		ID: c.ID, User: c.User, Dialect: c.Dialect, Endpoint: c.Endpoint,
		ConnectedAt: c.ConnectedAt, NamedAt: c.NamedAt,
	}
}

// has tells whether a connection is among the first n targets.
func (a *audience) has(id string, n int) bool {
	for i := range a.targets[:n] {
		if a.targets[i].ID == id {
			return true
		}
	}
	return false
}

// audienceOf makes an audience of connections.
func audienceOf(list []chat.Connection) *audience {
	a := newAudience()
	for i := range list {
		a.add(list[i].ID, list[i].Endpoint, list[i].ConnectedAt)
	}
	return a
}
