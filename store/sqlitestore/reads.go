package sqlitestore

import "context"

// readRow is a row of reads: a read marker.
type readRow struct {
	user, room string
	seq        uint64
}

func (r *readRow) crc() int64 { return content(nil).text(r.user).text(r.room).num(r.seq).crc() }

const readColumns = "user, room, seq, crc"

// scanRead reads a row of readColumns.
func scanRead(r row) (readRow, error) {
	found := readRow{user: r.text(0), room: r.text(1), seq: r.uint(2)}
	if found.crc() != r.int(3) {
		return found, damagef("room %q: the read marker of %q fails its CRC", found.room, found.user)
	}
	return found, nil
}

// MarkRead moves a read marker forward: see chat.Log.
func (s *Store) MarkRead(ctx context.Context, user, room string, seq uint64) error {
	after := readRow{user: user, room: room, seq: seq}
	return s.write(ctx, "mark read", &op{run: func(w *writer) error { return w.markRead(after) }})
}

func (w *writer) markRead(after readRow) error {
	w.changed(after.user)
	found, err := w.conn.one("SELECT "+readColumns+" FROM reads WHERE user = ? AND room = ?", after.user, after.room)
	if err != nil {
		return err
	}
	var crcBefore int64
	if found != nil {
		before, err := scanRead(found)
		if err != nil || before.seq >= after.seq {
			return err
		}
		crcBefore = before.crc()
	}
	crc := after.crc()
	_, err = w.conn.exec("INSERT OR REPLACE INTO reads VALUES (?, ?, ?, ?)",
		after.user, after.room, int64(after.seq), crc)
	if err != nil {
		return err
	}
	w.tally.add(inReads, crcBefore, crc)
	return nil
}
