package memstore

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Connections is a chat.Connections in memory.
type Connections struct {
	o Options

	mu     sync.RWMutex // guards the maps, every group and conn.groups; held for no callback
	conns  map[string]*conn
	lobby  *group            // every connection
	users  map[string]*group // by user
	rooms  map[string]*group // subscriptions, by room
	closed tombstones

	names atomic.Pointer[[]string] // keys of users, ascending; nil: to be made

	notes notes
	typed typed
	turns turns

	announced announced
}

var _ chat.Connections = (*Connections)(nil)

// conn is a connection that was opened and not closed.
type conn struct {
	row    atomic.Pointer[chat.Connection] // never written to: replaced
	until  int64                           // Unix nanoseconds
	lease  atomic.Int64                    // Unix nanoseconds
	groups []*group                        // rooms it is subscribed to

	touch  sync.Mutex
	bucket bucket
}

// forever is the end of what has none, in Unix nanoseconds.
const forever = math.MaxInt64

func (c *conn) live(now int64) bool { return now < c.until && now < c.lease.Load() }

// NewConnections makes an empty store of connections.
func NewConnections(o Options) *Connections {
	return &Connections{
		o: o.filled(), conns: map[string]*conn{}, lobby: newGroup(""),
		users: map[string]*group{}, rooms: map[string]*group{},
		closed: tombstones{until: map[string]time.Time{}},
	}
}

func (s *Connections) clock() int64 { return s.o.Now().UnixNano() }

// leaseFrom gives the end of a lease that is renewed now.
func (s *Connections) leaseFrom(now time.Time, hello bool) int64 {
	lease := s.o.SilentLease
	if hello {
		lease = s.o.Lease
	}
	if lease == 0 {
		return forever
	}
	return now.Add(lease).UnixNano()
}

// Open records a connection, see chat.Connections.
func (s *Connections) Open(_ context.Context, row chat.Connection, members []chat.Member) error {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.has(row.ID, now) {
		return fail("open", chat.Taken, "the connection %s is closed", row.ID)
	}
	if s.conns[row.ID] != nil {
		return nil
	}
	if u := s.users[row.User]; u != nil && u.live(now.UnixNano()) >= chat.MaxConnections {
		return fail("open", chat.Limited, "%s has %d connections, the limit", row.User, chat.MaxConnections)
	}
	row.Hello, row.Excess = false, 0
	c := &conn{until: forever, bucket: bucket{tokens: float64(s.o.Burst), at: now}}
	if !row.Until.IsZero() {
		c.until = row.Until.UnixNano()
	}
	c.lease.Store(s.leaseFrom(now, false))
	c.row.Store(&row)
	s.conns[row.ID] = c
	s.enter(c, members)
	return nil
}

// enter puts a connection into the groups of its row's user.
func (s *Connections) enter(c *conn, members []chat.Member) {
	row := c.row.Load()
	s.lobby.put(c, row, 0)
	u := s.users[row.User]
	if u == nil {
		u = newGroup(row.User)
		s.users[row.User] = u
		s.names.Store(nil)
	}
	u.put(c, row, 0)
	for _, m := range members {
		s.subscribe(c, m)
	}
}

// quit takes a connection out of all its groups.
func (s *Connections) quit(c *conn) {
	user := c.row.Load().User
	s.lobby.drop(c)
	if u := s.users[user]; u.drop(c) {
		delete(s.users, user)
		s.names.Store(nil)
	}
	for _, g := range c.groups {
		if g.drop(c) {
			delete(s.rooms, g.id)
		}
	}
	c.groups = nil
}

// subscribe puts a connection into a room's group.
func (s *Connections) subscribe(c *conn, m chat.Member) {
	g := s.rooms[m.Room]
	if g == nil {
		g = newGroup(m.Room)
		s.rooms[m.Room] = g
	}
	if g.put(c, c.row.Load(), m.Gen) {
		c.groups = append(c.groups, g)
	}
}

// find gives a live connection.
func (s *Connections) find(op, id string, now int64) (*conn, error) {
	s.mu.RLock()
	c := s.conns[id]
	s.mu.RUnlock()
	if c == nil || !c.live(now) {
		return nil, fail(op, chat.NotFound, "no open connection %s", id)
	}
	return c, nil
}

// Touch counts an action, see chat.Connections.
func (s *Connections) Touch(
	_ context.Context, id string, now time.Time, p chat.Pulse,
) (chat.Connection, error) {
	c, err := s.find("touch", id, now.UnixNano())
	if err != nil {
		return chat.Connection{}, err
	}
	c.touch.Lock()
	defer c.touch.Unlock()
	if p == chat.Greets && !c.row.Load().Hello {
		row := *c.row.Load()
		row.Hello = true
		c.row.Store(&row)
	}
	row := *c.row.Load()
	c.lease.Store(s.leaseFrom(now, row.Hello))
	if s.o.Rate == 0 {
		return row, nil
	}
	wait := c.bucket.take(now, float64(s.o.Rate), float64(s.o.Burst))
	row.Excess = c.bucket.refused
	if wait > 0 {
		return row, &chat.Error{Kind: chat.Limited, Op: "touch", Message: "too many actions", RetryAfter: wait}
	}
	return row, nil
}

