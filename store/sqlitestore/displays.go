package sqlitestore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// displaysSchema is a table of version 2.
var displaysSchema = []string{
	`CREATE TABLE displays ( -- what users are shown as beside their names
  user TEXT PRIMARY KEY,
  display TEXT NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
}

// inDisplays is the table of display names, as named in sums.
const inDisplays = "displays"

// displayRow is a row of displays.
type displayRow struct{ user, display string }

func (d *displayRow) crc() int64 { return content(nil).text(d.user).text(d.display).crc() }

const displayColumns = "user, display, crc"

// scanDisplay reads a row of displayColumns.
func scanDisplay(r row) (displayRow, error) {
	d := displayRow{r.text(0), r.text(1)}
	if d.crc() != r.int(2) {
		return d, damagef("the display name of %q fails its CRC", d.user)
	}
	return d, nil
}

// readDisplay reads what a user is shown as; found tells whether there is anything.
func readDisplay(c *conn, user string) (d displayRow, found bool, err error) {
	r, err := c.one("SELECT "+displayColumns+" FROM displays WHERE user = ?", user)
	if err != nil || r == nil {
		return displayRow{}, false, err
	}
	d, err = scanDisplay(r)
	return d, true, err
}

// SetDisplay records what a user is shown as: see chat.Log.
func (s *Store) SetDisplay(ctx context.Context, user, display string) error {
	return s.write(ctx, "set display", &op{run: func(w *writer) error {
		return w.setDisplay(displayRow{user, display})
	}})
}

func (w *writer) setDisplay(d displayRow) error {
	u, known, err := readUser(w.conn, chat.Fold(d.user))
	if err == nil && (!known || u.name != d.user) {
		err = chat.E(chat.NotFound, "no such user")
	}
	if err != nil {
		return err
	}
	before, found, err := readDisplay(w.conn, d.user)
	if err != nil {
		return err
	}
	if found {
		if _, err := w.conn.exec("DELETE FROM displays WHERE user = ?", d.user); err != nil {
			return err
		}
		w.tally.add(inDisplays, before.crc(), 0)
	}
	if d.display == "" {
		return nil
	}
	_, err = w.conn.exec("INSERT INTO displays VALUES (?, ?, ?)", d.user, d.display, d.crc())
	if err == nil {
		w.tally.add(inDisplays, 0, d.crc())
	}
	return err
}

// Displays gives what users are shown as: see chat.Log.
func (s *Store) Displays(ctx context.Context, users []string) (map[string]string, error) {
	displays := map[string]string{}
	err := s.read(ctx, "displays", func(c *conn) error {
		for _, user := range users {
			d, found, err := readDisplay(c, user)
			if err != nil {
				return err
			}
			if found {
				displays[user] = d.display
			}
		}
		return nil
	})
	return displays, err
}
