package sqlitestore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/chat"
)

// userRow is a row of users.
type userRow struct {
	name, folded string
	since        int64 // milliseconds since 1970
}

func (u *userRow) crc() int64 {
	return content(nil).text(u.name).text(u.folded).num(uint64(u.since)).crc()
}

func (u *userRow) user() chat.User {
	return chat.User{Name: u.name, Since: time.UnixMilli(u.since).UTC()}
}

const userColumns = "name, folded, since, crc"

// scanUser reads a row of userColumns.
func scanUser(r row) (userRow, error) {
	u := userRow{name: r.text(0), folded: r.text(1), since: r.int(2)}
	if u.crc() != r.int(3) {
		return u, damagef("the user %q fails its CRC", u.name)
	}
	return u, nil
}

// readUser reads a user by its folded name; found tells whether there is one.
func readUser(c *conn, folded string) (u userRow, found bool, err error) {
	r, err := c.one("SELECT "+userColumns+" FROM users WHERE folded = ?", folded)
	if err != nil || r == nil {
		return userRow{}, false, err
	}
	u, err = scanUser(r)
	return u, true, err
}

// PutUser records a user: see chat.Log.
func (s *Store) PutUser(ctx context.Context, u chat.User) error {
	put := userRow{name: u.Name, folded: chat.Fold(u.Name), since: u.Since.UnixMilli()}
	return s.write(ctx, "put user", &op{run: func(w *writer) error { return w.putUser(put) }})
}

func (w *writer) putUser(u userRow) error {
	var present userRow
	var found bool
	var err error
	if !w.s.people.absent(keyUser, u.folded) {
		present, found, err = readUser(w.conn, u.folded)
	}
	switch {
	case err != nil:
		return err
	case found && present.name != u.name:
		return chat.E(chat.Taken, "the name belongs to %s", present.name)
	case found:
		return nil
	}
	w.s.people.add(keyUser, u.folded)
	_, err = w.conn.exec("INSERT INTO users VALUES (?, ?, ?, ?)", u.name, u.folded, u.since, u.crc())
	if err != nil {
		return err
	}
	w.tally.add(inUsers, 0, u.crc())
	return nil
}

// User finds a user by its name in any case: see chat.Log.
func (s *Store) User(ctx context.Context, name string) (chat.User, error) {
	folded := chat.Fold(name)
	u, known := s.people.user(folded)
	if known {
		return u, nil
	}
	err := s.read(ctx, "user", func(c *conn) error {
		if s.people.absent(keyUser, folded) {
			return noUser()
		}
		found, ok, err := readUser(c, folded)
		if err != nil {
			return err
		}
		if !ok {
			return noUser()
		}
		u = found.user()
		return nil
	})
	if err == nil {
		s.people.putUser(folded, u)
	}
	return u, err
}

func noUser() error { return chat.E(chat.NotFound, "no such user") }

// Users lists users: see chat.Log.
func (s *Store) Users(ctx context.Context, after string, limit int) (users []chat.User, more bool, err error) {
	err = s.read(ctx, "users", func(c *conn) error {
		return c.each("SELECT "+userColumns+" FROM users WHERE name > ? ORDER BY name LIMIT ?", func(r row) error {
			u, err := scanUser(r)
			users = append(users, u.user())
			return err
		}, after, int64(limit)+1)
	})
	if err != nil {
		return nil, false, err
	}
	users, more = page(limit, users)
	return users, more, nil
}
