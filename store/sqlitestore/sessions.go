package sqlitestore

import (
	"context"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// sweepSessions is how many sessions that have ended a new one removes at most.
const sweepSessions = 8

// sessionRow is a row of sessions.
type sessionRow struct{ auth.Session }

func (n *sessionRow) crc() int64 {
	return content(nil).text(n.Hash.String()).text(n.Account).text(n.Device).
		num(uint64(n.Made.UnixMilli())).num(uint64(n.Used.UnixMilli())).
		num(uint64(n.Until.UnixMilli())).crc()
}

const sessionColumns = "hash, account, device, made, used, until, crc"

// scanSession reads a row of sessionColumns.
func scanSession(r row) (sessionRow, error) {
	h, ok := hashIn(r.text(0))
	n := sessionRow{auth.Session{
		Hash: h, Account: r.text(1), Device: r.text(2),
		Made: timeAt(r.int(3)), Used: timeAt(r.int(4)), Until: timeAt(r.int(5)),
	}}
	if !ok || n.crc() != r.int(6) {
		return n, damagef("the session %s of the account %q fails its CRC", h.ID(), n.Account)
	}
	return n, nil
}

// readSession reads a session; found tells whether there is one.
func readSession(c *conn, h auth.Hash) (n sessionRow, found bool, err error) {
	r, err := c.one("SELECT "+sessionColumns+" FROM sessions WHERE hash = ?", h.String())
	if err != nil || r == nil {
		return sessionRow{}, false, err
	}
	n, err = scanSession(r)
	return n, true, err
}

// liveSession reads a session that is live, else NotFound.
func liveSession(c *conn, h auth.Hash, now time.Time) (sessionRow, error) {
	n, found, err := readSession(c, h)
	if err == nil && (!found || !now.Before(n.Ends())) {
		err = chat.E(chat.NotFound, "this session is over")
	}
	return n, err
}

// liveSessions reads the live sessions of an account, the one used last first.
func liveSessions(c *conn, account string, now time.Time) (list []auth.Session, err error) {
	err = c.each("SELECT "+sessionColumns+" FROM sessions WHERE account = ? ORDER BY used DESC, hash",
		func(r row) error {
			n, err := scanSession(r)
			if now.Before(n.Ends()) {
				list = append(list, n.Session)
			}
			return err
		}, account)
	return list, err
}

// PutSession records a session: see auth.Sessions.
func (s *Store) PutSession(ctx context.Context, n auth.Session, now time.Time) error {
	put := sessionRow{n}
	return s.write(ctx, "put session", &op{run: func(w *writer) error {
		return w.putSession(&put, now)
	}})
}

func (w *writer) putSession(n *sessionRow, now time.Time) error {
	_, found, err := readSession(w.conn, n.Hash)
	if err != nil || found {
		return err
	}
	live, err := liveSessions(w.conn, n.Account, now)
	if err != nil {
		return err
	}
	if len(live) >= auth.MaxSessions {
		return chat.E(chat.Limited, "%d devices are signed in; sign one out first", len(live))
	}
	if err := w.forgetSessions(now); err != nil {
		return err
	}
	_, err = w.conn.exec("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
		n.Hash.String(), n.Account, n.Device,
		n.Made.UnixMilli(), n.Used.UnixMilli(), n.Until.UnixMilli(), n.crc())
	if err != nil {
		return err
	}
	w.tally.add(inSessions, 0, n.crc())
	return nil
}

// forgetSessions removes some of the sessions that have not been used for too long: in the end each
// that is over is one of them.
func (w *writer) forgetSessions(now time.Time) error {
	var idle []sessionRow
	err := w.conn.each("SELECT "+sessionColumns+" FROM sessions WHERE used <= ? ORDER BY used LIMIT ?",
		func(r row) error {
			n, err := scanSession(r)
			idle = append(idle, n)
			return err
		}, now.Add(-auth.SessionIdle).UnixMilli(), int64(sweepSessions))
	if err != nil {
		return err
	}
	for i := range idle {
		if err := w.deleteSession(&idle[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) deleteSession(n *sessionRow) error {
	if _, err := w.conn.exec("DELETE FROM sessions WHERE hash = ?", n.Hash.String()); err != nil {
		return err
	}
	w.tally.add(inSessions, n.crc(), 0)
	return nil
}

// Session finds a live session: see auth.Sessions.
func (s *Store) Session(ctx context.Context, h auth.Hash, now time.Time) (auth.Session, error) {
	var n sessionRow
	err := s.read(ctx, "session", func(c *conn) (err error) {
		n, err = liveSession(c, h, now)
		return err
	})
	if err != nil {
		return auth.Session{}, err
	}
	return n.Session, nil
}

// RenewSession records that a session is used: see auth.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, h auth.Hash, now time.Time,
) (auth.Session, error) {
	var n sessionRow
	err := s.write(ctx, "renew session", &op{run: func(w *writer) (err error) {
		n, err = w.renewSession(h, now)
		return err
	}})
	if err != nil {
		return auth.Session{}, err
	}
	return n.Session, nil
}

func (w *writer) renewSession(h auth.Hash, now time.Time) (sessionRow, error) {
	n, err := liveSession(w.conn, h, now)
	if err != nil || now.UnixMilli() <= n.Used.UnixMilli() {
		return n, err
	}
	before := n.crc()
	n.Used = timeAt(now.UnixMilli())
	_, err = w.conn.exec("UPDATE sessions SET used = ?, crc = ? WHERE hash = ?",
		n.Used.UnixMilli(), n.crc(), h.String())
	if err != nil {
		return n, err
	}
	w.tally.add(inSessions, before, n.crc())
	return n, nil
}

// SessionsOf lists the live sessions of an account: see auth.Sessions.
func (s *Store) SessionsOf(
	ctx context.Context, account string, now time.Time,
) (list []auth.Session, err error) {
	err = s.read(ctx, "sessions of", func(c *conn) error {
		list, err = liveSessions(c, account, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// DropSession ends a session: see auth.Sessions.
func (s *Store) DropSession(ctx context.Context, h auth.Hash) error {
	return s.write(ctx, "drop session", &op{run: func(w *writer) error {
		n, found, err := readSession(w.conn, h)
		if err != nil || !found {
			return err
		}
		return w.deleteSession(&n)
	}})
}
