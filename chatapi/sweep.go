package chatapi

import (
	"context"
	"errors"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// Sweep does what no event asks for: it closes connections whose time is over, and tells who came
// and who went. A host calls it about once a second, or on a schedule.
func (h *Handler) Sweep(ctx context.Context) error {
	for c, err := range h.Service.Lapsed(ctx) {
		if err != nil {
			return err
		}
		if err := h.closeAndEnd(ctx, c, closeAway, "no heartbeat"); err != nil {
			return err
		}
	}
	return h.Service.TakePresence(ctx, func(p chat.Presence) {
		h.spread(ctx, push{
			head:  p.Head,
			event: wire.Presence{Room: p.Head.Name, Online: p.Online, Offline: p.Offline},
			most:  chat.PresenceMax,
		})
	})
}

// closeAndEnd closes a connection and ends its row.
func (h *Handler) closeAndEnd(
	ctx context.Context, c chat.Connection, code int, reason string,
) error {
	err := h.Poster.Close(ctx, connections.Target{ID: c.ID, Endpoint: c.Endpoint}, code, reason)
	if err != nil && !errors.Is(err, connections.ErrGone) {
		return err
	}
	return h.end(ctx, c.ID)
}

// Revoke closes the connections of a user that a session has opened, because it is over; session ""
// is all of them. It goes on when one of them fails.
func (h *Handler) Revoke(ctx context.Context, user, session, reason string) error {
	devices, err := h.Service.Devices(ctx, user)
	errs := []error{err}
	for _, c := range devices {
		if session == "" || c.Session == session {
			errs = append(errs, h.closeAndEnd(ctx, c, closePolicy, reason))
		}
	}
	return errors.Join(errs...)
}

// Drain asks every connection to come again after a random time of at most spread, so that they
// do not all come at once. The host closes what is still there when it stops.
func (h *Handler) Drain(ctx context.Context, spread time.Duration) error {
	for r, err := range h.Service.Receivers(ctx, chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}) {
		if err != nil {
			return err
		}
		if r.Dialect != native {
			continue
		}
		frame := wire.Append(nil, wire.Reconnect{AfterMs: h.Jitter(int(spread.Milliseconds()) + 1)})
		to := []connections.Target{{ID: r.ID, Endpoint: r.Endpoint}}
		if _, _, err := h.Poster.Post(ctx, to, [][]byte{frame}); err != nil {
			return err
		}
	}
	return nil
}
