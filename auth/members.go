package auth

import (
	"context"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// Protocol is the first sub-protocol of a handshake that carries a ticket as its second: the one
// that is answered. Browsers can put a secret nowhere else.
const Protocol = "confab"

// Members is the mode in which only accounts have names: a socket shows a ticket or a session.
type Members struct {
	Service *Service
}

// Identify gives the user whose ticket is the second value of Sec-WebSocket-Protocol, or whose
// session is the bearer of Authorization; ?ticket= stands in for clients that can set neither. One
// that shows nothing, or what is over, is chat.Unauthenticated; a disabled account, and a ?name=
// that is not the account's handle, are chat.Forbidden.
func (m Members) Identify(ctx context.Context, r Request) (Identity, error) {
	signed, protocol, err := m.signed(ctx, &r)
	if chat.Is(err, chat.NotFound) {
		err = chat.E(chat.Unauthenticated, "sign in first: this ticket or session is over, or never was one")
	}
	if err != nil {
		return Identity{}, err
	}
	if name, given := r.Query["name"]; given && chat.Fold(name) != chat.Fold(signed.Account.Handle) {
		return Identity{}, chat.E(chat.Forbidden, "name: you are signed in as %s", signed.Account.Handle)
	}
	return Identity{
		User: signed.Account.Handle, Session: signed.Session.Hash.ID(), Until: signed.Session.Until,
		Protocol: protocol,
	}, nil
}

func (m Members) signed(ctx context.Context, r *Request) (s Signed, protocol string, err error) {
	if first, second := r.protocols(); first == Protocol {
		s, err = m.Service.UseTicket(ctx, second)
		return s, Protocol, err
	}
	authorization, _ := r.Header("Authorization")
	if secret, ok := Bearer(authorization); ok {
		s, err = m.Service.Authenticate(ctx, secret)
		return s, "", err
	}
	if ticket := r.Query["ticket"]; ticket != "" {
		s, err = m.Service.UseTicket(ctx, ticket)
		return s, "", err
	}
	return s, "", chat.E(chat.Unauthenticated, "sign in first: this server wants a ticket or a session")
}

// Bearer gives the secret of an Authorization header (RFC 6750 section 2.1).
func Bearer(authorization string) (secret string, ok bool) {
	scheme, secret, ok := strings.Cut(authorization, " ")
	return strings.TrimSpace(secret), ok && strings.EqualFold(scheme, "Bearer")
}
