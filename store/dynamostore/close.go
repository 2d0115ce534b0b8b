package dynamostore

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/confab-chat/confab/chat"
)

// Close implements chat.Connections. Its writes are, in this order: the tombstone, which decides
// who closed it; the subscriptions and the user's list. A repetition finishes the second part.
func (s *Store) Close(ctx context.Context, id string) (row chat.Connection, err error) {
	err = s.do(ctx, "close", func(ctx context.Context, o *op) error {
		it, mine, err := o.bury(ctx, id)
		if err != nil {
			return err
		}
		c, err := o.readConnection(it)
		if err != nil {
			return err
		}
		if c == nil || c.User == "" {
			return noConnection(id)
		}
		if err := o.unlist(ctx, c.User, id, nil); err != nil {
			return err
		}
		if !mine {
			return noConnection(id)
		}
		row = c.Connection
		return nil
	})
	return row, err
}

// bury turns a connection's row, or none, into a tombstone, and gives it. mine tells whether it
// was this call.
func (o *op) bury(ctx context.Context, id string) (it item, mine bool, err error) {
	now, closer := o.Now(), rand.Text()
	values := item{":closer": str(closer), ":end": expiry(now.Add(chat.TombstoneTTL))}
	it, done, err := o.update(ctx, connectionKey(id), change{
		update: "SET cl = :closer, x = :end", when: "attribute_not_exists(cl)", values: values,
	})
	if err != nil || done {
		return it, done, err
	}
	r := row{it: it}
	if !r.expired(now) { // an answer was lost, or somebody else was first
		return it, r.str(attrClosed) == closer, nil
	}
	values[":now"] = num(now.Unix())
	it, _, err = o.update(ctx, connectionKey(id), change{ // as for an id that was never opened
		update: "SET cl = :closer, x = :end REMOVE u", when: "x <= :now", values: values,
	})
	return it, false, err
}

// unlist ends the subscriptions of a connection, but for those to rooms that are kept, and takes
// it from its user's list.
func (o *op) unlist(ctx context.Context, user, id string, kept []string) error {
	for {
		it, err := o.get(ctx, userConnectionKey(user, id))
		if err != nil || it == nil {
			return err
		}
		r := row{it: it}
		if err := o.unsubscribe(ctx, id, without(r.strs(attrRooms), kept)); err != nil {
			return err
		}
		same := change{when: "attribute_not_exists(rs)"}
		if r.has(attrRooms) {
			same = change{when: "rs = :rooms", values: item{":rooms": it[attrRooms]}}
		}
		left, done, err := o.delete(ctx, userConnectionKey(user, id), same)
		if err != nil || done || left == nil {
			return err
		}
	}
}

// without gives the rooms that are not kept.
func without(rooms, kept []string) []string {
	return slices.DeleteFunc(slices.Clone(rooms), func(room string) bool {
		return slices.Contains(kept, room)
	})
}
