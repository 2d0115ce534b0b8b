package chatapi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// Sweep does what no event asks for: it closes connections whose time is over, and tells who came
// and who went. A host calls it about once a second, or on a schedule. It goes on where a connection
// cannot be closed, which stays recorded for the next time, and gives the first such error.
func (h *Handler) Sweep(ctx context.Context) error {
	var failed error
	for c, err := range h.Service.Lapsed(ctx) {
		if err != nil {
			return errors.Join(failed, err)
		}
		if err := h.closeAndEnd(ctx, c, closeAway, "no heartbeat"); err != nil && failed == nil {
			failed = err
		}
	}
	return errors.Join(failed, h.Service.TakePresence(ctx, func(p chat.Presence) {
		h.spread(ctx, push{
			head:  p.Head,
			event: wire.Presence{Room: p.Head.Name, Online: p.Online, Offline: p.Offline},
			most:  chat.PresenceMax,
		})
	}))
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

// revokeTries is how often a connection that is not open yet is closed, youngRetry apart: promised is
// a second.
const revokeTries = 4

// Revoke closes the connections of a user that a session has opened, because it is over; session ""
// is all of them. It goes on when one of them fails.
func (h *Handler) Revoke(ctx context.Context, user, session, reason string) error {
	devices, err := h.Service.DevicesNamed(ctx, user)
	errs := []error{err}
	var opening []connections.Target
	for _, c := range devices {
		if session != "" && c.Session != session {
			continue
		}
		target := connections.Target{ID: c.ID, Endpoint: c.Endpoint}
		err := h.Poster.Close(ctx, target, closePolicy, reason)
		if errors.Is(err, connections.ErrGone) {
			err = nil
			if h.young(c.ConnectedAt) {
				opening = append(opening, target)
			}
		}
		errs = append(errs, err, h.end(ctx, c.ID))
	}
	return errors.Join(append(errs, h.closeOpening(ctx, opening, reason))...)
}

// closeOpening closes connections which had a row, and whose handshake may not have been answered
// yet: until then nothing can be closed.
func (h *Handler) closeOpening(
	ctx context.Context, opening []connections.Target, reason string,
) error {
	for try := 0; len(opening) > 0 && try < revokeTries; try++ {
		if err := h.Sleep(ctx, youngRetry); err != nil {
			return err
		}
		opening = slices.DeleteFunc(opening, func(t connections.Target) bool {
			return !errors.Is(h.Poster.Close(ctx, t, closePolicy, reason), connections.ErrGone)
		})
	}
	return nil
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
