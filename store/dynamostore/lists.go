package dynamostore

import (
	"context"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// PublicRooms implements chat.Log.
func (s *Store) PublicRooms(
	ctx context.Context, after string, limit int,
) (rooms []chat.RoomName, more bool, err error) {
	err = s.do(ctx, "public rooms", func(ctx context.Context, o *op) error {
		listed := prefixed(roomsPK, "", after)
		rows := o.query(ctx, listed, querying{eventual: true, pageSize: limit + 1})
		for it, err := range rows {
			if err != nil {
				return err
			}
			if more = len(rooms) == limit; more {
				return nil
			}
			r := row{it: it}
			rooms = append(rooms, chat.RoomName{Room: r.str(skName), Name: r.str(attrName)})
			if r.bad != "" {
				return r.err(o.Table)
			}
		}
		return nil
	})
	return rooms, more, err
}

// PutUser implements chat.Log. Its writes are, in this order: the name, which decides, and the
// row in the list of users.
func (s *Store) PutUser(ctx context.Context, u chat.User) error {
	return s.do(ctx, "put user", func(ctx context.Context, o *op) error {
		named, listed := nameKey(chat.Fold(u.Name)), userKey(u.Name)
		found, err := o.getAll(ctx, named, listed)
		if err != nil {
			return err
		}
		known, err := o.readName(found[named])
		if err == nil && known.Name == "" {
			known, err = o.putName(ctx, named, u)
		}
		switch {
		case err != nil:
			return err
		case known.Name != u.Name:
			return chat.E(chat.Taken, "%s is known as %s", u.Name, known.Name)
		case found[listed] != nil:
			return nil
		}
		it := listed.item()
		it[attrAt] = millis(known.Since)
		_, _, err = o.put(ctx, it, change{})
		return err
	})
}

// putName records a user under its folded name, and gives the user that is recorded there then.
// It leaves a claim to the name alone.
func (o *op) putName(ctx context.Context, named key, u chat.User) (chat.User, error) {
	it, _, err := o.update(ctx, named, change{
		update: "SET nm = :name, a = :at",
		when:   "attribute_not_exists(nm)",
		values: item{":name": str(u.Name), ":at": millis(u.Since)},
	})
	if err != nil {
		return chat.User{}, err
	}
	return o.readName(it)
}

// readName reads the user that is recorded under a name; none has the name "".
func (o *op) readName(it item) (chat.User, error) {
	r := row{it: it}
	return chat.User{Name: r.str(attrName), Since: r.time(attrAt)}, r.err(o.Table)
}

// User implements chat.Log.
func (s *Store) User(ctx context.Context, name string) (u chat.User, err error) {
	err = s.do(ctx, "user", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, nameKey(chat.Fold(name)))
		if err != nil {
			return err
		}
		if u, err = o.readName(it); err == nil && u.Name == "" {
			return chat.E(chat.NotFound, "no user %s", name)
		}
		return err
	})
	return u, err
}

// Users implements chat.Log.
func (s *Store) Users(
	ctx context.Context, after string, limit int,
) (users []chat.User, more bool, err error) {
	err = s.do(ctx, "users", func(ctx context.Context, o *op) error {
		for n := range spread {
			some, err := o.usersIn(ctx, usersPK(n), after, limit+1)
			if err != nil {
				return err
			}
			users = append(users, some...)
		}
		slices.SortFunc(users, func(a, b chat.User) int { return strings.Compare(a.Name, b.Name) })
		if more = len(users) > limit; more {
			users = users[:limit]
		}
		return nil
	})
	return users, more, err
}

// usersIn reads at most limit users of one partition.
func (o *op) usersIn(
	ctx context.Context, pk, after string, limit int,
) (users []chat.User, err error) {
	rows := o.query(ctx, prefixed(pk, "", after), querying{eventual: true, pageSize: limit})
	for it, err := range rows {
		if err != nil {
			return nil, err
		}
		r := row{it: it}
		users = append(users, chat.User{Name: r.str(skName), Since: r.time(attrAt)})
		if r.bad != "" {
			return nil, r.err(o.Table)
		}
		if len(users) == limit {
			break
		}
	}
	return users, nil
}
