package sqlitestore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/auth"
)

// entryRow is a row of audit.
type entryRow struct{ auth.Entry }

func (e *entryRow) crc() int64 {
	return content(nil).text(e.ID).num(uint64(e.At.UnixMilli())).text(e.Actor).text(e.Action).
		text(e.Object).crc()
}

const entryColumns = "id, at, actor, action, object, crc"

// scanEntry reads a row of entryColumns.
func scanEntry(r row) (entryRow, error) {
	e := entryRow{auth.Entry{
		ID: r.text(0), At: timeAt(r.int(1)), Actor: r.text(2), Action: r.text(3), Object: r.text(4),
	}}
	if e.crc() != r.int(5) {
		return e, damagef("the audit entry %q fails its CRC", e.ID)
	}
	return e, nil
}

// Record adds an entry to the audit log: see auth.Sessions.
func (s *Store) Record(ctx context.Context, e auth.Entry) error {
	put := entryRow{e}
	return s.write(ctx, "record", &op{run: func(w *writer) error { return w.record(&put) }})
}

// sweepAudit is how many entries that are over a new one removes at most.
const sweepAudit = 8

func (w *writer) record(e *entryRow) error {
	if err := w.forgetEntries(e.At.Add(-auth.AuditLife)); err != nil {
		return err
	}
	changed, err := w.conn.exec("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		e.ID, e.At.UnixMilli(), e.Actor, e.Action, e.Object, e.crc())
	if err == nil && changed == 1 {
		w.tally.add(inAudit, 0, e.crc())
	}
	return err
}

// forgetEntries removes some of the entries from up to then, the oldest first: in the end each is one of
// them.
func (w *writer) forgetEntries(then time.Time) error {
	var over []entryRow
	const oldest = "SELECT " + entryColumns + " FROM audit ORDER BY id LIMIT ?"
	err := w.conn.each(oldest, func(r row) error {
		e, err := scanEntry(r)
		if !e.At.After(then) {
			over = append(over, e)
		}
		return err
	}, int64(sweepAudit))
	if err != nil {
		return err
	}
	for i := range over {
		if _, err := w.conn.exec("DELETE FROM audit WHERE id = ?", over[i].ID); err != nil {
			return err
		}
		w.tally.add(inAudit, over[i].crc(), 0)
	}
	return nil
}

// Audit reads the audit log back: see auth.Sessions.
func (s *Store) Audit(
	ctx context.Context, before string, limit int, now time.Time,
) (list []auth.Entry, more bool, err error) {
	query := "SELECT " + entryColumns + " FROM audit WHERE at > ? "
	args := []any{now.Add(-auth.AuditLife).UnixMilli()}
	if before != "" {
		query, args = query+"AND id < ? ", append(args, before)
	}
	query, args = query+"ORDER BY id DESC LIMIT ?", append(args, int64(limit)+1)
	err = s.read(ctx, "audit", func(c *conn) error {
		return c.each(query, func(r row) error {
			e, err := scanEntry(r)
			list = append(list, e.Entry)
			return err
		}, args...)
	})
	if err != nil {
		return nil, false, err
	}
	list, more = page(limit, list)
	return list, more, nil
}
