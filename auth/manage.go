package auth

import (
	"context"
	"errors"
	"slices"

	"github.com/confab-chat/confab/chat"
)

// SignOut ends a session: one's own, or, for owners and the operator, anybody's. id is Hash.ID. It
// gives whose session has ended; its sockets are the caller's to close.
func (s *Service) SignOut(ctx context.Context, by *Account, handle, id string) (Signed, error) {
	a, list, err := s.devices(ctx, by, handle)
	if err != nil {
		return Signed{}, err
	}
	at := slices.IndexFunc(list, func(n Session) bool { return n.Hash.ID() == id })
	if at < 0 {
		return Signed{}, chat.E(chat.NotFound, "%s has no device %q", a.Handle, id)
	}
	if err := s.store.DropSession(ctx, list[at].Hash); err != nil {
		return Signed{}, err
	}
	return Signed{a, list[at]}, s.record(ctx, by, "sign out", a.Handle+" "+id)
}

// SignOutEverywhere ends all sessions of an account and tells how many there were: one's own, or,
// for owners and the operator, anybody's. Links that would sign a device in end too. The sockets
// are the caller's to close.
func (s *Service) SignOutEverywhere(
	ctx context.Context, by *Account, handle string,
) (a Account, ended int, err error) {
	a, list, err := s.devices(ctx, by, handle)
	if err != nil {
		return Account{}, 0, err
	}
	if err := errors.Join(s.drop(ctx, list), s.dropLinks(ctx, a.ID, false)); err != nil {
		return Account{}, 0, err
	}
	return a, len(list), s.record(ctx, by, "sign out everywhere", a.Handle)
}

// Still tells whether the session with that Hash.ID lets an account in yet: nil, or why not.
func (s *Service) Still(ctx context.Context, handle, id string) error {
	a, list, err := s.devices(ctx, nil, handle)
	switch {
	case err != nil:
		return err
	case a.Disabled:
		return disabled()
	case id == ProxySession, slices.ContainsFunc(list, func(n Session) bool { return n.Hash.ID() == id }):
		return nil
	}
	return chat.E(chat.Unauthenticated, "sign in first: this session is over")
}

// Devices lists the live sessions of an account: one's own, or, for owners and the operator,
// anybody's.
func (s *Service) Devices(ctx context.Context, by *Account, handle string) ([]Session, error) {
	_, list, err := s.devices(ctx, by, handle)
	return list, err
}

func (s *Service) devices(
	ctx context.Context, by *Account, handle string,
) (Account, []Session, error) {
	a, err := s.store.AccountByHandle(ctx, handle)
	if err == nil && by != nil && by.ID != a.ID && !by.Owner {
		err = ownersOnly()
	}
	if err != nil {
		return Account{}, nil, err
	}
	list, err := s.store.SessionsOf(ctx, a.ID, s.now())
	return a, list, err
}

// Disable keeps an account out, or lets it in again. Its sessions end, and so do the links that it
// has made; its sockets are the caller's to close. An owner cannot disable itself.
func (s *Service) Disable(
	ctx context.Context, by *Account, handle string, off bool,
) (Account, error) {
	a, err := s.manage(ctx, by, handle)
	if err != nil {
		return Account{}, err
	}
	if by != nil && by.ID == a.ID {
		return Account{}, chat.E(chat.Forbidden, "you cannot disable yourself")
	}
	if a, err = s.store.SetAccount(ctx, a.ID, AccountChange{Disabled: &off}); err != nil {
		return Account{}, err
	}
	action := "enable"
	if off {
		action = "disable"
		if err := errors.Join(s.dropSessions(ctx, a.ID), s.dropLinks(ctx, a.ID, true)); err != nil {
			return Account{}, err
		}
	}
	return a, s.record(ctx, by, action, a.Handle)
}

// SetOwner makes an account an owner, or a member again, whose links end. Nobody changes its own
// role, so that a server that has an owner keeps one.
func (s *Service) SetOwner(
	ctx context.Context, by *Account, handle string, owner bool,
) (Account, error) {
	a, err := s.manage(ctx, by, handle)
	if err != nil {
		return Account{}, err
	}
	if by != nil && by.ID == a.ID {
		return Account{}, chat.E(chat.Forbidden, "you cannot change your own role")
	}
	if a, err = s.store.SetAccount(ctx, a.ID, AccountChange{Owner: &owner}); err != nil {
		return Account{}, err
	}
	action := "make owner"
	if !owner {
		action = "make member"
		if err := s.dropLinks(ctx, a.ID, true); err != nil {
			return Account{}, err
		}
	}
	return a, s.record(ctx, by, action, a.Handle)
}

func (s *Service) dropSessions(ctx context.Context, account string) error {
	list, err := s.store.SessionsOf(ctx, account, s.now())
	if err != nil {
		return err
	}
	return s.drop(ctx, list)
}

// dropLinks ends the links that sign a device of an account in, and with made those that it has
// made.
func (s *Service) dropLinks(ctx context.Context, account string, made bool) error {
	list, err := s.store.Links(ctx, s.now())
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.Account != account && (!made || l.By != account) {
			continue
		}
		if err := s.store.DropLink(ctx, l.Hash); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) drop(ctx context.Context, list []Session) error {
	for _, n := range list {
		if err := s.store.DropSession(ctx, n.Hash); err != nil {
			return err
		}
	}
	return nil
}

// manage finds an account for somebody who may manage others.
func (s *Service) manage(ctx context.Context, by *Account, handle string) (Account, error) {
	if by != nil && !by.Owner {
		return Account{}, ownersOnly()
	}
	return s.store.AccountByHandle(ctx, handle)
}

// Accounts lists accounts by handle, from after (exclusive).
func (s *Service) Accounts(ctx context.Context, after string, limit int) ([]Account, bool, error) {
	return s.store.Accounts(ctx, after, limit)
}

// Audit reads the audit log, the youngest entry first, for owners and the operator.
func (s *Service) Audit(
	ctx context.Context, by *Account, before string, limit int,
) ([]Entry, bool, error) {
	if by != nil && !by.Owner {
		return nil, false, ownersOnly()
	}
	return s.store.Audit(ctx, before, limit, s.now())
}

// Note records what somebody did that this package does not do itself, as deleting a message.
func (s *Service) Note(ctx context.Context, by *Account, action, object string) error {
	return s.record(ctx, by, action, object)
}

func (s *Service) record(ctx context.Context, by *Account, action, object string) error {
	now := s.now()
	random, err := newText(s.rand, 8)
	if err != nil {
		return err
	}
	e := Entry{
		ID: now.UTC().Format("20060102T150405.000000000-") + random, At: now,
		Actor: Operator, Action: action, Object: object,
	}
	if by != nil {
		e.Actor = by.Handle
	}
	return s.store.Record(ctx, e)
}
