package sqlitestore

import (
	"github.com/confab-chat/confab/chat"
)

// recall reads the messages that are younger than the tables of places and sent, and checks that
// none of them is missing.
func (w *writer) recall() error {
	complete, err := readSum(w.conn, youngest)
	if err != nil {
		return err
	}
	log, err := readSum(w.conn, inLog)
	if err != nil {
		return err
	}
	k := recaller{w: w, heads: map[int64]uint64{}, oldest: w.since(chat.DedupWindow)}
	w.last, w.carrier.upTo, w.carrier.done = complete.rows, complete.rows, complete.rows
	err = w.conn.each("SELECT "+messageColumns+`, m.pos, h.n, h.room, h.seq, h.crc
		FROM messages m LEFT JOIN heads h ON h.n = m.room WHERE m.pos > ? ORDER BY m.pos`, k.message, complete.rows)
	if err != nil {
		return err
	}
	if w.last != log.rows {
		return damagef("the last message is at position %d, and should be at %d", w.last, log.rows)
	}
	w.committed = w.last
	w.s.places.add(k.places)
	return nil
}

// recaller reads the youngest messages.
type recaller struct {
	w      *writer
	heads  map[int64]uint64 // the last number of each room so far
	oldest int64            // ids that were used then or before are not remembered
	places []place
}

// message reads a row.
func (k *recaller) message(r row) error {
	pos, n, name := r.int(7), r.int(8), r.text(9)
	m, err := scanMessage(r, name)
	if err != nil {
		return err
	}
	if pos != k.w.last+1 {
		return damagef("the message at position %d is missing", k.w.last+1)
	}
	k.w.last = pos
	if err := k.place(r, n, &m, pos); err != nil {
		return err
	}
	if at := m.At.UnixMilli(); m.State == chat.Stored && at > k.oldest {
		k.id(&m, usedID{pos: pos, at: at})
	}
	return nil
}

// place notes where a message is, unless places has it: the room may have been carried over already.
func (k *recaller) place(r row, n int64, m *chat.Message, pos int64) error {
	last, known := k.heads[n]
	if !known {
		if last = r.uint(10); headCRC(n, m.Room, last) != r.int(11) {
			return damagef("the head of room %q fails its CRC", m.Room)
		}
	}
	switch {
	case m.Seq == last+1:
		last++
		k.places = append(k.places, place{n, m.Room, m.Seq, pos})
	case m.Seq > last:
		return damagef("room %q: message %d is missing", m.Room, last+1)
	}
	k.heads[n] = last
	return nil
}

// id notes that an id was used, at the time of the message. A deleted one's is in the table.
func (k *recaller) id(m *chat.Message, used usedID) {
	key := sentKey(m.Room, m.From, m.ID)
	for { // another id with the same key comes first
		if _, taken := k.w.sent.young[key]; !taken {
			break
		}
		k.w.sent.recent.add(key, k.w.now())
		key++
	}
	k.w.sent.young[key] = used
}
