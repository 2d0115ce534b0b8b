package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
)

// conn is one SQLite connection with its prepared statements, for one goroutine at a time. It
// uses the driver without database/sql, whose pooling and conversions cost as much as an insert.
type conn struct {
	db    driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
}

// row is one row of a result. Its accessors give the zero value where a damaged file has a value
// of another type: the row's CRC then tells.
type row []driver.Value

func (r row) int(i int) int64 {
	n, _ := r[i].(int64)
	return n
}

func (r row) uint(i int) uint64 { return uint64(r.int(i)) }

func (r row) text(i int) string {
	s, _ := r[i].(string)
	return s
}

func (r row) blob(i int) []byte {
	b, _ := r[i].([]byte)
	return b
}

// uri gives the file: URI of a database for SQLite, whose query holds SQLite's own parameters.
func uri(file, query string) string {
	path := filepath.ToSlash(file)
	if filepath.VolumeName(file) != "" {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	return u.String()
}

// connect opens a connection and runs the pragmas on it.
func connect(uri string, pragmas ...string) (*conn, error) {
	connector, err := sqlite.NewConnector(uri)
	if err != nil {
		return nil, err
	}
	db, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	c := &conn{db: db, stmts: make(map[string]driver.Stmt)}
	for _, pragma := range pragmas {
		if err := c.script("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// prepared gives the statement of a query, which is prepared once.
func (c *conn) prepared(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.db.Prepare(query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// bind gives the arguments in the driver's form; they are valid until the next call.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs a statement and gives the number of rows it changed. Arguments are int64, string, nil
// or []byte.
func (c *conn) exec(query string, args ...any) (changed int64, err error) {
	s, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// script runs statements that are not worth preparing.
func (c *conn) script(sql string) error {
	_, err := c.db.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return err
}

// each calls f with each row of a query until there are none or f fails. The row is f's only
// until it returns; its strings and byte slices stay.
func (c *conn) each(query string, f func(row) error, args ...any) (err error) {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	r := make(row, len(rows.Columns()))
	for {
		switch err := rows.Next(r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f(r); err != nil {
			return err
		}
	}
}

// one gives the only row of a query, nil if there is none.
func (c *conn) one(query string, args ...any) (row, error) {
	var found row
	err := c.each(query, func(r row) error {
		found = append(found, r...)
		return nil
	}, args...)
	return found, err
}

// within runs f in a transaction, which is rolled back if f fails.
func (c *conn) within(begin string, f func() error) error {
	if _, err := c.exec(begin); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil {
		c.rollback()
	}
	return err
}

// rollback ends a transaction that failed. Where SQLite has rolled back already it says that
// there is none, which is as good.
func (c *conn) rollback() { _, _ = c.exec("ROLLBACK") }

// written gives how many pages commits have put into the write-ahead log since the last call.
func (c *conn) written() int {
	pages, _, err := c.db.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
	if err != nil {
		return 0 // it is only given for a counter that does not exist
	}
	return pages
}

// close closes the statements and the connection.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	c.stmts = nil
	return errors.Join(append(errs, c.db.Close())...)
}
