package memstore

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

// group is connections that get the same messages. Connections.mu guards subs and places. Most
// groups are small, a user's above all: those are searched, for a map would be most of their size.
type group struct {
	id     string
	subs   []sub
	places map[*conn]int         // in subs; nil until there are more than few
	snap   atomic.Pointer[[]sub] // subs as a slice that is never written to; nil: to be made
}

// sub is a connection in a group. It keeps the row of the user who subscribed, so that one who
// takes the connection over gets nothing of the former's rooms.
type sub struct {
	conn *conn
	row  *chat.Connection
	gen  uint64
}

// few is how many connections are searched one by one.
const few = 16

func newGroup(id string) *group { return &group{id: id} }

// place finds a connection in subs; -1: it is not there.
func (g *group) place(c *conn) int {
	if g.places == nil {
		return slices.IndexFunc(g.subs, func(s sub) bool { return s.conn == c })
	}
	if at, found := g.places[c]; found {
		return at
	}
	return -1
}

// put adds a connection or changes its generation; it tells whether the connection is new.
func (g *group) put(c *conn, row *chat.Connection, gen uint64) bool {
	g.snap.Store(nil)
	if at := g.place(c); at >= 0 {
		g.subs[at] = sub{c, row, gen}
		return false
	}
	g.subs = append(g.subs, sub{c, row, gen})
	switch {
	case g.places != nil:
		g.places[c] = len(g.subs) - 1
	case len(g.subs) > few:
		g.places = make(map[*conn]int, len(g.subs))
		for at := range g.subs {
			g.places[g.subs[at].conn] = at
		}
	}
	return true
}

// drop takes a connection out and tells whether the group is empty now.
func (g *group) drop(c *conn) bool {
	g.snap.Store(nil)
	at := g.place(c)
	if at < 0 {
		return len(g.subs) == 0
	}
	last := len(g.subs) - 1
	g.subs[at] = g.subs[last]
	g.subs[last] = sub{}
	g.subs = g.subs[:last]
	if g.places != nil {
		if at < last {
			g.places[g.subs[at].conn] = at
		}
		delete(g.places, c)
	}
	return last == 0
}

// snapshot gives the group as it is, for use after the lock is released. The caller holds
// Connections.mu for reading: a snapshot is made once between two changes, whoever asks first.
func (g *group) snapshot() []sub {
	if g == nil {
		return nil
	}
	if made := g.snap.Load(); made != nil {
		return *made
	}
	subs := slices.Clone(g.subs)
	g.snap.Store(&subs)
	return subs
}

// live counts the live connections.
func (g *group) live(now int64) int {
	n := 0
	for i := range g.subs {
		if g.subs[i].conn.live(now) {
			n++
		}
	}
	return n
}

// liveBut tells whether there is a live connection other than c.
func (g *group) liveBut(c *conn, now int64) bool {
	for i := range g.subs {
		if other := g.subs[i].conn; other != c && other.live(now) {
			return true
		}
	}
	return false
}

// Receivers yields who gets a room's messages, see chat.Connections. No lock is held meanwhile.
func (s *Connections) Receivers(_ context.Context, h chat.Head) iter.Seq2[chat.Receiver, error] {
	return func(yield func(chat.Receiver, error) bool) {
		now := s.clock()
		first, second := s.receivers(h)
		_ = yieldLive(first, now, yield) && yieldLive(second, now, yield)
	}
}

// receivers are the receivers of a room in up to two parts.
func (s *Connections) receivers(h chat.Head) (first, second []sub) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, b, direct := chat.DirectUsers(h.Room)
	switch {
	case h.Room == chat.Lobby:
		return s.lobby.snapshot(), nil
	case !direct:
		return s.rooms[h.Room].snapshot(), nil
	case a == b:
		return s.users[a].snapshot(), nil
	}
	return s.users[a].snapshot(), s.users[b].snapshot()
}

// yieldLive yields the live ones and tells whether to go on.
func yieldLive(subs []sub, now int64, yield func(chat.Receiver, error) bool) bool {
	for i := range subs {
		s := &subs[i]
		if !s.conn.live(now) {
			continue
		}
		r := chat.Receiver{
			ID: s.row.ID, User: s.row.User, Dialect: s.row.Dialect, Endpoint: s.row.Endpoint,
			Gen: s.gen, ConnectedAt: s.row.ConnectedAt, NamedAt: s.row.NamedAt,
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}
