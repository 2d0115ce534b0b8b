package sqlitestore

import (
	"context"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

// keptSchema is the table of version 2.
var keptSchema = []string{
	`CREATE TABLE kept ( -- of rooms that do not keep everything, or that say how long they do
  room TEXT PRIMARY KEY,
  seconds INTEGER NOT NULL, -- how long; 0: as the server says, -1: for ever
  cut INTEGER NOT NULL, -- messages up to this number are gone: their rows are zero bytes, or absent
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
}

// inKept is the table of what rooms keep, as named in sums.
const inKept = "kept"

var _ chat.Retainer = (*Store)(nil)

// keptRow is a row of kept.
type keptRow struct {
	room    string
	seconds int64
	cut     uint64
}

func (k *keptRow) crc() int64 {
	return content(nil).text(k.room).num(uint64(k.seconds)).num(k.cut).crc()
}

// keep is how long the room keeps its messages.
func (k *keptRow) keep() time.Duration {
	if k.seconds < 0 {
		return chat.KeepForever
	}
	return time.Duration(k.seconds) * time.Second
}

// keptSeconds is how a retention is stored.
func keptSeconds(keep time.Duration) int64 {
	if keep < 0 {
		return -1
	}
	return int64(keep / time.Second)
}

const keptColumns = "room, seconds, cut, crc"

// scanKept reads a row of keptColumns.
func scanKept(r row) (keptRow, error) {
	found := keptRow{room: r.text(0), seconds: r.int(1), cut: r.uint(2)}
	if found.crc() != r.int(3) {
		return found, damagef("room %q: what it keeps fails its CRC", found.room)
	}
	return found, nil
}

// readKept completes a head that is read from the tables.
func readKept(c *conn, h *chat.Head) error {
	found, err := c.one("SELECT "+keptColumns+" FROM kept WHERE room = ?", h.Room)
	if err != nil || found == nil {
		return err
	}
	kept, err := scanKept(found)
	h.Keep, h.Cut = kept.keep(), kept.cut
	return err
}

// readCuts reads up to which number messages are gone, by room.
func readCuts(c *conn, version int64) (map[string]uint64, error) {
	cuts := map[string]uint64{}
	if version < 2 {
		return cuts, nil
	}
	err := c.each("SELECT "+keptColumns+" FROM kept", func(r row) error {
		kept, err := scanKept(r)
		cuts[kept.room] = kept.cut
		return err
	})
	return cuts, err
}

// setKept writes what a room keeps. A head with neither Keep nor Cut has no row.
func (w *writer) setKept(r *room, keep time.Duration, cut uint64) error {
	before := keptRow{r.head.Room, keptSeconds(r.head.Keep), r.head.Cut}
	after := keptRow{r.head.Room, keptSeconds(keep), cut}
	var crcBefore int64
	if before.seconds != 0 || before.cut != 0 {
		crcBefore = before.crc()
	}
	if after == before {
		return nil
	}
	if after.seconds == 0 && after.cut == 0 {
		if _, err := w.conn.exec("DELETE FROM kept WHERE room = ?", after.room); err != nil {
			return err
		}
		w.tally.add(inKept, crcBefore, 0)
	} else {
		_, err := w.conn.exec("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)",
			after.room, after.seconds, int64(after.cut), after.crc())
		if err != nil {
			return err
		}
		w.tally.add(inKept, crcBefore, after.crc())
	}
	r.head.Keep, r.head.Cut = keep, cut
	w.touch(r)
	return nil
}

// Keep sets how long a room keeps its messages: see chat.Retainer.
func (s *Store) Keep(
	ctx context.Context, room string, keep time.Duration,
) (h chat.Head, err error) {
	if err := chat.CheckKeep(keep); err != nil {
		return chat.Head{}, named("keep", err)
	}
	err = s.write(ctx, "keep", &op{run: func(w *writer) error {
		r, err := w.room(room)
		if err == nil {
			err = w.setKept(r, keep, r.head.Cut)
		}
		if err == nil {
			h = r.head
		}
		return err
	}})
	return h, err
}

// Cut removes the first messages of a room: see chat.Retainer. When it has returned they are in
// none of the files; see the package doc.
func (s *Store) Cut(ctx context.Context, room string, upTo uint64) (h chat.Head, err error) {
	err = s.write(ctx, "cut", &op{run: func(w *writer) error {
		h, err = w.cut(room, upTo)
		return err
	}})
	if err != nil {
		return chat.Head{}, err
	}
	s.checkpoints.erase()
	return h, nil
}

func (w *writer) cut(name string, upTo uint64) (chat.Head, error) {
	r, err := w.room(name)
	if err != nil {
		return chat.Head{}, err
	}
	upTo = min(upTo, r.head.Seq)
	if upTo <= r.head.Cut {
		return r.head, nil
	}
	for seq := r.head.Cut + 1; seq <= upTo; seq++ {
		if err := w.wipe(r, seq); err != nil {
			return chat.Head{}, err
		}
	}
	err = w.setKept(r, r.head.Keep, upTo)
	return r.head, err
}

// wipe overwrites the texts of a message's row with as many zero bytes: text, id and sender. The
// row stays where it is, for the reasons that a deleted one does.
func (w *writer) wipe(r *room, seq uint64) error {
	pos, err := w.position(r, seq)
	if err != nil {
		return err
	}
	found, err := w.conn.one("SELECT "+messageColumns+" FROM messages m WHERE m.pos = ?", pos)
	if err != nil {
		return err
	}
	if found == nil || found.uint(0) != seq {
		return damagef("room %q: message %d is missing", r.head.Room, seq)
	}
	m, err := scanMessage(found, r.head.Room)
	if err != nil || m.State == chat.Void { // there is nothing in a void
		return err
	}
	zero := func(s string) string { return strings.Repeat("\x00", len(s)) }
	text := zero(found.text(5))
	m.State, m.ID, m.From = chat.Deleted, zero(m.ID), zero(m.From)
	crc := messageCRC(nil, &m, text)
	const update = "UPDATE messages SET state = ?, id = ?, sender = ?, text = ?, crc = ? WHERE pos = ?"
	_, err = w.conn.exec(update,
		int64(m.State), m.ID, m.From, text, crc, pos)
	if err != nil {
		return err
	}
	w.tally.add(inLog, found.int(6), crc)
	return nil
}

// AllKept lists what rooms keep: see chat.Retainer.
func (s *Store) AllKept(
	ctx context.Context, after string, limit int,
) (rooms []chat.Kept, more bool, err error) {
	err = s.read(ctx, "all kept", func(c *conn) error {
		return c.each(`SELECT r.room, k.seconds, k.cut, k.crc, k.room FROM rooms r
			LEFT JOIN kept k ON k.room = r.room WHERE r.room > ? ORDER BY r.room LIMIT ?`,
			func(r row) error {
				one := chat.Kept{Room: r.text(0)}
				if r.text(4) != "" {
					found, err := scanKept(r)
					if err != nil {
						return err
					}
					one.Keep, one.Cut = found.keep(), found.cut
				}
				rooms = append(rooms, one)
				return nil
			}, after, int64(limit)+1)
	})
	if err != nil {
		return nil, false, err
	}
	rooms, more = page(limit, rooms)
	return rooms, more, nil
}
