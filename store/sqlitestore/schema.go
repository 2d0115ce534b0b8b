package sqlitestore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// schemaVersion is this program's PRAGMA user_version. A newer one needs a step in migrations.
const schemaVersion = 2

// applicationID is PRAGMA application_id: "Cnfb".
const applicationID = 0x436e6662

// schemas is the tables of each version, from 1 on. Times are milliseconds since 1970.
var schemas = [][]string{
	slices.Concat(logSchema, sessionsSchema),
	slices.Concat(logSchema, sessionsSchema, keptSchema, displaysSchema),
}

// logSchema is the tables of the log, and sums. A message's row is only ever appended and overwritten
// in place, never moved: see the package doc on deleting.
var logSchema = []string{
	`CREATE TABLE rooms (
  room TEXT PRIMARY KEY,
  n INTEGER NOT NULL, -- its number in heads, messages and sent
  name TEXT NOT NULL,
  kind INTEGER NOT NULL, -- 1 lobby, 2 public, 3 private, 4 direct
  owner TEXT NOT NULL,
  epoch TEXT NOT NULL,
  gen INTEGER NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
	`CREATE INDEX rooms_public ON rooms (room) WHERE kind = 2`,
	`CREATE TABLE heads (
  n INTEGER PRIMARY KEY,
  room TEXT NOT NULL,
  seq INTEGER NOT NULL, -- the last number in places; the messages after that are the room's youngest
  crc INTEGER NOT NULL
) STRICT`,
	`CREATE TABLE messages (
  pos INTEGER PRIMARY KEY, -- the order of arrival over all rooms
  room INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state INTEGER NOT NULL, -- 0 stored, 1 deleted: the text is zero bytes
  id TEXT NOT NULL,
  sender TEXT NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  crc INTEGER NOT NULL -- of the room's id and all but pos
) STRICT`,
	`CREATE TABLE places ( -- the index of messages by room and seq, but of the youngest
  room INTEGER NOT NULL,
  first INTEGER NOT NULL, -- a seq
  pos BLOB NOT NULL, -- of that message and those that follow: varints, each the distance from the one before
  crc INTEGER NOT NULL,
  PRIMARY KEY (room, first)
) WITHOUT ROWID, STRICT`,
	`CREATE TABLE sent ( -- message ids that were used lately, but those of the youngest messages
  key INTEGER PRIMARY KEY, -- SHA-256 of room, sender and id, 8 bytes; if they are taken, the next free
  pos INTEGER NOT NULL, -- of the message
  at INTEGER NOT NULL,
  hash INTEGER NOT NULL, -- of a text that was deleted: SHA-256, 8 bytes; 0 while it is there
  crc INTEGER NOT NULL
) STRICT`,
	`CREATE TABLE members (
  room TEXT NOT NULL,
  user TEXT NOT NULL,
  state INTEGER NOT NULL, -- 1 joined, 2 invited, 3 left
  invited_by TEXT NOT NULL,
  gen INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) WITHOUT ROWID, STRICT`,
	`CREATE INDEX members_user ON members (user, room)`,
	`CREATE TABLE removed ( -- who left lately
  room TEXT NOT NULL,
  user TEXT NOT NULL,
  gen INTEGER NOT NULL, -- what a member must have to count again
  at INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) WITHOUT ROWID, STRICT`,
	`CREATE TABLE reads (
  user TEXT NOT NULL,
  room TEXT NOT NULL,
  seq INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (user, room)
) WITHOUT ROWID, STRICT`,
	`CREATE TABLE users (
  name TEXT PRIMARY KEY,
  folded TEXT NOT NULL,
  since INTEGER NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
	`CREATE UNIQUE INDEX users_folded ON users (folded)`,
	`CREATE TABLE sums ( -- tells when rows of a table are missing
  name TEXT PRIMARY KEY, -- of the table
  rows INTEGER NOT NULL, -- their number; of youngest: the pos up to which places and sent are complete
  total INTEGER NOT NULL -- of their CRCs
) WITHOUT ROWID, STRICT`,
}

// create makes the tables and the lobby in an empty database.
func create(c *conn, newEpoch func() string) error {
	return c.within("BEGIN EXCLUSIVE", func() error {
		pragmas := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, schemaVersion)
		if err := c.script(pragmas + strings.Join(schemas[schemaVersion-1], ";")); err != nil {
			return err
		}
		t := tally{}
		lobby := roomRow{n: 1, head: chat.Head{
			Room: chat.Lobby, Name: chat.Lobby, Kind: chat.LobbyRoom, Epoch: newEpoch(),
		}}
		t.add(inRooms, 0, lobby.crc())
		if err := insertRoom(c, &lobby); err != nil {
			return err
		}
		for _, name := range append(tallied, youngest) {
			if _, err := c.exec("INSERT INTO sums VALUES (?, ?, ?)", name, t[name].rows, t[name].total); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkSchema tells whether the database is one of this program's, with nothing changed in it, and
// gives its version, which may be an older one.
func checkSchema(c *conn) (version int64, err error) {
	id, err := pragma(c, "application_id")
	if err != nil {
		return 0, err
	}
	if id != applicationID {
		return 0, damagef("application_id is %#x, not Confab's %#x", id, applicationID)
	}
	if version, err = pragma(c, "user_version"); err != nil {
		return 0, err
	}
	if version > schemaVersion {
		return 0, chat.E(chat.Unavailable,
			"the data is of schema version %d, written by a newer confab; this one knows up to %d",
			version, schemaVersion)
	}
	if version < 1 {
		return 0, damagef("schema version %d does not exist", version)
	}
	var found []string
	err = c.each("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", func(r row) error {
		found = append(found, r.text(0))
		return nil
	})
	if err != nil {
		return 0, err
	}
	if strings.Join(found, ";") != strings.Join(schemas[version-1], ";") {
		return 0, damagef("the table definitions are not those of schema version %d", version)
	}
	return version, nil
}

// pragma reads a pragma that is one number.
func pragma(c *conn, name string) (int64, error) {
	r, err := c.one("PRAGMA " + name)
	if err != nil || r == nil {
		return 0, err
	}
	return r.int(0), nil
}

// The tables whose rows are tallied, as named in sums.
const (
	inRooms   = "rooms"
	inMembers = "members"
	inRemoved = "removed"
	inReads   = "reads"
	inUsers   = "users"
	inSent    = "sent"
	inPlaces  = "places"
	inLog     = "messages" // its number of rows is the last pos
)

// youngest is the row of sums that says up to which pos places and sent are complete.
const youngest = "youngest"

var tallied = []string{
	inRooms, inMembers, inRemoved, inReads, inUsers, inSent, inPlaces, inLog,
	inAccounts, inLinks, inLinkUses, inSessions, inAudit,
	inKept, inDisplays,
}

// sum is a number of rows and the total of their CRCs.
type sum struct{ rows, total int64 }

// tally is how much the sums of the tables change.
type tally map[string]sum

// add counts a row whose CRC was before and is now after; 0 is no row.
func (t tally) add(table string, before, after int64) {
	s := t[table]
	if before == 0 {
		s.rows++
	}
	if after == 0 {
		s.rows--
	}
	s.total += after - before
	t[table] = s
}

// flush writes the changes and forgets them.
func (t tally) flush(c *conn) error {
	for name, s := range t {
		if s == (sum{}) {
			continue
		}
		const update = "UPDATE sums SET rows = rows + ?, total = total + ? WHERE name = ?"
		changed, err := c.exec(update, s.rows, s.total, name)
		if err != nil {
			return err
		}
		if changed != 1 {
			return damagef("sums of %s are missing", name)
		}
	}
	clear(t)
	return nil
}
