package sqlitestore

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/confab-chat/confab/chat"
)

// What an Append writes is the message's row and nothing else: where the message is and that its id
// was used is told by the row itself. Both are in memory for the youngest messages, and are read from
// the messages when the store is opened. When those are many they are carried over to the tables of
// places and of sent, in the order of the tables' keys and a few with each commit: that touches far
// fewer pages than putting each where it belongs at once.
const (
	maxYoung       = 16_384 // messages in memory; half as many again while they are carried over
	carryPerAppend = 4      // messages that are carried over with each Append
	sweepPerID     = 4      // rows of sent that are looked at with each id that goes there
)

// carrier is the messages that are being carried over, for the writer.
type carrier struct {
	upTo   int64     // the position of the youngest of them
	done   int64     // the position up to which all were carried over before
	places []chunk   // rows of places that are still to be written
	ids    []sentRow // rows of sent that are still to be written
	moved  []chunk   // of places, by the present batch
	went   int       // of ids, with the present batch
}

// idle tells that there is nothing to carry over.
func (k *carrier) idle() bool { return len(k.places) == 0 && len(k.ids) == 0 }

// carry writes some rows of places and of sent.
func (w *writer) carry(appends int) error {
	k := &w.carrier
	if k.idle() {
		return nil
	}
	budget := carryPerAppend * appends
	if err := w.carryPlaces(budget); err != nil {
		return err
	}
	k.went = min(len(k.ids), budget)
	for _, s := range k.ids[:k.went] {
		if err := w.table(s); err != nil {
			return err
		}
	}
	if k.went == len(k.ids) && len(k.moved) == len(k.places) {
		const update = "UPDATE sums SET rows = ? WHERE name = ?"
		if _, err := w.conn.exec(update, k.upTo, youngest); err != nil {
			return err
		}
	}
	return w.sweep(sweepPerID * k.went)
}

// carryPlaces writes rows of places, for about so many messages.
func (w *writer) carryPlaces(messages int) error {
	k := &w.carrier
	for messages > 0 && len(k.moved) < len(k.places) {
		next := k.places[len(k.moved)]
		last := next.first + uint64(next.count) - 1
		_, positions := w.s.places.find(next.room, next.first, last)
		p := placesRow{room: next.n, first: next.first, pos: encodePlaces(positions)}
		crc := p.crc()
		_, err := w.conn.exec("INSERT INTO places VALUES (?, ?, ?, ?)", p.room, int64(p.first), p.pos, crc)
		if err != nil {
			return err
		}
		w.tally.add(inPlaces, 0, crc)
		if err := w.putHead(next.n, next.room, last); err != nil {
			return err
		}
		k.moved = append(k.moved, next)
		messages -= next.count
	}
	return nil
}

// putHead stores the last number of a room that is in places.
func (w *writer) putHead(n int64, room string, seq uint64) error {
	const update = "UPDATE heads SET seq = ?, crc = ? WHERE n = ?"
	changed, err := w.conn.exec(update, int64(seq), headCRC(n, room, seq), n)
	if err == nil && changed != 1 {
		err = damagef("room %q has no head", room)
	}
	return err
}

// carried keeps what the batch has carried over, and begins anew when the young messages are many.
func (w *writer) carried() {
	k := &w.carrier
	w.s.places.drop(k.moved)
	k.places, k.ids = k.places[len(k.moved):], k.ids[k.went:]
	k.moved, k.went = k.moved[:0], 0
	if !k.idle() {
		return
	}
	k.done = k.upTo
	if w.last-k.done < int64(w.s.young) {
		return
	}
	k.upTo, k.places, k.ids = w.last, w.s.places.chunks(), w.sent.age()
}

// notCarried forgets what the batch has carried over: it was rolled back.
func (k *carrier) notCarried() { k.moved, k.went = k.moved[:0], 0 }

// age gives the ids that are in memory as rows of the table, in its order.
func (ids *sentIDs) age() []sentRow {
	ids.aging, ids.young = ids.young, make(map[int64]usedID, len(ids.young))
	rows := make([]sentRow, 0, len(ids.aging))
	for key, id := range maps.All(ids.aging) {
		rows = append(rows, sentRow{key: key, usedID: id})
	}
	slices.SortFunc(rows, func(a, b sentRow) int { return cmp.Compare(a.key, b.key) })
	return rows
}

// sweep looks at the next rows of sent and removes those that are not remembered any more. When it
// has been through all it rests until the oldest of them may be forgotten.
func (w *writer) sweep(rows int) error {
	ids := w.sent
	if rows == 0 || w.now() < ids.rests {
		return nil
	}
	seen, err := w.conn.one(`SELECT count(*), max(key), min(at)
		FROM (SELECT key, at FROM sent WHERE key > ? ORDER BY key LIMIT ?)`, ids.swept, int64(rows))
	if err != nil || len(seen) < 3 {
		return err
	}
	from, to, oldest, window := ids.swept, seen.int(1), seen.int(2), chat.DedupWindow.Milliseconds()
	forgotten := w.now() - window
	if seen.int(0) > 0 {
		ids.oldest = min(ids.oldest, max(oldest, forgotten))
	}
	ids.swept = to
	if seen.int(0) < int64(rows) {
		ids.rests, ids.oldest, ids.swept = ids.oldest+window, math.MaxInt64-window, math.MinInt64
	}
	if seen.int(0) == 0 || oldest > forgotten {
		return nil
	}
	return w.forgetSent(from, to, forgotten)
}

// forgetSent removes rows between two keys. One whose next key is taken stays: the other may be where
// it is because of this one.
func (w *writer) forgetSent(from, to, forgotten int64) error {
	var old []sentRow
	err := w.conn.each("SELECT "+sentColumns+" FROM sent WHERE key > ? AND key <= ? AND at <= ?", func(r row) error {
		s, err := scanSent(r)
		old = append(old, s)
		return err
	}, from, to, forgotten)
	if err != nil {
		return err
	}
	for _, s := range old {
		changed, err := w.conn.exec(
			"DELETE FROM sent WHERE key = ? AND NOT EXISTS (SELECT 1 FROM sent WHERE key = ?)", s.key, s.key+1)
		if err != nil {
			return err
		}
		if changed == 1 {
			w.tally.add(inSent, s.crc(nil), 0)
		}
	}
	return nil
}
