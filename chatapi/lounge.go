package chatapi

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// maxMembers is how many names the lounge is told, so that a join costs each of its connections no
// more than that.
const maxMembers = 200

// inLounge tells whether a connection is a named one of the dialect lounge.
func inLounge(c *chat.Connection) bool {
	return c.Dialect == string(wire.LoungeDialect) && !c.NamedAt.IsZero()
}

// toLounge is an event for the named connections of the lounge.
func toLounge(e wire.Event) push {
	return push{head: chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}, event: e, lounge: true}
}

// tellJoined tells the lounge who is there now that c is, and with news that c's user has come.
func (h *Handler) tellJoined(ctx context.Context, c chat.Connection, news bool) {
	pushes := []push{toLounge(wire.LoungeMembers{}), toLounge(wire.SystemMessage{
		Text: c.User + " has joined the chat",
	})}
	if h.Rooms == nil { // the list that is read may be older than c's name
		pushes[0].origin, pushes[1].origin = c, c
	}
	if !news {
		pushes = pushes[:1]
	}
	h.spreadLounge(ctx, pushes)
}

// tellLeft tells the lounge that a user has left it, unless another connection keeps the user there, or
// nobody knows that the user had come.
func (h *Handler) tellLeft(ctx context.Context, user string) error {
	gone, err := h.hasLeft(ctx, user)
	if err != nil || !gone {
		return err
	}
	left := toLounge(wire.SystemMessage{Text: user + " has left the chat"})
	members := toLounge(wire.LoungeMembers{})
	left.skip, members.skip = user, user // a stale row may still be listed
	h.spreadLounge(ctx, []push{left, members})
	return nil
}

// spreadLounge tells the lounge several events, with nothing in between.
func (h *Handler) spreadLounge(ctx context.Context, pushes []push) {
	if h.Rooms != nil {
		h.Rooms.enqueueAll(h, pushes)
		return
	}
	h.deliver(ctx, pushes)
}

// isInLounge tells whether a user has a named connection in the lounge.
func (h *Handler) isInLounge(ctx context.Context, user string) (bool, error) {
	devices, err := h.Service.Devices(ctx, user)
	return slices.ContainsFunc(devices, func(c chat.Connection) bool { return inLounge(&c) }), err
}

// hasCome notes that a user is in the lounge, and tells whether that is news. Whose connections have
// gone meanwhile is not there: if that was known already, it is for who closed them to say.
func (h *Handler) hasCome(ctx context.Context, user string) (news, here bool, err error) {
	if news, err = h.Service.Announce(ctx, user, true); err != nil {
		return false, false, err
	}
	if here, err = h.isInLounge(ctx, user); err == nil && news && !here {
		_, err = h.Service.Announce(ctx, user, false)
	}
	return news, here, err
}

// hasLeft notes that a user has no connection in the lounge any more, and tells whether that is news.
// It looks twice: who comes while it is being noted has not left.
func (h *Handler) hasLeft(ctx context.Context, user string) (bool, error) {
	for {
		here, err := h.isInLounge(ctx, user)
		if err != nil || here {
			return false, err
		}
		news, err := h.Service.Announce(ctx, user, false)
		if err != nil || !news {
			return false, err
		}
		if here, err = h.isInLounge(ctx, user); err != nil || !here {
			return !here, err
		}
		if news, err = h.Service.Announce(ctx, user, true); err != nil || !news {
			return false, err
		}
	}
}

// renamed tells the lounge of a connection that has taken a name. It was old's before.
func (h *Handler) renamed(ctx context.Context, old, c *chat.Connection) {
	_, err := h.Service.Announce(ctx, c.User, true)
	if err == nil && inLounge(old) && old.User != c.User {
		_, err = h.hasLeft(ctx, old.User) // which nobody is told: the list says it
	}
	if err != nil {
		h.logError(ctx, "announce", "", err)
	}
	h.tellJoined(ctx, *c, true)
}

// enterLounge tells the lounge of a connection that has come with a name, as soon as it can be told
// itself.
func (h *Handler) enterLounge(ctx context.Context, id string) error {
	return h.untilDone(ctx, func() (done bool, err error) {
		c, err := h.Service.Find(ctx, id)
		if chat.Is(err, chat.NotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		_, err = h.Poster.Describe(ctx, connections.Target{ID: c.ID, Endpoint: c.Endpoint})
		if errors.Is(err, connections.ErrGone) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		news, here, err := h.hasCome(ctx, c.User)
		if err != nil {
			return false, err
		}
		if here {
			h.tellJoined(ctx, c, news)
		}
		return true, nil
	})
}

// loungeNames lists the users of the named connections of the lounge, in the order of their naming.
func loungeNames(all []chat.Receiver) []string {
	var named []chat.Receiver
	for _, r := range all {
		if r.Dialect == string(wire.LoungeDialect) && !r.NamedAt.IsZero() {
			named = append(named, r)
		}
	}
	slices.SortFunc(named, func(a, b chat.Receiver) int {
		return cmp.Or(a.NamedAt.Compare(b.NamedAt), a.ConnectedAt.Compare(b.ConnectedAt),
			cmp.Compare(a.ID, b.ID))
	})
	names := make([]string, 0, min(len(named), maxMembers))
	seen := map[string]bool{}
	for _, r := range named {
		if !seen[r.User] && len(names) < maxMembers {
			seen[r.User] = true
			names = append(names, r.User)
		}
	}
	return names
}
