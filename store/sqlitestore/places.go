package sqlitestore

import "encoding/binary"

// maxPlaces is how many messages a row of places leads to at most, so that one message is found
// without reading much.
const maxPlaces = 512

// placesRow is a row of places: the positions of messages of a room that follow one another.
type placesRow struct {
	room  int64
	first uint64 // the number of the first
	pos   []byte // of each, as a varint: how much more than the one before
}

func (p *placesRow) crc() int64 {
	return make(content, 0, len(p.pos)+32).num(uint64(p.room)).num(p.first).text(string(p.pos)).crc()
}

const placesColumns = "room, first, pos, crc"

// scanPlaces reads a row of placesColumns.
func scanPlaces(r row) (placesRow, error) {
	found := placesRow{room: r.int(0), first: r.uint(1), pos: r.blob(2)}
	if found.crc() != r.int(3) {
		return found, damagef("the places of message %d and later in room number %d fail their CRC",
			found.first, found.room)
	}
	return found, nil
}

// encodePlaces gives ascending positions as a row has them.
func encodePlaces(positions []int64) []byte {
	coded := make([]byte, 0, 2*len(positions)+8)
	before := int64(0)
	for _, pos := range positions {
		coded = binary.AppendUvarint(coded, uint64(pos-before))
		before = pos
	}
	return coded
}

// each calls f with each number and its position.
func (p *placesRow) each(f func(seq uint64, pos int64)) {
	seq, pos := p.first, uint64(0)
	for rest := p.pos; len(rest) > 0; seq++ {
		more, n := binary.Uvarint(rest)
		if n <= 0 {
			return // the CRC was good: it cannot be
		}
		pos += more
		rest = rest[n:]
		f(seq, int64(pos))
	}
}

// readPlaces finds in the table the messages of a room from first to last. It may give fewer: then
// there is damage, which the caller finds as it misses them.
func readPlaces(c *conn, n int64, first, last uint64) ([]int64, error) {
	found := make([]int64, 0, last-first+1)
	err := c.each("SELECT "+placesColumns+" FROM places WHERE room = ? AND first > ? AND first <= ? ORDER BY first",
		func(r row) error {
			p, err := scanPlaces(r)
			if err != nil {
				return err
			}
			p.each(func(seq uint64, pos int64) {
				if seq == first+uint64(len(found)) && seq <= last {
					found = append(found, pos)
				}
			})
			return nil
		}, n, int64(first)-maxPlaces, int64(last))
	return found, err
}

// positions finds the messages of a room from first to last, which all were given. The caller's
// transaction must not have read anything before, see young.
func (s *Store) positions(c *conn, n int64, room string, first, last uint64) ([]int64, error) {
	from, newest := s.places.find(room, first, last)
	if from <= first {
		return newest, nil
	}
	found, err := readPlaces(c, n, first, from-1)
	if err != nil {
		return nil, err
	}
	if missed := first + uint64(len(found)); missed < from {
		return nil, damagef("room %q: message %d is missing", room, missed)
	}
	return append(found, newest...), nil
}

// position finds a message for the writer, also one of the present batch.
func (w *writer) position(r *room, seq uint64) (int64, error) {
	for _, p := range w.staged {
		if p.n == r.n && p.seq == seq {
			return p.pos, nil
		}
	}
	found, err := w.s.positions(w.conn, r.n, r.head.Room, seq, seq)
	if err != nil {
		return 0, err
	}
	return found[0], nil
}
