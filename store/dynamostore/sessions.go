package dynamostore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// readSession reads a session's item; nil where there is none, or one that is over at now.
func (o *op) readSession(h auth.Hash, it item, now time.Time) (*auth.Session, error) {
	if it == nil {
		return nil, nil
	}
	r := row{it: it}
	n := &auth.Session{
		Hash: h, Account: r.str(attrAccount), Device: r.str(attrDevice),
		Made: r.time(attrAt), Used: r.time(attrUsed), Until: r.time(attrUntil),
	}
	if err := r.err(o.Table); err != nil || !now.Before(n.Ends()) {
		return nil, err
	}
	return n, nil
}

// liveSession reads a session; one that is over is NotFound.
func (o *op) liveSession(ctx context.Context, h auth.Hash, now time.Time) (*auth.Session, error) {
	it, err := o.get(ctx, sessionKey(h))
	if err != nil {
		return nil, err
	}
	n, err := o.readSession(h, it, now)
	if err == nil && n == nil {
		return nil, noSession()
	}
	return n, err
}

func noSession() error { return chat.E(chat.NotFound, "this session is over") }

// PutSession implements auth.Sessions. Its writes are, in this order: the account's list, where one
// without the other does not count; the session. Where several are put at the same time there may
// be some more than auth.MaxSessions.
func (s *Store) PutSession(ctx context.Context, n auth.Session, now time.Time) error {
	return s.do(ctx, "put session", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, sessionKey(n.Hash))
		if err != nil || it != nil {
			return err
		}
		live, err := o.liveSessions(ctx, n.Account, now)
		if err != nil {
			return err
		}
		if len(live) >= auth.MaxSessions {
			return chat.E(chat.Limited, "%d devices are signed in; sign one out first", len(live))
		}
		listed := accountSessionKey(n.Account, n.Hash).item()
		listed[attrExpiry] = expiry(n.Until)
		if _, _, err := o.put(ctx, listed, change{}); err != nil {
			return err
		}
		it = sessionKey(n.Hash).item()
		it[attrAccount] = str(n.Account)
		setStr(it, attrDevice, n.Device)
		it[attrAt], it[attrUsed], it[attrUntil] = millis(n.Made), millis(n.Used), millis(n.Until)
		it[attrExpiry] = expiry(n.Ends())
		_, _, err = o.putIfAbsent(ctx, it)
		return err
	})
}

// liveSessions reads the live sessions of an account, the one used last first.
func (o *op) liveSessions(
	ctx context.Context, account string, now time.Time,
) (list []auth.Session, err error) {
	var hashes []auth.Hash
	var keys []key
	for it, err := range o.query(ctx, prefixed(accountPK(account), sessionPrefix, ""), querying{}) {
		if err != nil {
			return nil, err
		}
		r := row{it: item{skName: str(strings.TrimPrefix(keyOf(it).sk, sessionPrefix))}}
		h := r.hash(skName)
		if r.bad != "" {
			return nil, damaged(o.Table, keyOf(it), "its key is malformed")
		}
		hashes, keys = append(hashes, h), append(keys, sessionKey(h))
	}
	found, err := o.getAll(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i, h := range hashes {
		n, err := o.readSession(h, found[keys[i]], now)
		if err != nil {
			return nil, err
		}
		if n != nil {
			list = append(list, *n)
		}
	}
	slices.SortFunc(list, func(a, b auth.Session) int {
		return cmp.Or(b.Used.Compare(a.Used), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

// Session implements auth.Sessions.
func (s *Store) Session(
	ctx context.Context, h auth.Hash, now time.Time,
) (n auth.Session, err error) {
	err = s.do(ctx, "session", func(ctx context.Context, o *op) error {
		found, err := o.liveSession(ctx, h, now)
		if err == nil {
			n = *found
		}
		return err
	})
	return n, err
}

// RenewSession implements auth.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, h auth.Hash, now time.Time,
) (n auth.Session, err error) {
	err = s.do(ctx, "renew session", func(ctx context.Context, o *op) error {
		found, err := o.liveSession(ctx, h, now)
		if err == nil && now.After(found.Used) {
			found, err = o.renew(ctx, found, now)
		}
		if err == nil {
			n = *found
		}
		return err
	})
	return n, err
}

// renew sets when a session was used, and gives it as it is then.
func (o *op) renew(
	ctx context.Context, n *auth.Session, now time.Time,
) (*auth.Session, error) {
	renewed := *n
	renewed.Used = now
	it, _, err := o.update(ctx, sessionKey(n.Hash), change{
		update: "SET ud = :now, x = :end",
		when:   exists + " AND ud < :now", // else somebody was faster
		values: item{":now": millis(now), ":end": expiry(renewed.Ends())},
	})
	if err != nil {
		return nil, err
	}
	after, err := o.readSession(n.Hash, it, now)
	if err == nil && after == nil {
		return nil, noSession()
	}
	return after, err
}

// SessionsOf implements auth.Sessions.
func (s *Store) SessionsOf(
	ctx context.Context, account string, now time.Time,
) (list []auth.Session, err error) {
	err = s.do(ctx, "sessions of", func(ctx context.Context, o *op) error {
		list, err = o.liveSessions(ctx, account, now)
		return err
	})
	return list, err
}

// DropSession implements auth.Sessions. Its writes are, in this order: the session, which decides,
// and the account's list.
func (s *Store) DropSession(ctx context.Context, h auth.Hash) error {
	return s.do(ctx, "drop session", func(ctx context.Context, o *op) error {
		old, _, err := o.delete(ctx, sessionKey(h), change{})
		if err != nil || old == nil {
			return err
		}
		r := row{it: old}
		_, _, err = o.delete(ctx, accountSessionKey(r.str(attrAccount), h), change{})
		return err
	})
}
