package sqlitestore

import (
	"cmp"
	"slices"
	"sync"
)

// young is where the youngest messages are, which the table of places does not have yet. Readers
// look here first and then, in a later transaction, for what is not here in the table: what has left
// this memory was committed there before.
type young struct {
	mu    sync.RWMutex
	rooms map[string]*youngRoom
}

// youngRoom is the youngest messages of a room, whose numbers are dense.
type youngRoom struct {
	n     int64   // the room's number
	first uint64  // the number of the first
	pos   []int64 // the position of each
}

// place is where a message of the present batch is.
type place struct {
	n    int64 // the room's number
	room string
	seq  uint64
	pos  int64
}

// chunk is messages of a room that go to the table of places as one row.
type chunk struct {
	n     int64
	room  string
	first uint64
	count int
}

// last gives the last number of a room's messages here, 0 if it has none.
func (y *young) last(room string) uint64 {
	y.mu.RLock()
	defer y.mu.RUnlock()
	if r := y.rooms[room]; r != nil {
		return r.first + uint64(len(r.pos)) - 1
	}
	return 0
}

// find gives the positions of those messages of a room that are here, of the numbers from first to
// last, and the number of the first of them; that is last+1 if there are none.
func (y *young) find(room string, first, last uint64) (from uint64, pos []int64) {
	y.mu.RLock()
	defer y.mu.RUnlock()
	r := y.rooms[room]
	if r == nil || last < r.first {
		return last + 1, nil
	}
	from = max(first, r.first)
	end := min(last+1, r.first+uint64(len(r.pos)))
	if from >= end {
		return last + 1, nil
	}
	return from, slices.Clone(r.pos[from-r.first : end-r.first])
}

// add adds what was committed.
func (y *young) add(places []place) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, p := range places {
		r := y.rooms[p.room]
		if r == nil {
			r = &youngRoom{n: p.n, first: p.seq}
			y.rooms[p.room] = r
		}
		r.pos = append(r.pos, p.pos)
	}
}

// drop forgets the first messages of rooms, which are in the table now.
func (y *young) drop(chunks []chunk) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, c := range chunks {
		r := y.rooms[c.room]
		r.first += uint64(c.count)
		if r.pos = r.pos[c.count:]; len(r.pos) == 0 {
			delete(y.rooms, c.room)
		}
	}
}

// chunks parts all that is here into rows for the table, in its order.
func (y *young) chunks() []chunk {
	y.mu.RLock()
	defer y.mu.RUnlock()
	var all []chunk
	for room, r := range y.rooms {
		for at := 0; at < len(r.pos); at += maxPlaces {
			all = append(all, chunk{r.n, room, r.first + uint64(at), min(maxPlaces, len(r.pos)-at)})
		}
	}
	slices.SortFunc(all, func(a, b chunk) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.first, b.first))
	})
	return all
}
