package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// claimTime is how long a Rename that died keeps others from the name.
const claimTime = 2 * Budget

// Rename implements chat.Connections. Its writes are, in this order: a claim to the name, which
// lets one Rename at a time look whether the user is here; the connection in the new user's list;
// the old subscriptions, which end; the connection's row, which decides; the new subscriptions;
// the old user's list; the end of the claim.
func (s *Store) Rename(ctx context.Context, id, user string, members []chat.Member) (row chat.Connection, err error) {
	err = s.do(ctx, "rename", func(ctx context.Context, o *op) error {
		c, err := o.liveConnection(ctx, id)
		if err != nil {
			return err
		}
		if err := o.claimName(ctx, user, id); err != nil {
			return err
		}
		row, err = o.rename(ctx, c.Connection, user, members)
		if err != nil && !chat.Is(err, chat.Taken) && !chat.Is(err, chat.NotFound) {
			return err // the claim ends by itself
		}
		if ended := o.endClaim(ctx, user, id); ended != nil {
			return ended
		}
		return err
	})
	if err != nil {
		return chat.Connection{}, err
	}
	return row, nil
}

// claimName takes the name for a moment.
func (o *op) claimName(ctx context.Context, user, id string) error {
	now := o.Now()
	_, done, err := o.update(ctx, nameKey(chat.Fold(user)), change{
		update: "SET cl = :id, cu = :end",
		when:   "attribute_not_exists(cl) OR cl = :id OR cu <= :now",
		values: item{":id": str(id), ":now": millis(now), ":end": millis(now.Add(claimTime))},
	})
	if err == nil && !done {
		return taken(user)
	}
	return err
}

func taken(user string) error { return chat.E(chat.Taken, "%s has another connection", user) }

func (o *op) endClaim(ctx context.Context, user, id string) error {
	_, _, err := o.update(ctx, nameKey(chat.Fold(user)), change{
		update: "REMOVE cl, cu", when: "cl = :id", values: item{":id": str(id)},
	})
	return err
}

// rename moves a connection under the claim.
func (o *op) rename(ctx context.Context, c chat.Connection, user string, members []chat.Member) (chat.Connection, error) {
	others, err := o.userConnections(ctx, user)
	if err != nil {
		return c, err
	}
	for _, other := range others {
		if other.ID != c.ID && o.isCurrent(other) {
			return c, taken(user)
		}
	}
	old, err := o.get(ctx, userConnectionKey(c.User, c.ID))
	if err != nil {
		return c, err
	}
	r := row{it: old}
	return o.transfer(ctx, c, user, r.strs(attrRooms), members)
}

// transfer gives a connection to the user, whose members are given, and takes it from the old one.
func (o *op) transfer(ctx context.Context, c chat.Connection, user string, oldRooms []string, members []chat.Member) (chat.Connection, error) {
	old := c.User
	c.User = user
	if old != user {
		if err := o.listConnection(ctx, c, members); err != nil {
			return c, err
		}
	}
	if err := o.unsubscribe(ctx, c.ID, oldRooms); err != nil {
		return c, err
	}
	if err := o.setUser(ctx, c, old); err != nil {
		return c, err
	}
	if err := o.subscribe(ctx, c, members); err != nil {
		return c, err
	}
	if old == user {
		return c, o.listConnection(ctx, c, members)
	}
	return c, o.unlist(ctx, old, c.ID, subscribable(members))
}

// setUser makes the live connection of the old user one of c.User.
func (o *op) setUser(ctx context.Context, c chat.Connection, old string) error {
	when, values := o.isLive(o.Now())
	values[":new"], values[":old"] = str(c.User), str(old)
	it, done, err := o.update(ctx, connectionKey(c.ID), change{
		update: "SET u = :new", when: when + " AND u = :old", values: values,
	})
	if err != nil || done {
		return err
	}
	now, err := o.readConnection(it)
	if err != nil || o.live(now, o.Now()) && now.User == c.User {
		return err // an answer was lost: it is our own
	}
	if err := o.unlist(ctx, c.User, c.ID, nil); err != nil {
		return err
	}
	return noConnection(c.ID)
}
