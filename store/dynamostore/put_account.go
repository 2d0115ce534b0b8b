package dynamostore

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// making is one attempt to make an account. Its writes are, in this order: the account, pending;
// the handle and the subject, each with the attempt's claim; the end of pending, which decides.
//
// A claim counts as long as the account that it names has it too. Whoever wants a handle or subject
// that a pending account has claimed is told Taken, unless the attempt is so old that it must have
// died: then its account goes first, so that it can never be done, and then the claim is taken
// over. Each attempt has a claim of its own, also one that repeats another.
type making struct {
	*op
	account
	keys []key // of its handle, and its subject if it has one
	held []key // of them, those that have its claim
}

// PutAccount implements auth.Sessions.
func (s *Store) PutAccount(ctx context.Context, a auth.Account) error {
	return s.do(ctx, "put account", func(ctx context.Context, o *op) error {
		for {
			done, err := o.makeAccount(ctx, a)
			if err != nil || done {
				return err
			}
			if err := wait(ctx, rand.N(firstBackoff)); err != nil {
				return err
			}
		}
	})
}

// makeAccount is one attempt. done is false when another attempt for the same account has ended it.
func (o *op) makeAccount(ctx context.Context, a auth.Account) (done bool, err error) {
	m := &making{op: o, account: account{Account: a, claim: crand.Text(), pending: o.Now()}}
	m.Since = time.UnixMilli(a.Since.UnixMilli()).UTC()
	m.keys = append(m.keys, handleKey(a.Handle))
	if a.Subject != "" {
		m.keys = append(m.keys, subjectKey(a.Subject))
	}
	if done, err := m.begin(ctx); err != nil || done {
		return done, err
	}
	for _, k := range m.keys {
		switch err := m.take(ctx, k); {
		case errors.Is(err, errRepeated):
			return false, nil
		case chat.Is(err, chat.Taken):
			if undone := m.undo(ctx); undone != nil {
				return false, undone
			}
			return false, err
		case err != nil:
			return false, err
		}
	}
	return m.end(ctx)
}

// errRepeated ends an attempt when another for the same account has begun.
var errRepeated = errors.New("the account is being made by another call")

// begin puts the account, pending. It is done already where it is there.
func (m *making) begin(ctx context.Context) (done bool, err error) {
	c := change{when: isAbsent}
	for {
		it, stored, err := m.put(ctx, m.item(), c)
		if err != nil || stored {
			return false, err
		}
		old, err := m.readAccount(m.ID, it)
		switch {
		case err != nil:
			return false, err
		case old == nil: // it was just undone
			c = change{when: isAbsent}
		case old.claim == m.claim: // an answer was lost
			return false, nil
		case old.done() && old.Account == m.Account:
			return true, nil
		case !old.done() && (m.same(old) || m.died(old)):
			c = change{when: isAttempt, values: item{":claim": str(old.claim)}}
		default:
			return false, chat.E(chat.Taken, "the id is in use")
		}
	}
}

// isAttempt is the condition that a pending account is of the claim.
const isAttempt = "attribute_exists(pe) AND cm = :claim"

// same tells whether another attempt is for what this one is for.
func (m *making) same(other *account) bool {
	return other.ID == m.ID && other.Handle == m.Handle && other.Subject == m.Subject
}

// died tells whether another attempt is so old that it goes on no more.
func (m *making) died(other *account) bool { return m.Now().Sub(other.pending) >= claimTime }

// take gives the attempt a handle or subject, or says that it is Taken.
func (m *making) take(ctx context.Context, k key) error {
	it := k.item()
	it[attrAccount], it[attrClaim] = str(m.ID), str(m.claim)
	c := change{when: isAbsent}
	for {
		old, stored, err := m.put(ctx, it, c)
		if err != nil {
			return err
		}
		named, err := m.readOwner(old)
		if err != nil {
			return err
		}
		if stored || named.claim == m.claim { // or an answer was lost
			m.held = append(m.held, k)
			return nil
		}
		if err := m.evict(ctx, k, named); err != nil {
			return err
		}
		c = change{when: isAbsent + " OR cm = :claim", values: item{":claim": str(named.claim)}}
	}
}

// evict makes sure that nobody has a claim any more, or will; else the key is Taken.
func (m *making) evict(ctx context.Context, k key, named owner) error {
	other, err := m.op.account(ctx, named.id)
	switch {
	case err != nil:
		return err
	case other == nil || other.claim != named.claim:
		return nil
	case other.ID == m.ID:
		return errRepeated
	case other.done() || !m.died(other):
		return m.taken(k)
	}
	it, gone, err := m.delete(ctx, accountKey(other.ID), change{
		when: isAttempt, values: item{":claim": str(named.claim)},
	})
	if err != nil || gone || it == nil {
		return err
	}
	return m.taken(k) // it has gone on
}

func (m *making) taken(k key) error {
	if k.sk == subjectSK {
		return chat.E(chat.Taken, "this identity has an account")
	}
	return chat.E(chat.Taken, "the handle %s is taken, or too much like one that is", m.Handle)
}

// undo gives up what the attempt has taken. What a crash leaves of it is taken over by others.
func (m *making) undo(ctx context.Context) error {
	mine := item{":claim": str(m.claim)}
	for _, k := range m.held {
		if _, _, err := m.delete(ctx, k, change{when: "cm = :claim", values: mine}); err != nil {
			return err
		}
	}
	_, _, err := m.delete(ctx, accountKey(m.ID), change{when: isAttempt, values: mine})
	return err
}

// end makes the account one.
func (m *making) end(ctx context.Context) (done bool, err error) {
	it, done, err := m.update(ctx, accountKey(m.ID), change{
		update: "REMOVE pe", when: isAttempt, values: item{":claim": str(m.claim)},
	})
	if err != nil || done {
		return done, err
	}
	now, err := m.readAccount(m.ID, it)
	if err != nil {
		return false, err
	}
	return now.done() && now.claim == m.claim, nil // then an answer was lost
}
