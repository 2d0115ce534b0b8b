package sqlitestore

import (
	"math"

	"github.com/confab-chat/confab/chat"
)

// age lets some ids go to the table, and removes some that are no longer remembered.
func (w *writer) age(appends int) error {
	ids := w.sent
	ids.went = min(len(ids.queue), agePerAppend*appends)
	if ids.went == 0 {
		return nil
	}
	for _, s := range ids.queue[:ids.went] {
		if err := w.table(s); err != nil {
			return err
		}
	}
	if ids.went == len(ids.queue) {
		const update = "UPDATE sums SET rows = ? WHERE name = ?"
		if _, err := w.conn.exec(update, ids.aged, youngest); err != nil {
			return err
		}
	}
	return w.sweep(sweepPerAged * ids.went)
}

// sweep looks at the next rows of the table and removes those that are not remembered any more. When
// it has been through all it rests until the oldest of them may be forgotten.
func (w *writer) sweep(rows int) error {
	ids := w.sent
	if w.now() < ids.rests {
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
