package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// needsSubscription tells rooms from the lobby and direct rooms, which find their receivers
// without.
func needsSubscription(room string) bool {
	_, _, direct := chat.DirectUsers(room)
	return !direct && room != chat.Lobby
}

// subscribable gives the rooms of members that need a subscription, each once.
func subscribable(members []chat.Member) (rooms []string) {
	seen := map[string]bool{}
	for _, m := range members {
		if needsSubscription(m.Room) && !seen[m.Room] {
			seen[m.Room] = true
			rooms = append(rooms, m.Room)
		}
	}
	return rooms
}

// subscription is the item of a connection in a room.
func subscription(c chat.Connection, m chat.Member) item {
	it := subscriptionKey(m.Room, c.ID).item()
	fields(it, c)
	it[attrUser] = str(m.User)
	it[attrGen] = num(m.Gen)
	it[attrExpiry] = expiry(c.ConnectedAt.Add(chat.SubscriptionTTL))
	return it
}

// subscribe subscribes a connection to the rooms of the members, of two to one room the last.
func (o *op) subscribe(ctx context.Context, c chat.Connection, members []chat.Member) error {
	last := map[string]chat.Member{}
	for _, m := range members {
		last[m.Room] = m
	}
	var puts []item
	for _, room := range subscribable(members) {
		puts = append(puts, subscription(c, last[room]))
	}
	return o.writeAll(ctx, puts, nil)
}

// unsubscribe ends subscriptions of a connection.
func (o *op) unsubscribe(ctx context.Context, id string, rooms []string) error {
	var gone []key
	for _, room := range rooms {
		gone = append(gone, subscriptionKey(room, id))
	}
	return o.writeAll(ctx, nil, gone)
}

// Subscribe implements chat.Connections. Its writes are, for each connection: the room in the
// user's list, by which Close finds the subscription; the subscription, which is taken back when
// the connection was closed meanwhile.
func (s *Store) Subscribe(ctx context.Context, m chat.Member) error {
	return s.do(ctx, "subscribe", func(ctx context.Context, o *op) error {
		if !needsSubscription(m.Room) {
			return nil
		}
		all, err := o.userConnections(ctx, m.User)
		if err != nil {
			return err
		}
		var puts []item
		var listed []key
		for _, c := range all {
			if !o.isCurrent(c) {
				continue
			}
			done, err := o.listRoom(ctx, "ADD rs :room", m, c.ID)
			if err != nil {
				return err
			}
			if done {
				puts = append(puts, subscription(c.Connection, m))
				listed = append(listed, userConnectionKey(m.User, c.ID))
			}
		}
		if err := o.writeAll(ctx, puts, nil); err != nil {
			return err
		}
		return o.dropClosed(ctx, listed, puts)
	})
}

// listRoom adds a room to a connection in the user's list, or deletes it there, if it is listed.
func (o *op) listRoom(
	ctx context.Context, update string, m chat.Member, id string,
) (done bool, err error) {
	_, done, err = o.update(ctx, userConnectionKey(m.User, id), change{
		update: update, when: exists, values: item{":room": strs(m.Room)},
	})
	return done, err
}

// dropClosed takes back the subscriptions of connections that are no longer in the user's list.
func (o *op) dropClosed(ctx context.Context, listed []key, subscriptions []item) error {
	found, err := o.getAll(ctx, listed...)
	if err != nil {
		return err
	}
	var gone []key
	for i, k := range listed {
		if found[k] == nil {
			gone = append(gone, keyOf(subscriptions[i]))
		}
	}
	return o.writeAll(ctx, nil, gone)
}

// Unsubscribe implements chat.Connections.
func (s *Store) Unsubscribe(ctx context.Context, room, user string) error {
	return s.do(ctx, "unsubscribe", func(ctx context.Context, o *op) error {
		all, err := o.userConnections(ctx, user)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.row != nil && c.row.User != user {
				continue // renamed: the subscription is another user's
			}
			if err := o.unsubscribe(ctx, c.ID, []string{room}); err != nil {
				return err
			}
			m := chat.Member{Room: room, User: user}
			if _, err := o.listRoom(ctx, "DELETE rs :room", m, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
