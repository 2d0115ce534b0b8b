package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// claimTime is how long a Rename, or PutAccount, that died keeps others from the name.
const claimTime = 2 * DefaultBudget

// Rename implements chat.Connections. Its writes are, in this order: a claim to the name, which
// lets one Rename at a time look whether the user is here; the connection in the new user's list;
// the old subscriptions, which end; the connection's row, which decides; the new subscriptions;
// the old user's list; the end of the claim.
func (s *Store) Rename(
	ctx context.Context, id, user string, members []chat.Member,
) (row chat.Connection, err error) {
	err = s.do(ctx, "rename", func(ctx context.Context, o *op) error {
		c, err := o.liveConnection(ctx, id)
		if err != nil {
			return err
		}
		r := &renaming{op: o, Connection: c.Connection, old: c.User, members: members}
		r.User = user
		if r.NamedAt.IsZero() {
			r.NamedAt = o.Now()
		}
		if err := r.claimName(ctx); err != nil {
			return err
		}
		err = r.rename(ctx)
		if err != nil && !chat.Is(err, chat.Taken) && !chat.Is(err, chat.NotFound) {
			return err // the claim ends by itself
		}
		if ended := r.endClaim(ctx); ended != nil {
			return ended
		}
		row = r.Connection
		return err
	})
	if err != nil {
		return chat.Connection{}, err
	}
	return row, nil
}

// renaming is one Rename, of the connection as it is to be.
type renaming struct {
	*op
	chat.Connection
	old     string // user
	members []chat.Member
}

// claimName takes the name for a moment.
func (r *renaming) claimName(ctx context.Context) error {
	now := r.Now()
	_, done, err := r.update(ctx, nameKey(chat.Fold(r.User)), change{
		update: "SET cl = :id, cu = :end",
		when:   "attribute_not_exists(cl) OR cl = :id OR cu <= :now",
		values: item{":id": str(r.ID), ":now": millis(now), ":end": millis(now.Add(claimTime))},
	})
	if err == nil && !done {
		return taken(r.User)
	}
	return err
}

func taken(user string) error { return chat.E(chat.Taken, "%s has another connection", user) }

func (r *renaming) endClaim(ctx context.Context) error {
	_, _, err := r.update(ctx, nameKey(chat.Fold(r.User)), change{
		update: "REMOVE cl, cu", when: "cl = :id", values: item{":id": str(r.ID)},
	})
	return err
}

// rename moves the connection, under the claim.
func (r *renaming) rename(ctx context.Context) error {
	others, err := r.userConnections(ctx, r.User)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != r.ID && r.old != r.User && r.isCurrent(other) {
			return taken(r.User)
		}
	}
	if r.old != r.User {
		if err := r.listConnection(ctx, r.Connection, r.members); err != nil {
			return err
		}
	}
	if err := r.endSubscriptions(ctx); err != nil {
		return err
	}
	if err := r.setUser(ctx); err != nil {
		return err
	}
	if err := r.subscribe(ctx, r.Connection, r.members); err != nil {
		return err
	}
	if r.old == r.User {
		return r.listConnection(ctx, r.Connection, r.members)
	}
	return r.unlist(ctx, r.old, r.ID, subscribable(r.members))
}

// endSubscriptions ends those of the old user. What is subscribed meanwhile ends with unlist.
func (r *renaming) endSubscriptions(ctx context.Context) error {
	it, err := r.get(ctx, userConnectionKey(r.old, r.ID))
	if err != nil {
		return err
	}
	listed := row{it: it}
	return r.unsubscribe(ctx, r.ID, listed.strs(attrRooms))
}

// setUser makes the live connection of the old user one of the new.
func (r *renaming) setUser(ctx context.Context) error {
	when, values := r.isLive(r.Now())
	values[":new"], values[":old"] = str(r.User), str(r.old)
	values[":named"] = millis(r.NamedAt)
	it, done, err := r.update(ctx, connectionKey(r.ID), change{
		update: "SET u = :new, na = :named", when: when + " AND u = :old", values: values,
	})
	if err != nil || done {
		return err
	}
	now, err := r.readConnection(it)
	if err != nil || r.live(now, r.Now()) && now.User == r.User {
		return err // an answer was lost: it is our own
	}
	if err := r.unlist(ctx, r.User, r.ID, nil); err != nil {
		return err
	}
	return noConnection(r.ID)
}
