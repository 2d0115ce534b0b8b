package sqlitestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// migrations bring a database to the next version, the first from 1 to 2. Each is run inside one
// transaction with all that follow it.
var migrations = []func(*conn) error{addTables}

// addTables makes the tables of what rooms keep and of display names.
func addTables(c *conn) error {
	if err := c.script(strings.Join(slices.Concat(keptSchema, displaysSchema), ";")); err != nil {
		return err
	}
	_, err := c.exec("INSERT INTO sums VALUES (?, 0, 0), (?, 0, 0)", inKept, inDisplays)
	return err
}

// migrate brings a database of an older version to this program's, all of it or nothing.
func migrate(c *conn, version int64) error {
	return c.within("BEGIN EXCLUSIVE", func() error {
		for _, step := range migrations[version-1:] {
			if err := step(c); err != nil {
				return err
			}
		}
		if err := c.script(fmt.Sprintf("PRAGMA user_version=%d", schemaVersion)); err != nil {
			return err
		}
		_, err := checkSchema(c)
		return err
	})
}

// upgrade brings the data to this program's version. What was there before is kept beside it as a
// file that `confab restore` takes.
func (s *Store) upgrade(c *conn) error {
	version, err := checkSchema(c)
	if err != nil || version == schemaVersion {
		return err
	}
	copied := fmt.Sprintf("%s.v%d", s.file, version)
	if err := s.copyBefore(c, copied); err != nil {
		return err
	}
	if err := migrate(c, version); err != nil {
		return err
	}
	s.log.Info("the chat data was upgraded", "from", version, "to", schemaVersion, "copy", copied)
	return nil
}

// copyBefore copies the data to a file and checks the copy. One that an upgrade made which did not
// come to its end is replaced.
func (s *Store) copyBefore(c *conn, file string) error {
	part := file + ".part"
	removeAll(part)
	defer removeAll(part)
	from := source{conn: c, file: s.file}
	if err := from.copyTo(context.Background(), part, func(int, int) {}); err != nil {
		return err
	}
	var first error
	err := Check(context.Background(), part, func(line string) {
		if first == nil {
			first = damage(line)
		}
	})
	if chat.Is(err, chat.Corrupt) {
		return corrupt("upgrade", s.file, first)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// sayCopies reminds of copies that upgrades have left: what is deleted or expires later stays in
// them.
func (s *Store) sayCopies() {
	copies, _ := filepath.Glob(s.file + ".v*") // the pattern is a good one
	for _, file := range copies {
		s.log.Warn("a copy from before an upgrade is here, with what was deleted since: "+
			"remove it when it is not needed any more", "copy", file)
	}
}
