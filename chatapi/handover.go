package chatapi

import (
	"context"
	"errors"
	"slices"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// errand is a direct room to be looked through for messages that wait for a user of the dialect
// directory; room "" is all of them. The text itself comes from the log, so that what is live and
// what has waited come in one order, each once.
type errand struct{ user, room string }

// deferOpened sees to what a connection is to be told as soon as it is open. Within $connect it cannot
// be told anything.
func (h *Handler) deferOpened(ctx context.Context, c *chat.Connection) {
	t := Task{Kind: TaskOpened}
	switch {
	case c.Dialect == string(wire.DirectoryDialect):
		waits, err := h.Service.HasWaiting(ctx, c.User)
		if err == nil && !waits {
			return
		}
		t.User = c.User // also where the store has not told: the task asks again
	case inLounge(c):
		t.Connection = c.ID
	default:
		return
	}
	if err := h.Deferrer.Later(ctx, t); err != nil {
		h.logError(ctx, "opened", "", err)
	}
}

func (h *Handler) runOpened(ctx context.Context, t Task) error {
	switch {
	case t.Connection != "":
		return h.enterLounge(ctx, t.Connection)
	case h.Rooms != nil:
		h.Rooms.run(h, errand{user: t.User})
		return nil
	}
	return h.handOver(ctx, t.User, nil)
}

// runErrands hands over what an event has brought. What cannot be delivered now, or has failed, is
// left to a task.
func (h *Handler) runErrands(ctx context.Context, errands []errand) {
	for _, e := range errands {
		done, mine, err := h.handOverNow(ctx, e.user, []string{e.room})
		if err != nil || mine && !done {
			err = errors.Join(err, h.Deferrer.Later(ctx, Task{Kind: TaskOpened, User: e.user}))
		}
		if err != nil {
			h.logError(ctx, "hand over", "", err)
		}
	}
}

// handOver delivers the direct messages that wait for a user, of some rooms or of all, to the user's
// connections of the dialect directory, and tries for some seconds where one may be not yet open, or
// a number is given and not yet stored.
func (h *Handler) handOver(ctx context.Context, user string, rooms []string) error {
	if slices.Contains(rooms, "") {
		rooms = nil
	}
	return h.untilDone(ctx, func() (bool, error) {
		done, mine, err := h.handOverNow(ctx, user, rooms)
		return done && mine, err // who has the turn may have died
	})
}

// handOverNow delivers what can be delivered, unless somebody else is at it, who then looks once
// more: two at once would deliver the same. It is not done where it failed, and where it took longer
// than the turn lasts: then somebody may have relied on it in vain.
func (h *Handler) handOverNow(
	ctx context.Context, user string, rooms []string,
) (done, mine bool, err error) {
	turn, err := h.Service.Turn(ctx, user)
	if err != nil || turn == "" {
		return false, false, err
	}
	for again := true; again; rooms = nil {
		since := h.Now()
		if err == nil {
			done, err = h.deliverWaiting(ctx, user, rooms)
		}
		done = done && h.Now().Sub(since) < chat.TurnMax
		var failed error
		if again, failed = h.Service.EndTurn(ctx, user, turn); failed != nil {
			return false, true, errors.Join(err, failed)
		}
	}
	return done, true, err
}

// deliverWaiting delivers what can be delivered. It moves the read markers afterwards: what breaks in
// between is delivered once more.
func (h *Handler) deliverWaiting(
	ctx context.Context, user string, rooms []string,
) (done bool, err error) {
	for {
		w, err := h.Service.Waiting(ctx, user, rooms)
		if err != nil || w.Empty() {
			return !w.More, err
		}
		reached, left, err := h.sendWaiting(ctx, user, w.Messages)
		if err != nil || reached == 0 {
			return left == 0, err
		}
		if err := h.Service.Delivered(ctx, w); err != nil || !w.More {
			return true, err
		}
	}
}

// sendWaiting sends messages to every connection of the user that speaks the dialect directory. It
// gives how many have got them, and how many may get them when they are open.
func (h *Handler) sendWaiting(
	ctx context.Context, user string, messages []chat.Message,
) (reached, left int, err error) {
	devices, err := h.Service.Devices(ctx, user)
	if err != nil {
		return 0, 0, err
	}
	frames := make([][]byte, len(messages))
	for i := range messages {
		event := wire.Message{Room: messages[i].Room, From: messages[i].From, Text: messages[i].Text}
		frames[i], _ = wire.DirectoryDialect.Append(nil, event)
	}
	var young []Address
	var errs []error
	for _, c := range devices {
		if c.Dialect != string(wire.DirectoryDialect) {
			continue
		}
		target := connections.Target{ID: c.ID, Endpoint: c.Endpoint}
		err := h.Poster.Send(ctx, target, frames)
		switch {
		case err == nil:
			reached++
		case errors.Is(err, connections.ErrGone) && h.young(c.ConnectedAt):
			young = append(young, Address{target, c.ConnectedAt})
		case errors.Is(err, connections.ErrGone):
			errs = append(errs, h.forget(ctx, c.ID, c.ConnectedAt))
		default:
			errs = append(errs, err)
		}
	}
	err = errors.Join(errs...)
	if reached > 0 && len(young) > 0 {
		err = errors.Join(err, h.Deferrer.Later(ctx, fanoutTask(young, frames)))
	}
	if reached > 0 && err != nil { // the others have it: it must not come to them again
		h.logError(ctx, "hand over", "", err)
		err = nil
	}
	return reached, len(young), err
}
