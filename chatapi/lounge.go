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

// tellLeft tells the lounge that a user has left it, unless another connection keeps the user there.
func (h *Handler) tellLeft(ctx context.Context, user string) error {
	here, err := h.isInLounge(ctx, user, "")
	if err != nil || here {
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

// isInLounge tells whether a user has a named connection in the lounge, but for one.
func (h *Handler) isInLounge(ctx context.Context, user, but string) (bool, error) {
	devices, err := h.Service.Devices(ctx, user)
	return slices.ContainsFunc(devices, func(c chat.Connection) bool {
		return c.ID != but && inLounge(&c)
	}), err
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
		here, err := h.isInLounge(ctx, c.User, c.ID)
		if err != nil {
			return false, err
		}
		h.tellJoined(ctx, c, !here)
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
