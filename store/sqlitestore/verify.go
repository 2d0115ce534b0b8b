package sqlitestore

import (
	"errors"
)

// smallTable is how many rows of a table Open looks at before it returns; larger ones are looked at
// in the background. It takes about 2 µs a row.
const smallTable = 50_000

// A table of rows that are tallied in sums: a row that damage has hidden is told by them.
type verified struct {
	name    string
	columns string
	order   string                           // the primary key
	indexes []string                         // other ways to the same rows, and a condition for partial ones
	crc     func(row) (crc int64, err error) // checks a row's CRC
}

// crcOf checks a row and gives its CRC, which is the last column.
func crcOf[T any](scan func(row) (T, error)) func(row) (int64, error) {
	return func(r row) (int64, error) {
		_, err := scan(r)
		return r.int(len(r) - 1), err
	}
}

var verifiedTables = []verified{
	{inRooms, roomColumns, "room", nil, crcOf(scanRoom)},
	{inMembers, memberColumns, "room, user", []string{"members_user"}, crcOf(scanMember)},
	{inRemoved, removedColumns, "room, user", nil, crcOf(scanRemoved)},
	{inReads, readColumns, "user, room", nil, crcOf(scanRead)},
	{inUsers, userColumns, "name", []string{"users_folded"}, crcOf(scanUser)},
	{inSent, sentColumns, "key", nil, crcOf(scanSent)},
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
	for _, by := range append([]string{""}, t.indexes...) {
		query := "SELECT " + t.columns + " FROM " + t.name
		if by == "" {
			query += " NOT INDEXED"
		} else {
			query += " INDEXED BY " + by
		}
		got, err := t.total(c, query, by, stop)
		if err != nil {
			return err
		}
		if got != want {
			return damagef("%s has %d rows %s, and should have %d", t.name, got.rows, by, want.rows)
		}
	}
	return nil
}

// total reads the rows of a query.
func (t *verified) total(c *conn, query, by string, stop func() error) (sum, error) {
	var got sum
	if by != "" {
		query += " ORDER BY " + indexOrder[by]
	}
	err := c.each(query, func(r row) error {
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

var indexOrder = map[string]string{"members_user": "user, room", "users_folded": "folded"}

// never is the stop of a scan that is not stopped.
func never() error { return nil }

// verifySmall checks the small tables before the store is used.
func verifySmall(c *conn) error {
	return verifyTables(c, never, func(rows int64) bool { return rows <= smallTable })
}

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

// verifyLarge checks the large tables, on a connection of its own.
func (s *Store) verifyLarge() {
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
		err = verifyTables(c, stop, func(rows int64) bool { return rows > smallTable })
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
