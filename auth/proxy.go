package auth

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// ProxySession is the session of connections that a proxy vouches for: they end when the account is
// disabled, and otherwise the proxy decides.
const ProxySession = "proxy"

// Proxy is the mode in which a proxy in front has signed people in and says who they are in a
// header. Its host takes the header from trusted proxies alone.
type Proxy struct {
	Service *Service
	Header  string // as Remote-User
}

// Identify gives the user that the header names; the account is made when it comes for the first
// time. Without the header it is chat.Unauthenticated; with a name that is no handle, of a disabled
// account, or with a ?name= of somebody else, chat.Forbidden.
func (p Proxy) Identify(ctx context.Context, r Request) (Identity, error) {
	name, _ := r.Header(p.Header)
	a, err := p.Account(ctx, name)
	if err != nil {
		return Identity{}, err
	}
	if asked, given := r.Query["name"]; given && chat.Fold(asked) != chat.Fold(a.Handle) {
		return Identity{}, chat.E(chat.Forbidden, "name: you are signed in as %s", a.Handle)
	}
	return Identity{User: a.Handle, Session: ProxySession}, nil
}

// Account gives the account of a name that the proxy vouches for.
func (p Proxy) Account(ctx context.Context, name string) (Account, error) {
	if name == "" {
		return Account{}, chat.E(chat.Unauthenticated, "sign in first: the proxy names nobody")
	}
	a, err := p.Service.Vouched(ctx, name)
	if chat.Is(err, chat.Invalid) {
		return Account{}, chat.E(chat.Forbidden, "the proxy says %q, and a handle is %s", name, HandleRule)
	}
	return a, err
}

// Vouched gives the account of that very handle, and makes it where there is none. It is for those
// whom somebody trusted has signed in. Taken: the handle is too much like another one.
func (s *Service) Vouched(ctx context.Context, name string) (Account, error) {
	handle, err := CleanHandle(name)
	if err != nil {
		return Account{}, err
	}
	a, err := s.store.AccountByHandle(ctx, handle)
	if chat.Is(err, chat.NotFound) {
		a, err = s.newVouched(ctx, handle)
	}
	switch {
	case err != nil:
		return Account{}, err
	case chat.Fold(a.Handle) != chat.Fold(handle):
		return Account{}, chat.E(chat.Taken, "the handle %s is too much like %s", handle, a.Handle)
	case a.Disabled:
		return Account{}, disabled()
	}
	return a, nil
}

// Claimed gives the account of somebody whom an issuer has signed in: NotFound where there is
// none yet, and then Claim makes it.
func (s *Service) Claimed(ctx context.Context, who Claimant) (Account, error) {
	a, err := s.store.AccountBySubject(ctx, who.Subject)
	if err == nil && a.Disabled {
		err = disabled()
	}
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// Claim makes the account of somebody whom an issuer has signed in, with a handle that may be
// chosen: Invalid and Taken say that it is to be another one.
func (s *Service) Claim(ctx context.Context, who Claimant, handle string) (Account, error) {
	handle, err := CleanHandle(handle)
	if err != nil {
		return Account{}, err
	}
	a, err := s.newAccount(handle)
	if err != nil {
		return Account{}, err
	}
	a.Subject, a.Owner = who.Subject, who.Owner
	if err := s.store.PutAccount(ctx, a); err != nil {
		if !chat.Is(err, chat.Taken) {
			return Account{}, err
		}
		if have, found := s.Claimed(ctx, who); !chat.Is(found, chat.NotFound) {
			return have, found // another window of the same person was faster
		}
		return Account{}, err
	}
	err = s.record(ctx, &a, "join", a.Handle)
	return a, err
}

func (s *Service) newVouched(ctx context.Context, handle string) (Account, error) {
	a, err := s.newAccount(handle)
	if err != nil {
		return Account{}, err
	}
	err = s.store.PutAccount(ctx, a)
	if chat.Is(err, chat.Taken) { // another connection of the same person was faster
		return s.store.AccountByHandle(ctx, handle)
	}
	if err == nil {
		err = s.record(ctx, &a, "join", a.Handle)
	}
	return a, err
}
