package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// newFolder makes a data folder whose database fill makes, under another name until it is complete.
// A folder that is there and not empty is Taken. Of one that fails nothing stays.
func newFolder(dir string, fill func(file string) error) (err error) {
	entries, err := os.ReadDir(dir)
	if len(entries) > 0 {
		return chat.E(chat.Taken, "%s is not empty: name a new folder", dir)
	}
	made := errors.Is(err, fs.ErrNotExist)
	if err := makeDir(dir); err != nil {
		return err
	}
	locked, err := lock(dir)
	if err != nil {
		return err
	}
	fresh := filepath.Join(dir, newFile)
	err = fill(fresh)
	if err == nil {
		err = os.Rename(fresh, filepath.Join(dir, databaseFile))
	}
	if err == nil {
		return errors.Join(syncDir(dir), locked.Close())
	}
	removeAll(fresh)
	_ = locked.Close()
	_ = os.Remove(filepath.Join(dir, lockFile))
	if made {
		_ = os.Remove(dir)
	}
	return err
}

// Build makes a new data folder of records, all or nothing: what [ReadAll] gives makes a folder
// that has the same numbers and epochs, so that clients go on where they were. A record that cannot
// be is Invalid and names its field, as does a room whose messages are not all there at the end. A
// folder that is there and not empty is Taken. What was made is checked as Check does.
func Build(ctx context.Context, dir string, fill func(put func(Record) error) error) error {
	return newFolder(dir, func(file string) error {
		if err := touch(file); err != nil {
			return err
		}
		// The file is thrown away where this fails, so it needs no journal.
		pragmas := []string{"journal_mode=OFF", "synchronous=OFF", "cache_size=-16384"}
		c, err := connect(uri(file, "mode=rw"), pragmas...)
		if err != nil {
			return err
		}
		b := newBuilding(c)
		err = c.within("BEGIN EXCLUSIVE", func() error {
			if err := b.begin(); err != nil {
				return err
			}
			err := fill(func(record Record) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return b.put(record)
			})
			if err != nil {
				return err
			}
			return b.end()
		})
		if err := errors.Join(err, c.close()); err != nil {
			return buildError(file, err)
		}
		if err := syncFile(file); err != nil {
			return err
		}
		return Check(ctx, file, func(string) {})
	})
}

// buildError says what went wrong where the disk is full.
func buildError(file string, err error) error {
	if classify(err) == full {
		return openError(file, err)
	}
	return err
}

// begin makes the tables.
func (b *building) begin() error {
	const pragmas = "PRAGMA application_id=%d; PRAGMA user_version=%d;"
	return b.c.script(fmt.Sprintf(pragmas, applicationID, schemaVersion) + strings.Join(schemas[schemaVersion-1], ";"))
}

// end writes what can be told when all records are there.
func (b *building) end() error {
	if b.rooms[chat.Lobby] == nil {
		return chat.BadField("room", "room: there is no lobby")
	}
	for _, room := range b.order {
		if want := room.head.Seq + 1; room.next != want {
			return chat.BadField("seq", "seq: the room %q ends at %d, and should at %d",
				room.head.Room, room.next-1, room.head.Seq)
		}
		if err := b.flushPlaces(room); err != nil {
			return err
		}
	}
	for _, name := range append(tallied, youngest) {
		s := b.tally[name]
		if name == youngest {
			s = sum{rows: b.pos}
		}
		if _, err := b.c.exec("INSERT INTO sums VALUES (?, ?, ?)", name, s.rows, s.total); err != nil {
			return err
		}
	}
	return nil
}
