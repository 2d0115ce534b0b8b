package dynamostore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// readLink reads a link's item.
func (o *op) readLink(it item) (auth.Link, error) {
	r := row{it: it}
	l := auth.Link{
		Hash: r.hash(skName), Kind: auth.LinkKind(r.uint(attrKind)), Account: r.str(attrAccount),
		By: r.str(attrMaker), Uses: int(r.uint(attrUses)), Used: len(r.strs(attrUsers)),
		Made: r.time(attrAt), Until: r.time(attrUntil),
	}
	return l, r.err(o.Table)
}

// isLive tells whether a link is not over and not used up.
func isLive(l *auth.Link, now time.Time) bool { return now.Before(l.Until) && l.Used < l.Uses }

func noLink() error { return chat.E(chat.NotFound, "this link is over, or never was one") }

// PutLink implements auth.Sessions. Where several are put at the same time there may be some more
// than auth.MaxLinks.
func (s *Store) PutLink(ctx context.Context, l auth.Link, now time.Time) error {
	return s.do(ctx, "put link", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, linkKey(l.Hash))
		if err != nil || it != nil {
			return err
		}
		live, err := o.liveLinks(ctx, now)
		if err != nil {
			return err
		}
		if len(live) >= auth.MaxLinks {
			return chat.E(chat.Limited, "there are %d links; end some first", len(live))
		}
		it = linkKey(l.Hash).item()
		it[attrKind], it[attrUses] = num(l.Kind), num(l.Uses)
		setStr(it, attrAccount, l.Account)
		setStr(it, attrMaker, l.By)
		it[attrAt], it[attrUntil], it[attrExpiry] = millis(l.Made), millis(l.Until), expiry(l.Until)
		_, _, err = o.putIfAbsent(ctx, it)
		return err
	})
}

// liveLinks reads the links that are live, the youngest first.
func (o *op) liveLinks(ctx context.Context, now time.Time) (list []auth.Link, err error) {
	for it, err := range o.query(ctx, prefixed(linksPK, "", ""), querying{}) {
		if err != nil {
			return nil, err
		}
		l, err := o.readLink(it)
		if err != nil {
			return nil, err
		}
		if isLive(&l, now) {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b auth.Link) int {
		return cmp.Or(b.Made.Compare(a.Made), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

// Link implements auth.Sessions.
func (s *Store) Link(ctx context.Context, h auth.Hash, now time.Time) (l auth.Link, err error) {
	err = s.do(ctx, "link", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, linkKey(h))
		if err != nil {
			return err
		}
		if it == nil {
			return noLink()
		}
		if l, err = o.readLink(it); err == nil && !isLive(&l, now) {
			err = noLink()
		}
		return err
	})
	if err != nil {
		return auth.Link{}, err
	}
	return l, nil
}

// UseLink implements auth.Sessions. It is one write, which counts an account once.
func (s *Store) UseLink(
	ctx context.Context, h auth.Hash, account string, now time.Time,
) (l auth.Link, err error) {
	err = s.do(ctx, "use link", func(ctx context.Context, o *op) error {
		it, done, err := o.update(ctx, linkKey(h), change{
			update: "ADD us :users",
			when: exists + " AND un > :now" +
				" AND (attribute_not_exists(us) OR size(us) < ct OR contains(us, :user))",
			values: item{":users": strs(account), ":user": str(account), ":now": millis(now)},
		})
		if err != nil {
			return err
		}
		if !done {
			return noLink()
		}
		l, err = o.readLink(it)
		return err
	})
	if err != nil {
		return auth.Link{}, err
	}
	return l, nil
}

// ReturnLink implements auth.Sessions.
func (s *Store) ReturnLink(ctx context.Context, h auth.Hash, account string) error {
	return s.do(ctx, "return link", func(ctx context.Context, o *op) error {
		_, _, err := o.update(ctx, linkKey(h), change{
			update: "DELETE us :users", when: exists, values: item{":users": strs(account)},
		})
		return err
	})
}

// Links implements auth.Sessions.
func (s *Store) Links(ctx context.Context, now time.Time) (list []auth.Link, err error) {
	err = s.do(ctx, "links", func(ctx context.Context, o *op) error {
		list, err = o.liveLinks(ctx, now)
		return err
	})
	return list, err
}

// DropLink implements auth.Sessions.
func (s *Store) DropLink(ctx context.Context, h auth.Hash) error {
	return s.do(ctx, "drop link", func(ctx context.Context, o *op) error {
		_, _, err := o.delete(ctx, linkKey(h), change{})
		return err
	})
}
