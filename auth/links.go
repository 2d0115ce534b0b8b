package auth

import (
	"cmp"
	"context"
	"time"

	"github.com/confab-chat/confab/chat"
)

// MakeOwnerLink makes a link with which somebody becomes an owner: for the operator alone.
func (s *Service) MakeOwnerLink(ctx context.Context) (secret string, l Link, err error) {
	return s.makeLink(ctx, nil, Link{Kind: OwnerLink, Uses: 1}, OwnerLife, "")
}

// Invite makes a link with which people make accounts, as many as uses and as long as life says;
// 0 is one use, and InviteLife. by is an owner or nil.
func (s *Service) Invite(
	ctx context.Context, by *Account, uses int, life time.Duration,
) (secret string, l Link, err error) {
	uses, life = cmp.Or(uses, 1), cmp.Or(life, InviteLife)
	switch {
	case by != nil && !by.Owner:
		return "", Link{}, ownersOnly()
	case uses < 1 || uses > MaxUses:
		return "", Link{}, chat.BadField("uses", "uses: want 1 to %d", MaxUses)
	case life < time.Minute || life > MaxLinkLife:
		const most = MaxLinkLife / (24 * time.Hour)
		return "", Link{}, chat.BadField("life", "life: want 1 minute to %d days", most)
	}
	return s.makeLink(ctx, by, Link{Kind: InviteLink, Uses: uses}, life, "")
}

// AddDevice makes a link that signs another device of an account in: of one's own, or, for the
// operator and owners, of somebody who is locked out.
func (s *Service) AddDevice(
	ctx context.Context, by *Account, handle string,
) (secret string, l Link, err error) {
	a, err := s.store.AccountByHandle(ctx, handle)
	if err == nil && by != nil && by.ID != a.ID && !by.Owner {
		err = ownersOnly()
	}
	if err != nil {
		return "", Link{}, err
	}
	l = Link{Kind: DeviceLink, Account: a.ID, Uses: 1}
	return s.makeLink(ctx, by, l, DeviceLife, a.Handle)
}

func ownersOnly() error { return chat.E(chat.Forbidden, "only an owner may do that") }

// makeLink makes a link; whose is the handle that it signs in, for the audit log.
func (s *Service) makeLink(
	ctx context.Context, by *Account, l Link, life time.Duration, whose string,
) (secret string, _ Link, err error) {
	if err := s.Maker.check(l.Kind); err != nil {
		return "", Link{}, err
	}
	if secret, err = newSecret(s.rand); err != nil {
		return "", Link{}, err
	}
	now := s.now()
	l.Hash, l.Made, l.Until = HashOf(secret), now, now.Add(life)
	if by != nil {
		l.By = by.ID
	}
	if err := s.store.PutLink(ctx, l, now); err != nil {
		return "", Link{}, err
	}
	object := l.Hash.ID()
	if whose != "" {
		object = whose + " " + object
	}
	return secret, l, s.record(ctx, by, "make "+l.Kind.String()+" link", object)
}

// String is the kind in a word.
func (k LinkKind) String() string {
	return [...]string{OwnerLink: "owner", InviteLink: "invite", DeviceLink: "device"}[k]
}

// Look tells what a link is good for, without using it: previews fetch links.
func (s *Service) Look(ctx context.Context, secret string) (l Link, handle string, err error) {
	l, err = s.store.Link(ctx, HashOf(secret), s.now())
	if err == nil {
		err = s.Maker.check(l.Kind)
	}
	if err != nil || l.Kind != DeviceLink {
		return l, "", err
	}
	a, err := s.store.Account(ctx, l.Account)
	return l, a.Handle, err
}

// Links lists the live links, for owners and the operator.
func (s *Service) Links(ctx context.Context, by *Account) ([]Link, error) {
	if by != nil && !by.Owner {
		return nil, ownersOnly()
	}
	return s.store.Links(ctx, s.now())
}

// EndLink ends a live link, by its Hash.ID.
func (s *Service) EndLink(ctx context.Context, by *Account, id string) error {
	list, err := s.Links(ctx, by)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.Hash.ID() != id {
			continue
		}
		if err := s.store.DropLink(ctx, l.Hash); err != nil {
			return err
		}
		return s.record(ctx, by, "end link", id)
	}
	return chat.E(chat.NotFound, "no link %q", id)
}
