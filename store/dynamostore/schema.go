package dynamostore

import (
	"context"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

// SchemaVersion is the version of the table's layout that this package reads and writes.
const SchemaVersion = 1

// schema remembers that the table's version has been checked.
type schema struct{ known atomic.Bool }

// checkSchema refuses a table of a newer version, and marks a table that has none. It asks the
// table once.
func (o *op) checkSchema(ctx context.Context) error {
	if o.schema.known.Load() {
		return nil
	}
	it, err := o.get(ctx, schemaKey())
	if err != nil {
		return err
	}
	if it == nil {
		mine := schemaKey().item()
		mine[attrVersion] = num(SchemaVersion)
		old, stored, err := o.putIfAbsent(ctx, mine)
		if err != nil {
			return err
		}
		o.wrote = false // the mark is not what the caller asked for
		if it = old; stored {
			it = mine
		}
	}
	r := row{it: it}
	switch version := r.uint(attrVersion); {
	case r.bad != "":
		return r.err(o.Table)
	case version > SchemaVersion:
		const text = "table %s has layout %d, this program knows %d: run a newer one"
		return chat.E(chat.Internal, text, o.Table, version, SchemaVersion)
	}
	o.schema.known.Store(true)
	return nil
}
