package sqlitestore

import (
	"errors"
)

// smallTable is how many rows of a table Open looks at before it returns; larger ones are looked at
// in the background. It takes about 2 µs a row.
const smallTable = 50_000

// verified is a table whose rows are tallied in sums: they tell of a row that damage has hidden.
type verified struct {
	name    string
	columns string
	indexes []index                          // other ways to the same rows
	crc     func(row) (crc int64, err error) // checks a row and gives its CRC
	since   int64                            // the version that has it first; 0: all have
}

// index is an index of a table.
type index struct {
	name  string
	where string // the condition of a partial one, as "kind = 2"
}

// crcOf checks a row and gives its CRC, which is the last column.
func crcOf[T any](scan func(row) (T, error)) func(row) (int64, error) {
	return func(r row) (int64, error) {
		_, err := scan(r)
		return r.int(len(r) - 1), err
	}
}

var verifiedTables = []verified{
	{
		name: inRooms, columns: roomColumns, crc: crcOf(scanRoom),
		indexes: []index{{"rooms_public", "kind = 2"}},
	},
	{
		name: inMembers, columns: memberColumns, crc: crcOf(scanMember),
		indexes: []index{{"members_user", ""}},
	},
	{name: inRemoved, columns: removedColumns, crc: crcOf(scanRemoved)},
	{name: inReads, columns: readColumns, crc: crcOf(scanRead)},
	{
		name: inUsers, columns: userColumns, crc: crcOf(scanUser),
		indexes: []index{{"users_folded", ""}},
	},
	{name: inSent, columns: sentColumns, crc: crcOf(scanSent)},
	{name: inPlaces, columns: placesColumns, crc: crcOf(scanPlaces)},
	{
		name: inAccounts, columns: accountColumns, crc: crcOf(scanAccount),
		indexes: []index{{"accounts_key", ""}, {"accounts_subject", "subject <> ''"}},
	},
	{name: inLinks, columns: linkColumns, crc: crcOf(scanLink)},
	{name: inLinkUses, columns: useColumns, crc: crcOf(scanUse)},
	{
		name: inSessions, columns: sessionColumns, crc: crcOf(scanSession),
		indexes: []index{{"sessions_account", ""}, {"sessions_used", ""}},
	},
	{name: inAudit, columns: entryColumns, crc: crcOf(scanEntry)},
	{name: inKept, columns: keptColumns, crc: crcOf(scanKept), since: 2},
	{name: inDisplays, columns: displayColumns, crc: crcOf(scanDisplay), since: 2},
}

// readSum reads how many rows a table has and the total of their CRCs.
func readSum(c *conn, table string) (sum, error) {
	r, err := c.one("SELECT rows, total FROM sums WHERE name = ?", table)
	if err != nil {
		return sum{}, err
	}
	if r == nil {
		return sum{}, damagef("the sums of %s are missing", table)
	}
	return sum{r.int(0), r.int(1)}, nil
}

// verify checks the rows of a table, by each way to them. It wants a transaction.
func (t *verified) verify(c *conn, stop func() error) error {
	want, err := readSum(c, t.name)
	if err != nil {
		return err
	}
	if err := t.compare(c, "NOT INDEXED", want, stop); err != nil {
		return err
	}
	for _, i := range t.indexes {
		way, expected := "INDEXED BY "+i.name, want
		if i.where != "" {
			way += " WHERE " + i.where
			// The plus keeps SQLite from using the index for this too: NOT INDEXED does not.
			if expected, err = t.total(c, "NOT INDEXED WHERE +"+i.where, stop); err != nil {
				return err
			}
		}
		if err := t.compare(c, way, expected, stop); err != nil {
			return err
		}
	}
	return nil
}

// compare tells whether all rows are there that a way leads to.
func (t *verified) compare(c *conn, way string, want sum, stop func() error) error {
	got, err := t.total(c, way, stop)
	if err == nil && got != want {
		err = damagef("%s (%s) has %d rows with a CRC of %d in all, and should have %d with %d",
			t.name, way, got.rows, got.total, want.rows, want.total)
	}
	return err
}

// total reads the rows that a way leads to.
func (t *verified) total(c *conn, way string, stop func() error) (sum, error) {
	var got sum
	err := c.each("SELECT "+t.columns+" FROM "+t.name+" "+way, func(r row) error {
		crc, err := t.crc(r)
		if err != nil {
			return err
		}
		got.rows++
		got.total += crc
		if got.rows%1024 == 0 {
			return stop()
		}
		return nil
	})
	return got, err
}

// never is the stop of a scan that is not stopped.
func never() error { return nil }

// verifyTables checks those tables whose number of rows is wanted.
func verifyTables(c *conn, stop func() error, wanted func(rows int64) bool) error {
	return c.within("BEGIN", func() error {
		for i := range verifiedTables {
			t := &verifiedTables[i]
			s, err := readSum(c, t.name)
			if err == nil && wanted(s.rows) {
				err = t.verify(c, stop)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// errStopped ends a scan when the store is closed.
var errStopped = errors.New("stopped")

// verifyLarge checks the large tables, on a connection of its own, and reads the keys of sent for the
// writer, and who is there, if they are wanted.
func (s *Store) verifyLarge(keys, names bool) {
	stop := func() error {
		select {
		case <-s.end:
			return errStopped
		default:
			return nil
		}
	}
	c, err := connect(uri(s.file, "mode=ro"), readerPragmas...)
	if err == nil {
		err = verifyTables(c, stop, func(rows int64) bool { return rows > s.small })
		if err == nil && keys {
			err = s.loadRecent(c, stop)
		}
		if err == nil && names {
			err = s.loadManyPeople(c, stop)
		}
		err = errors.Join(err, c.close())
	}
	switch {
	case err == nil, errors.Is(err, errStopped), s.failed() != nil:
	case classify(err) == damaged:
		_ = s.fail(corrupt("open", s.file, err)) // it is logged there
	default:
		s.log.Warn("the tables were not checked", "error", err)
	}
}
