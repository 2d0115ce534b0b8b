package chatapi

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// taskReceivers is the most connections that one fan-out task posts to.
const taskReceivers = 500

// push is one event on its way to a room.
type push struct {
	head   chat.Head
	event  wire.Event
	own    wire.Event      // what the origin gets instead of event, if anything
	lounge bool            // the event is for the dialect lounge alone
	origin chat.Connection // gets it first, and always; ID "" is none
	skip   string          // a user who gets nothing
	most   int             // a room with more connections gets nothing; 0: any
}

// plain tells whether everyone in the room gets the same of it.
func (p *push) plain() bool {
	return p.own == nil && p.skip == "" && p.most == 0 && !p.lounge && len(p.head.Removed) == 0
}

// alike tells whether p and its successor have the same receivers.
func (p *push) alike(next *push) bool {
	return p.plain() && next.plain() || p.lounge && next.lounge && p.skip == next.skip
}

// spread tells a room. Where one process holds all sockets the room's worker does it, so that
// every connection gets the room's events in order; else it happens here, and the errands are the
// caller's to run.
func (h *Handler) spread(ctx context.Context, p push) []errand {
	if h.Rooms != nil {
		h.Rooms.enqueue(h, p)
		return nil
	}
	return h.deliver(ctx, []push{p})
}

// admit waits until the room's queue has room for another message.
func (h *Handler) admit(ctx context.Context, m chat.Send) error {
	if h.Rooms == nil || m.To != "" {
		return nil
	}
	room, err := chat.RoomID(m.Room)
	if err != nil {
		return err
	}
	return h.Rooms.admit(ctx, room)
}

// deliver posts events of one room, in order. Those that everyone gets alike leave together.
func (h *Handler) deliver(ctx context.Context, pushes []push) (errands []errand) {
	for len(pushes) > 0 {
		n := 1
		for n < len(pushes) && pushes[n-1].alike(&pushes[n]) {
			n++
		}
		some, err := h.deliverAlike(ctx, pushes[:n])
		if err != nil {
			h.logError(ctx, "fan-out", "", err)
		}
		errands = append(errands, some...)
		pushes = pushes[n:]
	}
	return errands
}

func (h *Handler) deliverAlike(ctx context.Context, pushes []push) ([]errand, error) {
	to, seeds, err := h.gather(ctx, pushes)
	if err != nil {
		return nil, err
	}
	defer to.release()
	last := &pushes[len(pushes)-1]
	if last.most > 0 && len(to.targets)+len(seeds) > last.most {
		return nil, nil
	}
	natives := to
	if last.own != nil {
		err = h.answerOrigin(ctx, last)
		if last.origin.Dialect == native {
			natives = to.slice(1, len(to.targets))
		} else {
			seeds = seeds[1:]
		}
	}
	inline := cmp.Or(h.Inline, math.MaxInt)
	if len(seeds) > 0 {
		inline-- // one is left for a sender among them
	}
	if len(natives.targets) > 0 {
		e := encode(pushes)
		err = errors.Join(err, h.post(ctx, natives, e.frames, inline))
		e.release()
	}
	if len(seeds) == 0 {
		return nil, err
	}
	inline = max(0, inline-len(natives.targets)) + 1
	errands, seedsErr := h.tellSeeds(ctx, pushes, seeds, inline)
	return errands, errors.Join(err, seedsErr)
}

// answerOrigin posts what the origin gets instead of the event.
func (h *Handler) answerOrigin(ctx context.Context, p *push) error {
	frame, said := wire.Dialect(p.origin.Dialect).AppendAnswer(nil, p.own)
	if !said {
		return nil
	}
	to := audienceOf([]chat.Connection{p.origin})
	defer to.release()
	return h.post(ctx, to, [][]byte{frame}, 1)
}

// post sends frames to an audience: to the first inline of it now, to the others by tasks. What
// fails for some does not keep it from the others.
func (h *Handler) post(ctx context.Context, to *audience, frames [][]byte, inline int) error {
	now := to
	if len(to.targets) > inline {
		now = to.slice(0, inline)
	}
	young, unsent, err := h.postNow(ctx, now, frames)
	later := slices.Concat(young, unsent, to.targets[len(now.targets):])
	for shard := range slices.Chunk(later, taskReceivers) {
		err = errors.Join(err, h.Deferrer.Later(ctx, fanoutTask(to.addresses(shard), frames)))
	}
	return err
}

// postNow posts and forgets who is gone. It gives those who may be not yet open, and those for
// which the time was over.
func (h *Handler) postNow(ctx context.Context, to *audience, frames [][]byte) (
	young, unsent []connections.Target, err error,
) {
	gone, unsent, err := h.Poster.Post(ctx, to.targets, frames)
	for _, t := range gone {
		since := to.connectedAt(t)
		if h.young(since) {
			young = append(young, t)
		} else if err := h.forget(ctx, t.ID, since); err != nil {
			h.logError(ctx, "forget", "", err)
		}
	}
	return young, unsent, err
}

// postTo posts a frame to some connections and gives how many it reached.
func (h *Handler) postTo(ctx context.Context, to []chat.Connection, frame []byte) (int, error) {
	if len(to) == 0 {
		return 0, nil
	}
	a := audienceOf(to)
	defer a.release()
	gone, unsent, err := h.Poster.Post(ctx, a.targets, [][]byte{frame})
	for _, t := range gone {
		if err := h.forget(ctx, t.ID, a.connectedAt(t)); err != nil {
			h.logError(ctx, "forget", "", err)
		}
	}
	return len(to) - len(gone) - len(unsent), err
}

// tellDevices posts an event to the native connections of a user but the one that asks. The action is
// done by then: that it cannot be told is no error of it.
func (h *Handler) tellDevices(ctx context.Context, r *request, user string, e wire.Event) {
	devices, err := h.Service.Devices(ctx, user)
	if err == nil {
		devices = slices.DeleteFunc(devices, func(c chat.Connection) bool {
			return c.ID == r.conn.ID || c.Dialect != native
		})
		_, err = h.postTo(ctx, devices, wire.Append(nil, e))
	}
	if err != nil {
		h.logError(ctx, "tell devices", r.requestID, err)
	}
}

// answerDuplicate tells the sender of a repeated message where the first one is. One that a client of
// a seed dialect sent without an id is the same event delivered again: it has been answered.
func (h *Handler) answerDuplicate(ctx context.Context, r *request, m chat.Message) error {
	if r.isSeed() && r.ID == "" {
		return nil
	}
	head, err := h.Service.HeadOf(ctx, m.Room)
	if err != nil {
		return err
	}
	return h.reply(ctx, r, messageEvent(&head, &m))
}
