package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// SetDisplay implements chat.Log. It is one write of the user's row in the list of users.
func (s *Store) SetDisplay(ctx context.Context, user, display string) error {
	return s.do(ctx, "set display", func(ctx context.Context, o *op) error {
		c := change{update: "SET dn = :display", when: exists, values: item{":display": str(display)}}
		if display == "" {
			c = change{update: "REMOVE dn", when: exists}
		}
		_, done, err := o.update(ctx, userKey(user), c)
		if err == nil && !done {
			err = chat.E(chat.NotFound, "no such user")
		}
		return err
	})
}

// Displays implements chat.Log.
func (s *Store) Displays(ctx context.Context, users []string) (map[string]string, error) {
	displays := map[string]string{}
	err := s.do(ctx, "displays", func(ctx context.Context, o *op) error {
		keys := make([]key, len(users))
		for i, user := range users {
			keys[i] = userKey(user)
		}
		found, err := o.getAll(ctx, keys...)
		for i, k := range keys {
			if it := found[k]; it[attrDisplay] != nil {
				r := row{it: it}
				displays[users[i]] = r.str(attrDisplay)
				if r.bad != "" {
					return r.err(o.Table)
				}
			}
		}
		return err
	})
	return displays, err
}
