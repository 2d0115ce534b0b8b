package dynamostore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

// userConnection is a connection as the user's partition lists it.
type userConnection struct {
	chat.Connection
	listed time.Time   // when
	rooms  []string    // it is subscribed to
	row    *connection // its own: nil while it is being opened, or when that failed
}

// readUserConnection reads an item of the user's list; nil where there is none, or one that has
// expired.
func (o *op) readUserConnection(user string, it item) (*userConnection, error) {
	r := row{it: it}
	if it == nil || r.expired(o.Now()) {
		return nil, nil
	}
	id := strings.TrimPrefix(keyOf(it).sk, connectionPrefix)
	c := &userConnection{
		Connection: readFields(&r, id, user), listed: r.time(attrSeen), rooms: r.strs(attrRooms),
	}
	return c, r.err(o.Table)
}

// userConnections reads the connections in a user's list, also those that are over.
func (o *op) userConnections(ctx context.Context, user string) ([]userConnection, error) {
	var all []userConnection
	var keys []key
	for it, err := range o.query(ctx, prefixed(userPK(user), connectionPrefix, ""), querying{}) {
		if err != nil {
			return nil, err
		}
		c, err := o.readUserConnection(user, it)
		if err != nil {
			return nil, err
		}
		if c != nil {
			all = append(all, *c)
			keys = append(keys, connectionKey(c.ID))
		}
	}
	rows, err := o.getAll(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].row, err = o.readConnection(rows[connectionKey(all[i].ID)]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// isUsers tells whether a listed connection is a live one of the user in whose list it is.
func (o *op) isUsers(c userConnection) bool {
	return o.live(c.row, o.Now()) && c.row.User == c.User
}

// isCurrent tells whether a listed connection is live or being opened.
func (o *op) isCurrent(c userConnection) bool {
	return c.row == nil && o.Now().Sub(c.listed) < opening || o.isUsers(c)
}

// liveOf gives the live connections of a user, the oldest first.
func (o *op) liveOf(ctx context.Context, user string) (live []chat.Connection, err error) {
	all, err := o.userConnections(ctx, user)
	for _, c := range all {
		if o.isUsers(c) {
			live = append(live, c.row.Connection)
		}
	}
	slices.SortFunc(live, func(a, b chat.Connection) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), strings.Compare(a.ID, b.ID))
	})
	return live, err
}

// OfUser implements chat.Connections.
func (s *Store) OfUser(ctx context.Context, user string) (live []chat.Connection, err error) {
	err = s.do(ctx, "connections of a user", func(ctx context.Context, o *op) error {
		live, err = o.liveOf(ctx, user)
		return err
	})
	return live, err
}
