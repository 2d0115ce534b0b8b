package dynamostore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Receivers implements chat.Connections. It has read them all before it yields the first, without
// consistency but for a direct room, at half the price.
func (s *Store) Receivers(ctx context.Context, h chat.Head) iter.Seq2[chat.Receiver, error] {
	return func(yield func(chat.Receiver, error) bool) {
		var all []chat.Receiver
		err := s.do(ctx, "receivers", func(ctx context.Context, o *op) (err error) {
			all, err = o.receivers(ctx, h.Room)
			return err
		})
		if err != nil {
			yield(chat.Receiver{}, err)
			return
		}
		for i, r := range all {
			if i == s.MaxReceivers && i > 0 {
				if s.LeftOut != nil {
					s.LeftOut(h.Room)
				}
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (o *op) receivers(ctx context.Context, room string) ([]chat.Receiver, error) {
	if room == chat.Lobby {
		return o.everybody(ctx)
	}
	if a, b, ok := chat.DirectUsers(room); ok {
		return o.receiversOf(ctx, a, b)
	}
	return o.subscribers(ctx, room)
}

func receiver(c chat.Connection) chat.Receiver {
	return chat.Receiver{
		ID: c.ID, User: c.User, Dialect: c.Dialect, Endpoint: c.Endpoint, ConnectedAt: c.ConnectedAt,
		NamedAt: c.NamedAt,
	}
}

// everybody gives the receivers of the lobby.
func (o *op) everybody(ctx context.Context) (all []chat.Receiver, err error) {
	now := o.Now()
	for c, err := range o.connections(ctx, true) {
		if err != nil {
			return nil, err
		}
		if o.live(c, now) {
			all = append(all, receiver(c.Connection))
		}
	}
	return all, nil
}

// receiversOf gives the receivers of a direct room of two users, who may be the same.
func (o *op) receiversOf(ctx context.Context, a, b string) (all []chat.Receiver, err error) {
	users := []string{a, b}
	for _, user := range slices.Compact(users) {
		live, err := o.liveOf(ctx, user)
		if err != nil {
			return nil, err
		}
		for _, c := range live {
			all = append(all, receiver(c))
		}
	}
	return all, nil
}

// subscribers gives the receivers of another room. Their leases are not looked at: a post to one
// that is gone says so.
func (o *op) subscribers(ctx context.Context, room string) (all []chat.Receiver, err error) {
	now := o.Now()
	rows := o.query(ctx, prefixed(subscriptionsPK(room), "", ""), querying{eventual: true})
	for it, err := range rows {
		if err != nil {
			return nil, err
		}
		r := row{it: it}
		c := readFields(&r, r.str(skName), r.str(attrUser))
		to := receiver(c)
		to.Gen = r.uint(attrGen)
		over := r.expired(now) || past(c.Until, now)
		if r.bad != "" {
			return nil, r.err(o.Table)
		}
		if !over {
			all = append(all, to)
		}
	}
	return all, nil
}

// connections yields the rows of all connections, live or not.
func (o *op) connections(ctx context.Context, eventual bool) iter.Seq2[*connection, error] {
	return func(yield func(*connection, error) bool) {
		for n := range spread {
			rows := o.query(ctx, prefixed(connectionsPK(n), "", ""), querying{eventual: eventual})
			for it, err := range rows {
				var c *connection
				if err == nil {
					c, err = o.readConnection(it)
				}
				if err != nil {
					yield(nil, err)
					return
				}
				if c != nil && !yield(c, nil) {
					return
				}
			}
		}
	}
}

// Online implements chat.Connections.
func (s *Store) Online(
	ctx context.Context, after string, limit int,
) (users []string, more bool, err error) {
	err = s.do(ctx, "online", func(ctx context.Context, o *op) error {
		now := o.Now()
		online := map[string]bool{}
		for c, err := range o.connections(ctx, true) {
			if err != nil {
				return err
			}
			if c.User > after && o.live(c, now) {
				online[c.User] = true
			}
		}
		users = slices.Sorted(maps.Keys(online))
		if more = len(users) > limit; more {
			users = users[:limit]
		}
		return nil
	})
	return users, more, err
}

// Lapsed implements chat.Connections. It has read them all, consistently, before it yields the
// first.
func (s *Store) Lapsed(ctx context.Context, now time.Time) iter.Seq2[chat.Connection, error] {
	return func(yield func(chat.Connection, error) bool) {
		var all []chat.Connection
		err := s.do(ctx, "lapsed", func(ctx context.Context, o *op) error {
			for c, err := range o.connections(ctx, false) {
				if err != nil {
					return err
				}
				if c.closer == "" && (past(c.Until, now) || c.Hello && s.lapsed(c, now)) {
					all = append(all, c.Connection)
				}
			}
			return nil
		})
		if err != nil {
			yield(chat.Connection{}, err)
			return
		}
		for _, c := range all {
			if !yield(c, nil) {
				return
			}
		}
	}
}
