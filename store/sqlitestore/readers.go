package sqlitestore

import (
	"context"
	"errors"
	"runtime"

	"github.com/confab-chat/confab/chat"
)

// readerPragmas are those of a connection that only reads. cache_size is in KiB.
var readerPragmas = []string{
	"query_only=ON", "cache_size=-4096", "temp_store=MEMORY", "cell_size_check=ON", "trusted_schema=OFF",
	"busy_timeout=5000",
}

// readers is a small pool of connections that only read.
type readers struct {
	file string
	pool chan *conn // holds a nil for each connection that is not open yet
}

func newReaders(file string) readers {
	n := max(4, runtime.NumCPU())
	r := readers{file: file, pool: make(chan *conn, n)}
	for range n {
		r.pool <- nil
	}
	return r
}

// with runs f on a connection that it waits for.
func (r *readers) with(ctx context.Context, f func(*conn) error) error {
	var c *conn
	var open bool
	select {
	case c, open = <-r.pool:
		if !open {
			return chat.E(chat.Unavailable, "the store is closed")
		}
	case <-ctx.Done():
		return chat.Wrap(chat.Unavailable, "", ctx.Err())
	}
	defer func() { r.pool <- c }()
	if c == nil {
		var err error
		if c, err = connect(uri(r.file, "mode=ro"), readerPragmas...); err != nil {
			return err
		}
	}
	return f(c)
}

// close waits for the reads under way and closes the connections.
func (r *readers) close() error {
	var errs []error
	for range cap(r.pool) {
		if c := <-r.pool; c != nil {
			errs = append(errs, c.close())
		}
	}
	close(r.pool)
	return errors.Join(errs...)
}
