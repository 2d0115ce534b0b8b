package auth

import (
	"context"
	"strconv"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Members of an authorizer's context.
const (
	contextUser     = "user"
	contextSession  = "session"
	contextUntil    = "until" // seconds since 1970
	contextProtocol = "protocol"
)

// Context is what an authorizer that runs apart from the chat hands to it: API Gateway carries texts,
// numbers and truths, and shows them to the function as requestContext.authorizer. [Authorized] reads
// it.
func (id Identity) Context() map[string]any {
	values := map[string]any{contextUser: id.User, contextSession: id.Session}
	if !id.Until.IsZero() {
		values[contextUntil] = strconv.FormatInt(id.Until.Unix(), 10)
	}
	if id.Protocol != "" {
		values[contextProtocol] = id.Protocol
	}
	return values
}

// Authorized is the mode in which an authorizer in front of the chat has asked who somebody is.
type Authorized struct{}

// Identify gives the user that the authorizer names. Without an authorizer's word it is
// chat.Unauthenticated: a deployment that lost its authorizer lets nobody in.
func (Authorized) Identify(_ context.Context, r Request) (Identity, error) {
	text := func(name string) string {
		value, _ := r.Authorizer[name].(string)
		return value
	}
	id := Identity{
		User: text(contextUser), Session: text(contextSession), Protocol: text(contextProtocol),
	}
	if id.User == "" {
		return Identity{}, chat.E(chat.Unauthenticated, "sign in first: no authorizer vouches for you")
	}
	if until := text(contextUntil); until != "" {
		seconds, err := strconv.ParseInt(until, 10, 64)
		if err != nil {
			return Identity{}, chat.Wrap(chat.Internal, "authorizer's until", err)
		}
		id.Until = time.Unix(seconds, 0)
	}
	return id, nil
}
