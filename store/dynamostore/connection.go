package dynamostore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/chat"
)

// connection is a chat.Connection as it is stored, live or closed.
type connection struct {
	chat.Connection
	seen   time.Time // the last action
	window int64     // the rate window, counted from 1970
	count  int       // actions in it
	closer string    // of a tombstone: the call that closed it
}

// fields writes what every item of a connection has.
func fields(it item, c chat.Connection) {
	setStr(it, attrDialect, c.Dialect)
	setStr(it, attrEndpoint, c.Endpoint)
	it[attrAt] = millis(c.ConnectedAt)
	setTime(it, attrNamed, c.NamedAt)
	setTime(it, attrUntil, c.Until)
	setStr(it, attrSession, c.Session)
}

// readFields reads what every item of a connection has.
func readFields(r *row, id, user string) chat.Connection {
	return chat.Connection{
		ID: id, User: user, Dialect: r.str(attrDialect), Endpoint: r.str(attrEndpoint),
		ConnectedAt: r.time(attrAt), NamedAt: r.time(attrNamed), Until: r.time(attrUntil),
		Session: r.str(attrSession),
	}
}

// readConnection reads a connection's item; nil where there is none, or only what has expired.
func (o *op) readConnection(it item) (*connection, error) {
	r := row{it: it}
	if it == nil || r.expired(o.Now()) {
		return nil, nil
	}
	c := &connection{
		Connection: readFields(&r, r.str(skName), r.str(attrUser)),
		seen:       r.time(attrSeen), window: r.int(attrWindow), count: int(r.uint(attrCount)),
		closer: r.str(attrClosed),
	}
	c.Hello = r.has(attrHello)
	return c, r.err(o.Table)
}

// lapsed tells whether the lease is over at now.
func (s *Store) lapsed(c *connection, now time.Time) bool {
	lease := s.SilentLease
	if c.Hello {
		lease = s.Lease
	}
	return now.Sub(c.seen) >= lease
}

// live tells whether a connection is one at now; nil is none.
func (s *Store) live(c *connection, now time.Time) bool {
	return c != nil && c.closer == "" && !s.lapsed(c, now) && !past(c.Until, now)
}

// past tells whether until is over at now; zero never is.
func past(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

// isLive is the condition of a write that live holds at now.
func (s *Store) isLive(now time.Time) (when string, values item) {
	return exists + " AND attribute_not_exists(cl) AND x > :sec" +
			" AND (s > :lease OR attribute_not_exists(hi) AND s > :silent)" +
			" AND (attribute_not_exists(un) OR un > :now)",
		item{
			":sec": num(now.Unix()), ":now": millis(now),
			":lease": millis(now.Add(-s.Lease)), ":silent": millis(now.Add(-s.SilentLease)),
		}
}

// rowTTL is how long after its last action a connection's item is kept: it outlives every lease,
// so that the sweep finds it.
const rowTTL = 24 * time.Hour

// liveConnection reads a connection; one that is not live is NotFound.
func (o *op) liveConnection(ctx context.Context, id string) (*connection, error) {
	it, err := o.get(ctx, connectionKey(id))
	if err != nil {
		return nil, err
	}
	c, err := o.readConnection(it)
	if err == nil && !o.live(c, o.Now()) {
		return nil, noConnection(id)
	}
	return c, err
}

func noConnection(id string) error { return chat.E(chat.NotFound, "no open connection %s", id) }

// Get implements chat.Connections.
func (s *Store) Get(ctx context.Context, id string) (c chat.Connection, err error) {
	err = s.do(ctx, "get connection", func(ctx context.Context, o *op) error {
		found, err := o.liveConnection(ctx, id)
		if err == nil {
			c = found.Connection
		}
		return err
	})
	return c, err
}

// rateWindow is the time over which actions are counted.
const rateWindow = 10 * time.Second

// Touch implements chat.Connections. It is one write, and a second one where a rate window begins with
// an action that was not expected to begin one, or a heartbeat comes in a window that has begun.
func (s *Store) Touch(
	ctx context.Context, id string, now time.Time, p chat.Pulse,
) (row chat.Connection, err error) {
	err = s.do(ctx, "touch", func(ctx context.Context, o *op) error {
		c, err := o.touch(ctx, id, now, p)
		if err != nil {
			return err
		}
		row = c.Connection
		row.Excess = max(0, c.count-s.allowed())
		if row.Excess == 0 {
			return nil
		}
		end := time.UnixMilli((c.window + 1) * rateWindow.Milliseconds())
		return &chat.Error{
			Kind: chat.Limited, Op: "touch", Message: "too many actions", RetryAfter: end.Sub(now),
		}
	})
	return row, err
}

// allowed is how many actions a window takes.
func (s *Store) allowed() int { return max(s.Burst, s.Rate*int(rateWindow/time.Second)) }

// touch renews the lease and counts one action. DynamoDB bills a write that its condition refuses, so
// that the likelier one of the two is tried first.
func (o *op) touch(
	ctx context.Context, id string, now time.Time, p chat.Pulse,
) (*connection, error) {
	when, values := o.isLive(now)
	set := "SET s = :now, x = :end"
	values[":end"] = expiry(now.Add(rowTTL))
	if p == chat.Greets {
		set += ", hi = :yes"
		values[":yes"] = yes()
	}
	values[":window"] = num(now.UnixMilli() / rateWindow.Milliseconds())
	values[":one"] = num(1)
	likely := change{update: set + " ADD c :one", when: when + " AND w = :window", values: values}
	other := change{
		update: set + ", w = :window, c = :one", when: when + " AND w <> :window", values: values,
	}
	if p != chat.Acts { // the first of a connection, or minutes after the last
		likely, other = other, likely
	}
	for {
		it, done, err := o.update(ctx, connectionKey(id), likely)
		if err == nil && !done {
			var c *connection
			if c, err = o.readConnection(it); err == nil && !o.live(c, now) {
				return nil, noConnection(id)
			}
			it, done, err = o.update(ctx, connectionKey(id), other)
		}
		if err != nil {
			return nil, err
		}
		if done {
			return o.readConnection(it)
		}
	}
}

// Typed implements chat.Connections.
func (s *Store) Typed(ctx context.Context, user string, now time.Time) (due bool, err error) {
	err = s.do(ctx, "typed", func(ctx context.Context, o *op) (err error) {
		_, due, err = o.update(ctx, typingKey(user), change{
			update: "SET a = :now, x = :end",
			when:   "attribute_not_exists(a) OR a <= :before",
			values: item{
				":now": millis(now), ":before": millis(now.Add(-chat.TypingEvery)),
				":end": expiry(now.Add(time.Hour)),
			},
		})
		return err
	})
	return due, err
}
