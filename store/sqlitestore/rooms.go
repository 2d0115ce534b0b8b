package sqlitestore

import (
	"sync"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

// Bounds of what is kept in memory: about 20 MB when all are reached.
const (
	maxCachedRooms   = 20_000
	maxCachedMembers = 100_000
)

// roomRow is a row of rooms, without what Head has from heads and removed.
type roomRow struct {
	n    int64
	head chat.Head
}

func (r *roomRow) crc() int64 {
	h := &r.head
	return content(nil).text(h.Room).num(uint64(r.n)).text(h.Name).num(uint64(h.Kind)).text(h.Owner).
		text(h.Epoch).num(h.Gen).crc()
}

// headCRC covers a row of heads.
func headCRC(n int64, room string, seq uint64) int64 {
	return content(nil).num(uint64(n)).text(room).num(seq).crc()
}

// removedRow is a row of removed.
type removedRow struct {
	room, user string
	gen        uint64
	at         int64 // milliseconds since 1970
}

func (r *removedRow) crc() int64 {
	return content(nil).text(r.room).text(r.user).num(r.gen).num(uint64(r.at)).crc()
}

// insertRoom writes a new room with an empty log.
func insertRoom(c *conn, r *roomRow) error {
	h := &r.head
	_, err := c.exec("INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		h.Room, r.n, h.Name, int64(h.Kind), h.Owner, h.Epoch, int64(h.Gen), r.crc())
	if err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO heads VALUES (?, ?, ?, ?)", r.n, h.Room, int64(h.Seq), headCRC(r.n, h.Room, h.Seq))
	return err
}

// Columns of the rows below, in the order in which they are scanned.
const (
	roomColumns    = "room, n, name, kind, owner, epoch, gen, crc"
	removedColumns = "room, user, gen, at, crc"
)

// scanRoom reads a row of roomColumns.
func scanRoom(r row) (roomRow, error) {
	found := roomRow{n: r.int(1), head: chat.Head{
		Room: r.text(0), Name: r.text(2), Kind: chat.RoomKind(r.int(3)), Owner: r.text(4),
		Epoch: r.text(5), Gen: r.uint(6),
	}}
	if found.crc() != r.int(7) {
		return found, damagef("the row of room %q fails its CRC", found.head.Room)
	}
	return found, nil
}

// scanRemoved reads a row of removedColumns.
func scanRemoved(r row) (removedRow, error) {
	found := removedRow{room: r.text(0), user: r.text(1), gen: r.uint(2), at: r.int(3)}
	if found.crc() != r.int(4) {
		return found, damagef("room %q: the removal of %q fails its CRC", found.room, found.user)
	}
	return found, nil
}

// readSeq reads the last number of a room that is in places.
func readSeq(c *conn, n int64, room string) (uint64, error) {
	r, err := c.one("SELECT seq, crc, room FROM heads WHERE n = ?", n)
	if err != nil {
		return 0, err
	}
	if r == nil {
		return 0, damagef("room %q has no head", room)
	}
	if headCRC(n, room, r.uint(0)) != r.int(1) || r.text(2) != room {
		return 0, damagef("the head of room %q fails its CRC", room)
	}
	return r.uint(0), nil
}

// room is what is kept of a room in memory. All but shown belongs to the writer.
type room struct {
	n       int64
	head    chat.Head            // as of the last operation, which may not be committed yet
	members map[string]memberRow // rows that were read or written; state 0: there is no row
	leftAt  map[string]int64     // the times of head.Removed
	touched bool                 // by the present batch

	shown atomic.Pointer[chat.Head] // as of the last commit, for readers; nil: not committed yet
}

// readRoom reads a room, nil if there is none. It wants a transaction that is the writer's, or has not
// read anything before, see young.
func (s *Store) readRoom(c *conn, name string) (*room, error) {
	youngest := s.places.last(name)
	found, err := c.one("SELECT "+roomColumns+" FROM rooms WHERE room = ?", name)
	if err != nil || found == nil {
		return nil, err
	}
	stored, err := scanRoom(found)
	if err != nil {
		return nil, err
	}
	r := &room{n: stored.n, head: stored.head, leftAt: map[string]int64{}, members: map[string]memberRow{}}
	carried, err := readSeq(c, r.n, name)
	if err != nil {
		return nil, err
	}
	r.head.Seq = max(carried, youngest)
	if err := readKept(c, &r.head); err != nil {
		return nil, err
	}
	err = c.each("SELECT "+removedColumns+" FROM removed WHERE room = ?", func(one row) error {
		left, err := scanRemoved(one)
		if r.head.Removed == nil {
			r.head.Removed = map[string]uint64{}
		}
		r.head.Removed[left.user] = left.gen
		r.leftAt[left.user] = left.at
		return err
	}, name)
	if err != nil {
		return nil, err
	}
	r.show()
	return r, nil
}

// show lets readers see the head as it is.
func (r *room) show() {
	h := r.head
	r.shown.Store(&h)
}

// cache is the rooms that were used lately. Only the writer changes rooms; readers may add one.
type cache struct {
	mu      sync.RWMutex
	rooms   map[string]*room
	commits uint64 // counts the publications
}

func newCache() *cache { return &cache{rooms: map[string]*room{}} }

// get gives a room, nil if it is not in the cache, and the count of commits.
func (c *cache) get(name string) (*room, uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.rooms[name], c.commits
}

// put adds a room that the writer has read or made.
func (c *cache) put(r *room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms[r.head.Room] = r
}

// offer adds a room that a reader has read, unless something was committed since: then what was
// read may be old.
func (c *cache) offer(r *room, commits uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.commits == commits && c.rooms[r.head.Room] == nil && len(c.rooms) < maxCachedRooms {
		c.rooms[r.head.Room] = r
	}
}

// publish shows readers what was committed.
func (c *cache) publish(touched []*room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range touched {
		r.show()
	}
	c.commits++
}

// drop forgets all rooms.
func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms = map[string]*room{}
}

// full tells that the rooms are too many.
func (c *cache) full() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.rooms) >= maxCachedRooms
}
