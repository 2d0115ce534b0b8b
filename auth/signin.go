package auth

import (
	"cmp"
	"context"
	"errors"

	"github.com/confab-chat/confab/chat"
)

// SignIn uses a link. With a DeviceLink it signs a device of the link's account in, and handle does
// not count; with the others it makes an account of that handle and signs its first device in.
func (s *Service) SignIn(
	ctx context.Context, secret, handle, device string,
) (session string, signed Signed, err error) {
	l, err := s.store.Link(ctx, HashOf(secret), s.now())
	if err == nil {
		err = s.Maker.check(l.Kind)
	}
	if err != nil {
		return "", Signed{}, err
	}
	if l.Kind == DeviceLink {
		return s.signInDevice(ctx, l, device)
	}
	return s.join(ctx, l, handle, device)
}

func (s *Service) signInDevice(
	ctx context.Context, l Link, device string,
) (string, Signed, error) {
	a, err := s.store.Account(ctx, l.Account)
	if err != nil {
		return "", Signed{}, err
	}
	if a.Disabled {
		return "", Signed{}, disabled()
	}
	use, err := newText(s.rand, 16) // each sign-in is a use, also two of one account at once
	if err != nil {
		return "", Signed{}, err
	}
	if _, err := s.store.UseLink(ctx, l.Hash, use, s.now()); err != nil {
		return "", Signed{}, err
	}
	return s.Open(ctx, a, device)
}

func disabled() error { return chat.E(chat.Forbidden, "this account is disabled") }

// join makes an account. The link's use is taken first, and given back where the handle is not to
// be had, so that a link for one never makes two.
func (s *Service) join(
	ctx context.Context, l Link, handle, device string,
) (string, Signed, error) {
	handle, err := CleanHandle(handle)
	if err != nil {
		return "", Signed{}, err
	}
	a, err := s.newAccount(handle)
	if err != nil {
		return "", Signed{}, err
	}
	a.Owner = l.Kind == OwnerLink
	if _, err := s.store.UseLink(ctx, l.Hash, a.ID, s.now()); err != nil {
		return "", Signed{}, err
	}
	if err := s.store.PutAccount(ctx, a); err != nil {
		if chat.Is(err, chat.Taken) {
			if err := s.store.ReturnLink(ctx, l.Hash, a.ID); err != nil {
				return "", Signed{}, err
			}
		}
		return "", Signed{}, err
	}
	if err := s.record(ctx, &a, "join", a.Handle); err != nil {
		return "", Signed{}, err
	}
	return s.Open(ctx, a, device)
}

func (s *Service) newAccount(handle string) (Account, error) {
	id, err := newText(s.rand, 16)
	return Account{ID: "u-" + id, Handle: handle, Since: s.now()}, err
}

// maxDevice is how much of what a device says of itself is kept, in bytes.
const maxDevice = 200

// Open opens a session for an account that has proven who it is.
func (s *Service) Open(ctx context.Context, a Account, device string) (string, Signed, error) {
	if a.Disabled {
		return "", Signed{}, disabled()
	}
	secret, err := newSecret(s.rand)
	if err != nil {
		return "", Signed{}, err
	}
	now := s.now()
	n := Session{
		Hash: HashOf(secret), Account: a.ID, Device: printable(device), Made: now, Used: now,
		Until: now.Add(cmp.Or(s.SessionLife, SessionLife)),
	}
	if err := s.store.PutSession(ctx, n, now); err != nil {
		return "", Signed{}, err
	}
	if a, err = s.store.Account(ctx, a.ID); err != nil {
		return "", Signed{}, err
	}
	if a.Disabled { // meanwhile: who disabled it may have listed the sessions too early
		return "", Signed{}, errors.Join(disabled(), s.store.DropSession(ctx, n.Hash))
	}
	return secret, Signed{a, n}, s.record(ctx, &a, "sign in", n.Hash.ID())
}

// printable keeps the ASCII of a text that somebody else has written, for people to read.
func printable(text string) string {
	kept := make([]byte, 0, min(len(text), maxDevice))
	for i := 0; i < len(text) && len(kept) < maxDevice; i++ {
		if ' ' <= text[i] && text[i] <= '~' {
			kept = append(kept, text[i])
		}
	}
	return string(kept)
}

// Authenticate gives who a session's secret belongs to. A disabled account is Forbidden.
func (s *Service) Authenticate(ctx context.Context, secret string) (Signed, error) {
	return s.authenticate(ctx, HashOf(secret))
}

func (s *Service) authenticate(ctx context.Context, h Hash) (Signed, error) {
	now := s.now()
	n, err := s.store.Session(ctx, h, now)
	if err != nil {
		return Signed{}, err
	}
	a, err := s.store.Account(ctx, n.Account)
	if err != nil {
		return Signed{}, err
	}
	if a.Disabled {
		return Signed{}, disabled()
	}
	if now.Sub(n.Used) >= RenewEvery {
		if n, err = s.store.RenewSession(ctx, h, now); err != nil {
			return Signed{}, err
		}
	}
	return Signed{a, n}, nil
}

// MakeTicket makes a ticket with which one socket may be opened for the session.
func (s *Service) MakeTicket(ctx context.Context, signed Signed) (string, error) {
	secret, err := newSecret(s.rand)
	if err != nil {
		return "", err
	}
	t := Ticket{Hash: HashOf(secret), Session: signed.Session.Hash, Until: s.now().Add(TicketLife)}
	return secret, s.store.PutTicket(ctx, t)
}

// UseTicket gives whose ticket it is, once.
func (s *Service) UseTicket(ctx context.Context, secret string) (Signed, error) {
	t, err := s.store.UseTicket(ctx, HashOf(secret), s.now())
	if err != nil {
		return Signed{}, err
	}
	return s.authenticate(ctx, t.Session)
}
