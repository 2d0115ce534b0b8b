package dynamostore

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
)

// head is a chat.Head as it is stored.
type head struct {
	chat.Head
	at        time.Time            // when the last number was given
	removedAt map[string]time.Time // for each of Removed
	listed    bool                 // of a public room: its row in the list is written
}

func (o *op) readHead(room string, it item) (*head, error) {
	r := row{it: it}
	h := &head{
		Head: chat.Head{
			Room: room, Name: r.str(attrName), Kind: chat.RoomKind(r.uint(attrKind)),
			Owner: r.str(attrOwner), Epoch: r.str(attrEpoch), Seq: r.uint(attrSeq),
			Gen: r.uint(attrGen), Removed: r.uints(attrRemoved),
		},
		at:     r.time(attrAt),
		listed: r.has(attrListed),
	}
	h.removedAt = make(map[string]time.Time, len(h.Removed))
	for user, at := range r.uints(attrRemovedAt) {
		h.removedAt[user] = time.UnixMilli(int64(at))
	}
	return h, r.err(o.Table)
}

// newHead is the item of a room without messages.
func (o *op) newHead(room, name string, kind chat.RoomKind, owner string) item {
	it := headKey(room).item()
	it[attrName] = str(name)
	it[attrKind] = num(kind)
	setStr(it, attrOwner, owner)
	it[attrEpoch] = str(o.NewEpoch())
	it[attrSeq] = num(0)
	it[attrGen] = num(0)
	it[attrAt] = millis(o.Now())
	it[attrRemoved] = &types.AttributeValueMemberM{Value: item{}}
	it[attrRemovedAt] = &types.AttributeValueMemberM{Value: item{}}
	return it
}

// makeHead puts a room's head if there is none, and gives the one that is there then.
func (o *op) makeHead(
	ctx context.Context, room, name string, kind chat.RoomKind, owner string,
) (*head, error) {
	it := o.newHead(room, name, kind, owner)
	old, stored, err := o.putIfAbsent(ctx, it)
	if err != nil {
		return nil, err
	}
	if !stored {
		it = old
	}
	return o.readHead(room, it)
}

// headOf makes a head of the item that was read for it; an absent lobby is made, another absent
// room is nil.
func (o *op) headOf(ctx context.Context, room string, it item) (*head, error) {
	switch {
	case it != nil:
		return o.readHead(room, it)
	case room == chat.Lobby:
		defer func(before bool) { o.wrote = before }(o.wrote) // the lobby always exists
		return o.makeHead(ctx, chat.Lobby, chat.Lobby, chat.LobbyRoom, "")
	}
	return nil, nil
}

// head reads a room's head; an absent room is NotFound.
func (o *op) head(ctx context.Context, room string) (*head, error) {
	it, err := o.get(ctx, headKey(room))
	if err != nil {
		return nil, err
	}
	h, err := o.headOf(ctx, room, it)
	if err == nil && h == nil {
		return nil, noRoom(room)
	}
	return h, err
}

func noRoom(room string) error { return chat.E(chat.NotFound, "no room %s", room) }

// advance gives the room's next number, with the head as it is then. An absent room is NotFound.
func (o *op) advance(ctx context.Context, room string) (*head, error) {
	next := change{
		update: "SET a = :now ADD n :one",
		when:   exists,
		values: item{":now": millis(o.Now()), ":one": num(1)},
	}
	for {
		it, done, err := o.update(ctx, headKey(room), next)
		switch {
		case err != nil:
			return nil, err
		case done:
			return o.readHead(room, it)
		case room != chat.Lobby:
			return nil, noRoom(room)
		}
		if _, err := o.headOf(ctx, room, nil); err != nil {
			return nil, err
		}
	}
}

// Heads implements chat.Log.
func (s *Store) Heads(ctx context.Context, rooms []string) (heads []chat.Head, err error) {
	err = s.do(ctx, "heads", func(ctx context.Context, o *op) error {
		if len(rooms) > chat.MaxHeads {
			const text = "heads of %d rooms, the limit is %d"
			return chat.E(chat.TooLarge, text, len(rooms), chat.MaxHeads)
		}
		keys := make([]key, 0, len(rooms))
		asked := make(map[string]bool, len(rooms))
		for _, room := range rooms {
			if !asked[room] {
				asked[room] = true
				keys = append(keys, headKey(room))
			}
		}
		found, err := o.getAll(ctx, keys...)
		if err != nil {
			return err
		}
		for room := range asked {
			h, err := o.headOf(ctx, room, found[headKey(room)])
			if err != nil {
				return err
			}
			if h != nil {
				heads = append(heads, h.Head)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return heads, nil
}

// remove raises the room's generation above that of the user's membership, and with it ends the
// user's right to send and receive; see chat.Head.
func (o *op) remove(ctx context.Context, room, user string) (*head, error) {
	it, done, err := o.update(ctx, headKey(room), change{
		update: "SET rm.#user = g + :one, rt.#user = :now ADD g :one",
		when:   exists,
		names:  map[string]string{"#user": user},
		values: item{":one": num(1), ":now": millis(o.Now())},
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return nil, noRoom(room)
	}
	return o.readHead(room, it)
}

// maxPruned bounds the length of a pruning expression: 4 KB, by the limits page of DynamoDB.
const maxPruned = 25

// prune takes removals out of a head that no subscription is older than. Somebody who left again
// meanwhile stays in.
func (o *op) prune(ctx context.Context, h *head) error {
	end := o.Now().Add(-chat.SubscriptionTTL)
	c := change{update: "REMOVE ", values: item{}, names: map[string]string{}}
	for user, at := range h.removedAt {
		if at.After(end) || len(c.names) == maxPruned {
			continue
		}
		i := len(c.names)
		if i > 0 {
			c.update += ", "
			c.when += " AND "
		}
		c.update += fmt.Sprintf("rm.#u%d, rt.#u%d", i, i)
		c.when += fmt.Sprintf("rt.#u%d = :t%d", i, i)
		c.names[fmt.Sprintf("#u%d", i)] = user
		c.values[fmt.Sprintf(":t%d", i)] = millis(at)
	}
	if len(c.names) == 0 {
		return nil
	}
	_, _, err := o.update(ctx, headKey(h.Room), c)
	return err
}
