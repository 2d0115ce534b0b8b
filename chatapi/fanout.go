package chatapi

import (
	"context"
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
	origin chat.Connection // gets it first, and always; ID "" is none
	skip   string          // a user who gets nothing
	most   int             // a room with more connections gets nothing; 0: any
}

// plain tells whether everyone in the room gets the same of it.
func (p *push) plain() bool {
	return p.own == nil && p.skip == "" && p.most == 0 && len(p.head.Removed) == 0
}

// spread tells a room. Where one process holds all sockets the room's worker does it, so that
// every connection gets the room's events in order; else it happens here.
func (h *Handler) spread(ctx context.Context, p push) {
	if h.Rooms != nil {
		h.Rooms.enqueue(h, p)
		return
	}
	h.deliver(ctx, []push{p})
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
func (h *Handler) deliver(ctx context.Context, pushes []push) {
	for len(pushes) > 0 {
		n := 1
		if pushes[0].plain() {
			for n < len(pushes) && pushes[n].plain() {
				n++
			}
		}
		if err := h.deliverAlike(ctx, pushes[:n]); err != nil {
			h.logError(ctx, "fan-out", "", err)
		}
		pushes = pushes[n:]
	}
}

func (h *Handler) deliverAlike(ctx context.Context, pushes []push) error {
	last := &pushes[len(pushes)-1]
	to, err := h.audience(ctx, last, pushes)
	if err != nil || last.most > 0 && len(to) > last.most {
		return err
	}
	frames := make([][]byte, len(pushes))
	for i := range pushes {
		frames[i] = wire.Append(nil, pushes[i].event)
	}
	if last.own != nil && len(to) > 0 {
		if err := h.post(ctx, to[:1], [][]byte{wire.Append(nil, last.own)}); err != nil {
			return err
		}
		to = to[1:]
	}
	return h.post(ctx, to, frames)
}

// audience lists who gets the pushes: the origins first, then everyone else in the room.
func (h *Handler) audience(ctx context.Context, last *push, pushes []push) ([]Address, error) {
	var to []Address
	for i := range pushes {
		o := &pushes[i].origin
		if o.ID != "" && !slices.ContainsFunc(to, func(a Address) bool { return a.ID == o.ID }) {
			to = append(to, Address{connections.Target{ID: o.ID, Endpoint: o.Endpoint}, o.ConnectedAt})
		}
	}
	origins := to
	for r, err := range h.Service.Receivers(ctx, last.head) {
		if err != nil {
			return nil, err
		}
		if r.User == last.skip || isOrigin(origins, r.ID) {
			continue
		}
		if h.MaxReceivers > 0 && len(to) >= h.MaxReceivers {
			h.Logger.WarnContext(ctx, "room is over the limit of receivers", "limit", h.MaxReceivers)
			break
		}
		to = append(to, Address{connections.Target{ID: r.ID, Endpoint: r.Endpoint}, r.ConnectedAt})
	}
	return to, nil
}

func isOrigin(origins []Address, id string) bool {
	for i := range origins {
		if origins[i].ID == id {
			return true
		}
	}
	return false
}

// post sends frames to addresses: to the first Inline of them now, to the others by tasks.
func (h *Handler) post(ctx context.Context, to []Address, frames [][]byte) error {
	now := to
	if h.Inline > 0 && len(to) > h.Inline {
		now = to[:h.Inline]
		for shard := range slices.Chunk(to[h.Inline:], taskReceivers) {
			if err := h.Deferrer.Later(ctx, fanoutTask(shard, frames)); err != nil {
				return err
			}
		}
	}
	young, unsent, err := h.postNow(ctx, now, frames)
	if later := append(young, unsent...); len(later) > 0 {
		if err := h.Deferrer.Later(ctx, fanoutTask(later, frames)); err != nil {
			return err
		}
	}
	return err
}

// postNow posts and forgets who is gone. It gives those who may be not yet open, and those for
// which the time was over.
func (h *Handler) postNow(ctx context.Context, to []Address, frames [][]byte) (young, unsent []Address, err error) {
	targets := make([]connections.Target, len(to))
	for i := range to {
		targets[i] = to[i].Target
	}
	gone, left, err := h.Poster.Post(ctx, targets, frames)
	for _, t := range gone {
		a := addressOf(to, t)
		if h.Now().Sub(a.ConnectedAt) <= suspectAge {
			young = append(young, a)
			continue
		}
		if err := h.Service.Disconnect(ctx, a.ID); err != nil {
			h.logError(ctx, "forget", "", err)
		}
	}
	for _, t := range left {
		unsent = append(unsent, addressOf(to, t))
	}
	return young, unsent, err
}

func addressOf(to []Address, t connections.Target) Address {
	i := slices.IndexFunc(to, func(a Address) bool { return a.Target == t })
	return to[i]
}

// postTo posts an event to some connections and gives how many it reached.
func (h *Handler) postTo(ctx context.Context, to []chat.Connection, e wire.Event) (reached int, err error) {
	if len(to) == 0 {
		return 0, nil
	}
	addresses := make([]Address, len(to))
	for i, c := range to {
		addresses[i] = Address{connections.Target{ID: c.ID, Endpoint: c.Endpoint}, c.ConnectedAt}
	}
	targets := make([]connections.Target, len(to))
	for i := range addresses {
		targets[i] = addresses[i].Target
	}
	gone, unsent, err := h.Poster.Post(ctx, targets, [][]byte{wire.Append(nil, e)})
	for _, t := range gone {
		a := addressOf(addresses, t)
		if err := h.forget(ctx, a.ID, a.ConnectedAt); err != nil {
			h.logError(ctx, "forget", "", err)
		}
	}
	return len(to) - len(gone) - len(unsent), err
}

// tellDevices posts an event to the connections of a user but the one that asks.
func (h *Handler) tellDevices(ctx context.Context, r *request, user string, e wire.Event) error {
	devices, err := h.Service.Devices(ctx, user)
	if err != nil {
		return err
	}
	devices = slices.DeleteFunc(devices, func(c chat.Connection) bool { return c.ID == r.conn.ID })
	_, err = h.postTo(ctx, devices, e)
	return err
}

// answerDuplicate tells the sender of a repeated message where the first one is.
func (h *Handler) answerDuplicate(ctx context.Context, r *request, m chat.Message) error {
	head, err := h.Service.HeadOf(ctx, m.Room)
	if err != nil {
		return err
	}
	return h.reply(ctx, r, messageEvent(&head, &m))
}