// Rename gives a connection to another user, see chat.Connections.
func (s *Connections) Rename(
	_ context.Context, id, user string, members []chat.Member,
) (chat.Connection, error) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[id]
	if c == nil || !c.live(now) {
		return chat.Connection{}, fail("rename", chat.NotFound, "no open connection %s", id)
	}
	if u := s.users[user]; u != nil && user != c.row.Load().User && u.liveBut(c, now) {
		return chat.Connection{}, fail("rename", chat.Taken, "%s has another connection", user)
	}
	c.touch.Lock()
	defer c.touch.Unlock()
	s.quit(c)
	row := *c.row.Load()
	row.User = user
	if row.NamedAt.IsZero() {
		row.NamedAt = s.o.Now()
	}
	c.row.Store(&row)
	s.enter(c, members)
	return row, nil
}

// Close ends a connection, see chat.Connections.
func (s *Connections) Close(_ context.Context, id string) (chat.Connection, error) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.add(id, now)
	c := s.conns[id]
	if c == nil {
		return chat.Connection{}, fail("close", chat.NotFound, "no open connection %s", id)
	}
	delete(s.conns, id)
	s.quit(c)
	return *c.row.Load(), nil
}

// Get gives a connection, see chat.Connections.
func (s *Connections) Get(_ context.Context, id string) (chat.Connection, error) {
	c, err := s.find("get", id, s.clock())
	if err != nil {
		return chat.Connection{}, err
	}
	return *c.row.Load(), nil
}

// Subscribe subscribes a user's connections, see chat.Connections.
func (s *Connections) Subscribe(_ context.Context, m chat.Member) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[m.User]; u != nil {
		for i := range u.subs {
			s.subscribe(u.subs[i].conn, m)
		}
	}
	return nil
}

// Unsubscribe ends a user's subscriptions of a room, see chat.Connections.
func (s *Connections) Unsubscribe(_ context.Context, room, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, g := s.users[user], s.rooms[room]
	if u == nil || g == nil {
		return nil
	}
	for i := range u.subs {
		c := u.subs[i].conn
		if at := slices.Index(c.groups, g); at >= 0 {
			c.groups = slices.Delete(c.groups, at, at+1)
			g.drop(c)
		}
	}
	if len(g.subs) == 0 {
		delete(s.rooms, room)
	}
	return nil
}

// OfUser lists a user's connections, see chat.Connections.
func (s *Connections) OfUser(_ context.Context, user string) ([]chat.Connection, error) {
	now := s.clock()
	s.mu.RLock()
	subs := s.users[user].snapshot()
	s.mu.RUnlock()
	var rows []chat.Connection
	for _, sub := range subs {
		if sub.conn.live(now) {
			rows = append(rows, *sub.conn.row.Load())
		}
	}
	slices.SortFunc(rows, func(a, b chat.Connection) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), strings.Compare(a.ID, b.ID))
	})
	return rows, nil
}

// Online lists users, see chat.Connections.
func (s *Connections) Online(_ context.Context, after string, limit int) ([]string, bool, error) {
	now := s.clock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var users []string
	names := s.sortedNames()
	at, found := slices.BinarySearch(names, after)
	if found {
		at++
	}
	for _, user := range names[at:] {
		if s.users[user].live(now) == 0 {
			continue
		}
		if len(users) == limit {
			return users, true, nil
		}
		users = append(users, user)
	}
	return users, false, nil
}

// sortedNames gives the keys of users; as group.snapshot, it is made once between two changes.
func (s *Connections) sortedNames() []string {
	if made := s.names.Load(); made != nil {
		return *made
	}
	names := slices.Sorted(maps.Keys(s.users))
	s.names.Store(&names)
	return names
}

// Lapsed yields connections whose time is over, see chat.Connections.
func (s *Connections) Lapsed(_ context.Context, now time.Time) iter.Seq2[chat.Connection, error] {
	return func(yield func(chat.Connection, error) bool) {
		at := now.UnixNano()
		s.mu.RLock()
		subs := s.lobby.snapshot()
		s.mu.RUnlock()
		for _, sub := range subs {
			c := sub.conn
			row := c.row.Load()
			over := at >= c.until || row.Hello && at >= c.lease.Load()
			if over && !yield(*row, nil) {
				return
			}
		}
	}
}
