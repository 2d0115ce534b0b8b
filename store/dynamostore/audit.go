package dynamostore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/auth"
)

// Record implements auth.Sessions.
func (s *Store) Record(ctx context.Context, e auth.Entry) error {
	return s.do(ctx, "record", func(ctx context.Context, o *op) error {
		it := auditKey(e.ID).item()
		it[attrAt], it[attrExpiry] = millis(e.At), expiry(e.At.Add(auth.AuditLife))
		setStr(it, attrFrom, e.Actor)
		setStr(it, attrAction, e.Action)
		setStr(it, attrObject, e.Object)
		_, _, err := o.putIfAbsent(ctx, it)
		return err
	})
}

// Audit implements auth.Sessions.
func (s *Store) Audit(
	ctx context.Context, before string, limit int, now time.Time,
) (list []auth.Entry, more bool, err error) {
	entries := prefixed(auditPK, "", "")
	if before != "" {
		entries.hi = before
	}
	err = s.do(ctx, "audit", func(ctx context.Context, o *op) error {
		youngest := querying{backward: true, pageSize: limit + 2} // the one before, and one more
		for it, err := range o.query(ctx, entries, youngest) {
			if err != nil {
				return err
			}
			if keyOf(it).sk == before {
				continue
			}
			e, err := o.readEntry(it)
			if err != nil {
				return err
			}
			if now.Sub(e.At) >= auth.AuditLife {
				continue
			}
			if more = len(list) == limit; more {
				return nil
			}
			list = append(list, e)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return list, more, nil
}

func (o *op) readEntry(it item) (auth.Entry, error) {
	r := row{it: it}
	e := auth.Entry{
		ID: r.str(skName), At: r.time(attrAt), Actor: r.str(attrFrom), Action: r.str(attrAction),
		Object: r.str(attrObject),
	}
	return e, r.err(o.Table)
}
