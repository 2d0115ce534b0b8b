package dynamostore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// account is an auth.Account as it is stored. It is one when it is not pending any more: then its
// handle and its subject have its claim, and keep it.
type account struct {
	auth.Account
	claim   string    // random, of the attempt that wrote it
	pending time.Time // when that began; zero: it is done
}

// item writes an account's item.
func (a *account) item() item {
	it := accountKey(a.ID).item()
	it[attrHandle] = str(a.Handle)
	setStr(it, attrSubject, a.Subject)
	it[attrIsOwner], it[attrDisabled] = flag(a.Owner), flag(a.Disabled)
	it[attrAt] = millis(a.Since)
	it[attrClaim] = str(a.claim)
	setTime(it, attrPending, a.pending)
	return it
}

// readAccount reads an account's item, also a pending one; nil where there is none.
func (o *op) readAccount(id string, it item) (*account, error) {
	if it == nil {
		return nil, nil
	}
	r := row{it: it}
	a := &account{
		Account: auth.Account{
			ID: id, Handle: r.str(attrHandle), Subject: r.str(attrSubject),
			Owner: r.flag(attrIsOwner), Disabled: r.flag(attrDisabled), Since: r.time(attrAt),
		},
		claim: r.str(attrClaim), pending: r.time(attrPending),
	}
	return a, r.err(o.Table)
}

// done tells that an account is one; nil is none.
func (a *account) done() bool { return a != nil && a.pending.IsZero() }

// account reads an account, also a pending one; nil where there is none.
func (o *op) account(ctx context.Context, id string) (*account, error) {
	it, err := o.get(ctx, accountKey(id))
	if err != nil {
		return nil, err
	}
	return o.readAccount(id, it)
}

// owner is what the item of a handle or a subject says: whose it is, if that account has the claim.
type owner struct{ id, claim string }

func (o *op) readOwner(it item) (owner, error) {
	r := row{it: it}
	return owner{r.str(attrAccount), r.str(attrClaim)}, r.err(o.Table)
}

// is tells whether an account is one, and the owner that an item names.
func (w owner) is(a *account) bool { return a.done() && a.ID == w.id && a.claim == w.claim }

// accountBy finds the account to which a handle or a subject leads; nil where there is none.
func (o *op) accountBy(ctx context.Context, k key) (*account, error) {
	it, err := o.get(ctx, k)
	if err != nil || it == nil {
		return nil, err
	}
	named, err := o.readOwner(it)
	if err != nil {
		return nil, err
	}
	a, err := o.account(ctx, named.id)
	if err != nil || !named.is(a) {
		return nil, err
	}
	return a, nil
}

func noAccount() error { return chat.E(chat.NotFound, "no such account") }

// found turns a read of an account into an answer.
func (s *Store) found(
	ctx context.Context, name string, read func(context.Context, *op) (*account, error),
) (a auth.Account, err error) {
	err = s.do(ctx, name, func(ctx context.Context, o *op) error {
		found, err := read(ctx, o)
		if err != nil {
			return err
		}
		if !found.done() {
			return noAccount()
		}
		a = found.Account
		return nil
	})
	return a, err
}

// Account implements auth.Sessions.
func (s *Store) Account(ctx context.Context, id string) (auth.Account, error) {
	return s.found(ctx, "account", func(ctx context.Context, o *op) (*account, error) {
		return o.account(ctx, id)
	})
}

// AccountByHandle implements auth.Sessions.
func (s *Store) AccountByHandle(ctx context.Context, handle string) (auth.Account, error) {
	return s.found(ctx, "account by handle", func(ctx context.Context, o *op) (*account, error) {
		if auth.HandleKey(handle) == "" {
			return nil, nil
		}
		return o.accountBy(ctx, handleKey(handle))
	})
}

// AccountBySubject implements auth.Sessions.
func (s *Store) AccountBySubject(ctx context.Context, subject string) (auth.Account, error) {
	return s.found(ctx, "account by subject", func(ctx context.Context, o *op) (*account, error) {
		if subject == "" {
			return nil, nil
		}
		return o.accountBy(ctx, subjectKey(subject))
	})
}

// SetAccount implements auth.Sessions.
func (s *Store) SetAccount(
	ctx context.Context, id string, c auth.AccountChange,
) (auth.Account, error) {
	sets, values := []string(nil), item{}
	if c.Owner != nil {
		sets, values[":owner"] = append(sets, "ow = :owner"), flag(*c.Owner)
	}
	if c.Disabled != nil {
		sets, values[":disabled"] = append(sets, "di = :disabled"), flag(*c.Disabled)
	}
	if len(sets) == 0 {
		return s.Account(ctx, id)
	}
	return s.found(ctx, "set account", func(ctx context.Context, o *op) (*account, error) {
		it, done, err := o.update(ctx, accountKey(id), change{
			update: "SET " + strings.Join(sets, ", "),
			when:   exists + " AND attribute_not_exists(pe)",
			values: values,
		})
		if err != nil || !done {
			return nil, err
		}
		return o.readAccount(id, it)
	})
}

// Accounts implements auth.Sessions.
func (s *Store) Accounts(
	ctx context.Context, after string, limit int,
) (list []auth.Account, more bool, err error) {
	err = s.do(ctx, "accounts", func(ctx context.Context, o *op) error {
		from := auth.HandleKey(after)
		for {
			page, next, err := o.accountsFrom(ctx, from, limit+1)
			if err != nil {
				return err
			}
			list = append(list, page...)
			if more = len(list) > limit; more {
				list = list[:limit]
			}
			if more || next == "" {
				return nil
			}
			from = next
		}
	})
	if err != nil {
		return nil, false, err
	}
	return list, more, nil
}

// accountsFrom reads the accounts of the next handles. next is the key to go on from, "" at the
// end.
func (o *op) accountsFrom(
	ctx context.Context, after string, handles int,
) (list []auth.Account, next string, err error) {
	var owners []owner
	keys := map[key]bool{}
	for it, err := range o.query(ctx, prefixed(handlesPK, "", after), querying{pageSize: handles}) {
		if err != nil {
			return nil, "", err
		}
		named, err := o.readOwner(it)
		if err != nil {
			return nil, "", err
		}
		owners = append(owners, named)
		keys[accountKey(named.id)] = true
		if len(owners) == handles {
			next = keyOf(it).sk
			break
		}
	}
	found, err := o.getAll(ctx, slices.Collect(maps.Keys(keys))...)
	if err != nil {
		return nil, "", err
	}
	for _, named := range owners {
		a, err := o.readAccount(named.id, found[accountKey(named.id)])
		if err != nil {
			return nil, "", err
		}
		if named.is(a) {
			list = append(list, a.Account)
		}
	}
	return list, next, nil
}
