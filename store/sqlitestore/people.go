package sqlitestore

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/confab-chat/confab/chat"
)

// Bounds of what is kept of users: about 20 MB when both are reached.
const (
	maxCachedUsers = 50_000
	maxCachedLists = 100_000 // members in all lists
)

// people is what is known of users without asking the tables: who is known, whose rooms are where,
// and, by a filter, who has no row at all. The writer changes it: a list goes when a commit that
// changes it is published, before the caller of that change returns.
type people struct {
	mu     sync.RWMutex
	users  map[string]chat.User // by folded name; a user never changes and never goes
	lists  map[string][]chat.Member
	asked  map[string]uint64 // by user: whose list is being read, and by which reader
	reader uint64
	held   int // members in lists

	seed   maphash.Seed
	filter *filter // of users, and of who has a row in members or reads
	ready  bool    // it has what was in the tables when the store was opened
}

func newPeople() *people {
	p := &people{seed: maphash.MakeSeed(), filter: new(filter)}
	p.clear()
	return p
}

// clear forgets all but the filter.
func (p *people) clear() {
	p.users, p.lists, p.asked = map[string]chat.User{}, map[string][]chat.Member{}, map[string]uint64{}
	p.held = 0
}

// The kinds of keys in the filter.
const (
	keyUser  = "u" // a folded name in users
	keyRooms = "r" // a user in members or reads
)

// key is where somebody belongs in the filter.
func (p *people) key(kind, name string) int64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_, _ = h.WriteString(kind) // it never fails
	_, _ = h.WriteString(name)
	return int64(h.Sum64())
}

// absent tells that a table has no row of somebody, also none of the present batch.
func (p *people) absent(kind, name string) bool {
	key := p.key(kind, name)
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ready && !p.filter.has(key)
}

// add notes that a row is about to be written.
func (p *people) add(kind, name string) {
	key := p.key(kind, name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filter.add(key)
}

// user gives a user by its folded name.
func (p *people) user(folded string) (chat.User, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	u, ok := p.users[folded]
	return u, ok
}

// putUser keeps a user that was read.
func (p *people) putUser(folded string, u chat.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.users) >= maxCachedUsers {
		clear(p.users)
	}
	p.users[folded] = u
}

// list gives a user's rooms, which are the caller's. Where they are not here it gives a ticket, for
// offer after they were read.
func (p *people) list(user string) (rooms []chat.Member, ticket uint64) {
	p.mu.RLock()
	list, ok := p.lists[user]
	p.mu.RUnlock()
	if ok {
		return slices.Clone(list), 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reader++
	p.asked[user] = p.reader
	return nil, p.reader
}

// offer keeps a list that was read, or was not: nil. One that a commit has changed meanwhile, or that
// another reader asked for later, is not kept.
func (p *people) offer(user string, rooms []chat.Member, ticket uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked[user] != ticket {
		return
	}
	delete(p.asked, user)
	if rooms == nil {
		return
	}
	if p.held += len(rooms); p.held > maxCachedLists {
		clear(p.lists)
		p.held = len(rooms)
	}
	p.lists[user] = slices.Clone(rooms)
}

// forget drops the lists of users whom a commit has changed, and whatever is being read of them.
func (p *people) forget(users []string) {
	if len(users) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, user := range users {
		p.held -= len(p.lists[user])
		delete(p.lists, user)
		delete(p.asked, user)
	}
}

// load reads who has a row into a filter.
func (p *people) load(c *conn, into *filter, stop func() error) error {
	rows := 0
	for _, t := range []struct{ kind, query string }{
		{keyUser, "SELECT folded FROM users"},
		{keyRooms, "SELECT DISTINCT user FROM members"},
		{keyRooms, "SELECT DISTINCT user FROM reads"},
	} {
		err := c.each(t.query, func(r row) error {
			into.add(p.key(t.kind, r.text(0)))
			if rows++; rows%1024 == 0 {
				return stop()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadPeople has the filter know who is there, unless they are many: see loadManyPeople.
func (w *writer) loadPeople() error {
	for _, table := range []string{inUsers, inMembers, inReads} {
		if s, err := readSum(w.conn, table); err != nil || s.rows > w.s.small {
			return err
		}
	}
	w.s.people.ready = true
	return w.s.people.load(w.conn, w.s.people.filter, never)
}

// loadManyPeople is loadPeople while the store is used.
func (s *Store) loadManyPeople(c *conn, stop func() error) error {
	found := new(filter)
	if err := s.people.load(c, found, stop); err != nil {
		return err
	}
	s.people.mu.Lock()
	defer s.people.mu.Unlock()
	s.people.filter.join(found)
	s.people.ready = true
	return nil
}
