package sqlitestore

import (
	"context"

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

func (w *writer) record(e *entryRow) error {
	changed, err := w.conn.exec("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		e.ID, e.At.UnixMilli(), e.Actor, e.Action, e.Object, e.crc())
	if err == nil && changed == 1 {
		w.tally.add(inAudit, 0, e.crc())
	}
	return err
}

// Audit reads the audit log back: see auth.Sessions.
func (s *Store) Audit(
	ctx context.Context, before string, limit int,
) (list []auth.Entry, more bool, err error) {
	query, args := "SELECT "+entryColumns+" FROM audit ", []any{int64(limit) + 1}
	if before != "" {
		query, args = query+"WHERE id < ? ", []any{before, int64(limit) + 1}
	}
	query += "ORDER BY id DESC LIMIT ?"
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
