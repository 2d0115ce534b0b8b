package sqlitestore

import (
	"context"
	"slices"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// linkRow is a row of links, and those of its uses.
type linkRow struct {
	auth.Link
	users []string
}

func (l *linkRow) crc() int64 {
	return content(nil).text(l.Hash.String()).num(uint64(l.Kind)).text(l.Account).text(l.By).
		num(uint64(l.Uses)).num(uint64(l.Made.UnixMilli())).num(uint64(l.Until.UnixMilli())).crc()
}

const linkColumns = "hash, kind, account, made_by, uses, made, until, crc"

// scanLink reads a row of linkColumns.
func scanLink(r row) (linkRow, error) {
	h, ok := hashIn(r.text(0))
	l := linkRow{Link: auth.Link{
		Hash: h, Kind: auth.LinkKind(r.int(1)), Account: r.text(2), By: r.text(3), Uses: int(r.int(4)),
		Made: timeAt(r.int(5)), Until: timeAt(r.int(6)),
	}}
	if !ok || l.crc() != r.int(7) {
		return l, damagef("the link %s fails its CRC", h.ID())
	}
	return l, nil
}

// useRow is a row of link_uses.
type useRow struct{ hash, account string }

func (u useRow) crc() int64 { return content(nil).text(u.hash).text(u.account).crc() }

const useColumns = "hash, account, crc"

// scanUse reads a row of useColumns.
func scanUse(r row) (useRow, error) {
	u := useRow{r.text(0), r.text(1)}
	if u.crc() != r.int(2) {
		return u, damagef("a use of the link %s fails its CRC", u.hash)
	}
	return u, nil
}

// over tells that a link has ended by its time, whoever asks.
func (l *linkRow) over(now time.Time) bool { return !now.Before(l.Until) }

func (l *linkRow) live(now time.Time) bool { return !l.over(now) && len(l.users) < l.Uses }

// link is the link as it is now.
func (l *linkRow) link() auth.Link {
	now := l.Link
	now.Used = len(l.users)
	return now
}

// eachUse selects links with a row for each of their uses, one for a link without any.
const eachUse = `SELECT l.hash, l.kind, l.account, l.made_by, l.uses, l.made, l.until, l.crc,
	u.hash, u.account, u.crc FROM links l LEFT JOIN link_uses u ON u.hash = l.hash `

// readLinks reads links by a query that begins with eachUse and keeps the rows of each together.
func readLinks(c *conn, query string, args ...any) (links []linkRow, err error) {
	err = c.each(query, func(r row) error {
		l, err := scanLink(r[:8])
		if err != nil {
			return err
		}
		if n := len(links); n == 0 || links[n-1].Hash != l.Hash {
			links = append(links, l)
		}
		if r[8] == nil {
			return nil
		}
		u, err := scanUse(r[8:])
		last := &links[len(links)-1]
		last.users = append(last.users, u.account)
		return err
	}, args...)
	return links, err
}

// readLink reads a link, nil if there is none.
func readLink(c *conn, h auth.Hash) (*linkRow, error) {
	found, err := readLinks(c, eachUse+"WHERE l.hash = ?", h.String())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func noLink() error { return chat.E(chat.NotFound, "this link is over, or never was one") }

// PutLink records a link: see auth.Sessions.
func (s *Store) PutLink(ctx context.Context, l auth.Link, now time.Time) error {
	put := linkRow{Link: l}
	return s.write(ctx, "put link", &op{run: func(w *writer) error {
		return w.putLink(&put, now)
	}})
}

func (w *writer) putLink(l *linkRow, now time.Time) error {
	have, err := readLink(w.conn, l.Hash)
	if err != nil || have != nil {
		return err
	}
	live, err := w.conn.one(`SELECT count(*) FROM links WHERE until > ?
		AND uses > (SELECT count(*) FROM link_uses u WHERE u.hash = links.hash)`, now.UnixMilli())
	if err != nil {
		return err
	}
	if live.int(0) >= auth.MaxLinks {
		return chat.E(chat.Limited, "there are %d links; end some first", live.int(0))
	}
	over, err := readLinks(w.conn, eachUse+"WHERE l.until <= ? ORDER BY l.hash", now.UnixMilli())
	if err != nil {
		return err
	}
	for i := range over {
		if err := w.deleteLink(&over[i]); err != nil {
			return err
		}
	}
	_, err = w.conn.exec("INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		l.Hash.String(), int64(l.Kind), l.Account, l.By, int64(l.Uses),
		l.Made.UnixMilli(), l.Until.UnixMilli(), l.crc())
	if err != nil {
		return err
	}
	w.tally.add(inLinks, 0, l.crc())
	return nil
}

// deleteLink removes a link and its uses.
func (w *writer) deleteLink(l *linkRow) error {
	for _, account := range l.users {
		if err := w.deleteUse(useRow{l.Hash.String(), account}); err != nil {
			return err
		}
	}
	if _, err := w.conn.exec("DELETE FROM links WHERE hash = ?", l.Hash.String()); err != nil {
		return err
	}
	w.tally.add(inLinks, l.crc(), 0)
	return nil
}

func (w *writer) deleteUse(u useRow) error {
	const remove = "DELETE FROM link_uses WHERE hash = ? AND account = ?"
	changed, err := w.conn.exec(remove, u.hash, u.account)
	if err == nil && changed == 1 {
		w.tally.add(inLinkUses, u.crc(), 0)
	}
	return err
}

// Link finds a live link: see auth.Sessions.
func (s *Store) Link(ctx context.Context, h auth.Hash, now time.Time) (l auth.Link, err error) {
	err = s.read(ctx, "link", func(c *conn) error {
		found, err := readLink(c, h)
		if err != nil {
			return err
		}
		if found == nil || !found.live(now) {
			return noLink()
		}
		l = found.link()
		return nil
	})
	return l, err
}

// UseLink takes a use of a link for an account: see auth.Sessions.
func (s *Store) UseLink(
	ctx context.Context, h auth.Hash, account string, now time.Time,
) (l auth.Link, err error) {
	err = s.write(ctx, "use link", &op{run: func(w *writer) (err error) {
		l, err = w.useLink(h, account, now)
		return err
	}})
	if err != nil {
		return auth.Link{}, err
	}
	return l, nil
}

func (w *writer) useLink(h auth.Hash, account string, now time.Time) (auth.Link, error) {
	l, err := readLink(w.conn, h)
	switch {
	case err != nil:
		return auth.Link{}, err
	case l == nil || l.over(now):
		return auth.Link{}, noLink()
	case slices.Contains(l.users, account):
		return l.link(), nil
	case !l.live(now):
		return auth.Link{}, noLink()
	}
	u := useRow{h.String(), account}
	_, err = w.conn.exec("INSERT INTO link_uses VALUES (?, ?, ?)", u.hash, account, u.crc())
	if err != nil {
		return auth.Link{}, err
	}
	w.tally.add(inLinkUses, 0, u.crc())
	l.users = append(l.users, account)
	return l.link(), nil
}

// ReturnLink gives a use back: see auth.Sessions.
func (s *Store) ReturnLink(ctx context.Context, h auth.Hash, account string) error {
	use := useRow{h.String(), account}
	return s.write(ctx, "return link", &op{run: func(w *writer) error { return w.deleteUse(use) }})
}

// Links lists the live links: see auth.Sessions.
func (s *Store) Links(ctx context.Context, now time.Time) (list []auth.Link, err error) {
	err = s.read(ctx, "links", func(c *conn) error {
		links, err := readLinks(c, eachUse+"ORDER BY l.made DESC, l.hash")
		for i := range links {
			if links[i].live(now) {
				list = append(list, links[i].link())
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// DropLink ends a link: see auth.Sessions.
func (s *Store) DropLink(ctx context.Context, h auth.Hash) error {
	return s.write(ctx, "drop link", &op{run: func(w *writer) error {
		l, err := readLink(w.conn, h)
		if err != nil || l == nil {
			return err
		}
		return w.deleteLink(l)
	}})
}

// forgetLinks removes all links of a database.
func forgetLinks(c *conn, t tally) error {
	for _, table := range []string{inLinks, inLinkUses} {
		before, err := readSum(c, table)
		if err != nil {
			return err
		}
		if _, err := c.exec("DELETE FROM " + table); err != nil {
			return err
		}
		t[table] = sum{-before.rows, -before.total}
	}
	return nil
}
