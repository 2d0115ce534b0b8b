package sqlitestore

import (
	"context"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// accountRow is a row of accounts.
type accountRow struct {
	auth.Account
	key string // of the handle, as it was made when the account was
}

func (a *accountRow) crc() int64 {
	return content(nil).text(a.ID).text(a.Handle).text(a.key).text(a.Subject).
		num(uint64(flag(a.Owner))).num(uint64(flag(a.Disabled))).num(uint64(a.Since.UnixMilli())).crc()
}

const accountColumns = "id, handle, key, subject, owner, disabled, since, crc"

// scanAccount reads a row of accountColumns.
func scanAccount(r row) (accountRow, error) {
	a := accountRow{
		Account: auth.Account{
			ID: r.text(0), Handle: r.text(1), Subject: r.text(3), Owner: r.int(4) == 1,
			Disabled: r.int(5) == 1, Since: timeAt(r.int(6)),
		},
		key: r.text(2),
	}
	if a.crc() != r.int(7) {
		return a, damagef("the account %q fails its CRC", a.ID)
	}
	return a, nil
}

// The ways to one account.
const (
	accountByID      = "SELECT " + accountColumns + " FROM accounts WHERE id = ?"
	accountByKey     = "SELECT " + accountColumns + " FROM accounts WHERE key = ?"
	accountBySubject = "SELECT " + accountColumns +
		" FROM accounts WHERE subject = ? AND subject <> ''" // as the index has it
)

// readAccount reads the account that a query finds; found tells whether there is one.
func readAccount(c *conn, query, arg string) (a accountRow, found bool, err error) {
	r, err := c.one(query, arg)
	if err != nil || r == nil {
		return accountRow{}, false, err
	}
	a, err = scanAccount(r)
	return a, true, err
}

// PutAccount records an account: see auth.Sessions.
func (s *Store) PutAccount(ctx context.Context, a auth.Account) error {
	a.Since = timeAt(a.Since.UnixMilli())
	put := accountRow{Account: a, key: auth.HandleKey(a.Handle)}
	return s.write(ctx, "put account", &op{run: func(w *writer) error { return w.putAccount(&put) }})
}

func (w *writer) putAccount(a *accountRow) error {
	have, found, err := readAccount(w.conn, accountByID, a.ID)
	switch {
	case err != nil:
		return err
	case found && have.Account == a.Account:
		return nil
	case found:
		return chat.E(chat.Taken, "the id is in use")
	}
	if _, found, err = readAccount(w.conn, accountByKey, a.key); err != nil {
		return err
	}
	if found {
		return chat.E(chat.Taken, "the handle %s is taken, or too much like one that is", a.Handle)
	}
	if _, found, err = readAccount(w.conn, accountBySubject, a.Subject); err != nil {
		return err
	}
	if found {
		return chat.E(chat.Taken, "this identity has an account")
	}
	_, err = w.conn.exec("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID, a.Handle, a.key, a.Subject, flag(a.Owner), flag(a.Disabled), a.Since.UnixMilli(), a.crc())
	if err != nil {
		return err
	}
	w.tally.add(inAccounts, 0, a.crc())
	return nil
}

// SetAccount changes what an account may: see auth.Sessions.
func (s *Store) SetAccount(
	ctx context.Context, id string, c auth.AccountChange,
) (a auth.Account, err error) {
	err = s.write(ctx, "set account", &op{run: func(w *writer) (err error) {
		a, err = w.setAccount(id, c)
		return err
	}})
	if err != nil {
		return auth.Account{}, err
	}
	return a, nil
}

func (w *writer) setAccount(id string, c auth.AccountChange) (auth.Account, error) {
	a, found, err := readAccount(w.conn, accountByID, id)
	if err != nil {
		return auth.Account{}, err
	}
	if !found {
		return auth.Account{}, noAccount()
	}
	before := a.crc()
	a.Account = c.Apply(a.Account)
	_, err = w.conn.exec("UPDATE accounts SET owner = ?, disabled = ?, crc = ? WHERE id = ?",
		flag(a.Owner), flag(a.Disabled), a.crc(), id)
	if err != nil {
		return auth.Account{}, err
	}
	w.tally.add(inAccounts, before, a.crc())
	return a.Account, nil
}

func noAccount() error { return chat.E(chat.NotFound, "no such account") }

// Account finds an account by its id: see auth.Sessions.
func (s *Store) Account(ctx context.Context, id string) (auth.Account, error) {
	return s.account(ctx, "account", accountByID, id)
}

// AccountByHandle finds an account by a spelling of its handle: see auth.Sessions.
func (s *Store) AccountByHandle(ctx context.Context, handle string) (auth.Account, error) {
	return s.account(ctx, "account by handle", accountByKey, auth.HandleKey(handle))
}

// AccountBySubject finds an account by what an issuer says of it: see auth.Sessions.
func (s *Store) AccountBySubject(ctx context.Context, subject string) (auth.Account, error) {
	return s.account(ctx, "account by subject", accountBySubject, subject)
}

func (s *Store) account(ctx context.Context, op, query, arg string) (a auth.Account, err error) {
	err = s.read(ctx, op, func(c *conn) error {
		row, found, err := readAccount(c, query, arg)
		if err == nil && !found {
			err = noAccount()
		}
		a = row.Account
		return err
	})
	if err != nil {
		return auth.Account{}, err
	}
	return a, nil
}

// Accounts lists accounts: see auth.Sessions.
func (s *Store) Accounts(
	ctx context.Context, after string, limit int,
) (list []auth.Account, more bool, err error) {
	err = s.read(ctx, "accounts", func(c *conn) error {
		return c.each("SELECT "+accountColumns+" FROM accounts WHERE key > ? ORDER BY key LIMIT ?",
			func(r row) error {
				a, err := scanAccount(r)
				list = append(list, a.Account)
				return err
			}, auth.HandleKey(after), int64(limit)+1)
	})
	if err != nil {
		return nil, false, err
	}
	list, more = page(limit, list)
	return list, more, nil
}
