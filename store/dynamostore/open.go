package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// opening is how long a connection may be listed with its user before it has a row of its own. An
// Open takes at most the Budget.
const opening = 2 * DefaultBudget

// Open implements chat.Connections. Its writes are, in this order: the connection in the user's
// list, the subscriptions, the connection's row, with which it is live.
func (s *Store) Open(ctx context.Context, c chat.Connection, members []chat.Member) error {
	return s.do(ctx, "open", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, connectionKey(c.ID))
		if err != nil {
			return err
		}
		if known, err := o.openAlready(it); known || err != nil {
			return err
		}
		if err := o.listConnection(ctx, c, members); err != nil {
			return err
		}
		if err := o.checkConnections(ctx, c); err != nil {
			return err
		}
		if err := o.subscribe(ctx, c, members); err != nil {
			return err
		}
		return o.putConnection(ctx, c)
	})
}

// openAlready tells whether a connection's row makes Open needless; a tombstone is Taken.
func (o *op) openAlready(it item) (bool, error) {
	known, err := o.readConnection(it)
	if err != nil || known == nil {
		return false, err
	}
	if known.closer != "" {
		return true, chat.E(chat.Taken, "the connection %s is closed", known.ID)
	}
	return true, nil
}

// listConnection puts a connection into its user's list, with the rooms it is subscribed to.
func (o *op) listConnection(ctx context.Context, c chat.Connection, members []chat.Member) error {
	now := o.Now()
	it := userConnectionKey(c.User, c.ID).item()
	fields(it, c)
	it[attrSeen] = millis(now)
	it[attrExpiry] = expiry(c.ConnectedAt.Add(chat.SubscriptionTTL))
	if rooms := subscribable(members); len(rooms) > 0 {
		it[attrRooms] = strs(rooms...)
	}
	_, _, err := o.put(ctx, it, change{})
	return err
}

// checkConnections takes a connection from its user's list again if it is one too many. Of those
// being opened at the same time the lowest ids go first.
func (o *op) checkConnections(ctx context.Context, c chat.Connection) error {
	all, err := o.userConnections(ctx, c.User)
	if err != nil {
		return err
	}
	before := 0
	for _, other := range all {
		if !o.isCurrent(other) {
			continue
		}
		if other.row != nil && other.ID != c.ID || other.row == nil && other.ID < c.ID {
			before++
		}
	}
	if before < chat.MaxConnections {
		return nil
	}
	if _, _, err := o.delete(ctx, userConnectionKey(c.User, c.ID), change{}); err != nil {
		return err
	}
	return chat.E(chat.Limited, "%s has %d connections, the limit", c.User, chat.MaxConnections)
}

// putConnection makes a connection live, or undoes what Open wrote when it was closed meanwhile.
func (o *op) putConnection(ctx context.Context, c chat.Connection) error {
	now := o.Now()
	it := connectionKey(c.ID).item()
	fields(it, c)
	it[attrUser] = str(c.User)
	it[attrSeen] = millis(now)
	it[attrWindow] = num(0)
	it[attrCount] = num(0)
	it[attrExpiry] = expiry(now.Add(rowTTL))
	old, stored, err := o.put(ctx, it, change{
		when: isAbsent + " OR x <= :now", values: item{":now": num(now.Unix())},
	})
	if err != nil || stored {
		return err
	}
	if _, err = o.openAlready(old); err == nil {
		return nil // the same Open, at the same time or with a lost answer
	}
	if undone := o.unlist(ctx, c.User, c.ID, nil); undone != nil {
		return undone
	}
	return err
}
