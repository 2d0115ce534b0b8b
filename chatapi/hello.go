package chatapi

import (
	"context"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// protocolVersion counts breaking changes of the native protocol.
const protocolVersion = 1

// hello answers with welcome, then with what the connection missed, room by room.
func (h *Handler) hello(ctx context.Context, r *request) error {
	rooms, err := h.Service.Rooms(ctx, r.conn.User)
	if err != nil {
		return err
	}
	shown, err := h.Service.Displays(ctx, []string{r.conn.User})
	if err != nil {
		return err
	}
	welcome := wire.Welcome{
		ID: r.ID, Protocol: protocolVersion, Server: h.Version,
		User: r.conn.User, Name: shown[r.conn.User], ConnectionID: r.conn.ID,
		HeartbeatSeconds: int(h.Heartbeat.Seconds()), Pipeline: h.Pipeline,
		MaxConnectionSeconds: int(h.life(&r.conn).Seconds()),
		Notice:               h.Notice,
		Rooms:                make([]wire.WelcomeRoom, len(rooms)),
	}
	for i, room := range rooms {
		welcome.Rooms[i] = wire.WelcomeRoom{
			Room: room.Head.Name, Seq: room.Head.Seq, Epoch: room.Head.Epoch, Read: room.Member.Read,
			FirstSeq: firstSeq(&room.Head),
		}
	}
	if err := h.reply(ctx, r, welcome); err != nil {
		return err
	}
	for _, cursor := range r.Resume {
		if err := h.resume(ctx, r, chat.Cursor(cursor)); err != nil {
			return err
		}
	}
	return nil
}

// life is how long a connection can live where connections end: not longer than what vouches for it,
// so that clients come again in time, with a newer one. 0: it has no end.
func (h *Handler) life(c *chat.Connection) time.Duration {
	if h.MaxConnection == 0 {
		return 0
	}
	return c.Until.Sub(c.ConnectedAt)
}

func (h *Handler) resume(ctx context.Context, r *request, cursor chat.Cursor) error {
	missed, ok, err := h.Service.Resume(ctx, r.conn, cursor, h.ResumeMax, func(p chat.Page) error {
		frames := make([][]byte, len(p.Messages))
		for i := range p.Messages {
			frames[i] = wire.Append(nil, messageEvent(&p.Head, &p.Messages[i]))
		}
		return h.send(ctx, r, frames)
	})
	if err != nil || !ok {
		return err
	}
	if h.Observe != nil {
		h.Observe.Resumed(missed.Reset != "")
	}
	room := missed.Head.Name
	if missed.Reset != "" {
		return h.reply(ctx, r, wire.Reset{
			ID: r.ID, Room: room, Epoch: missed.Head.Epoch, FirstSeq: missed.Head.Cut + 1,
			Reason: missed.Reset,
		})
	}
	return h.reply(ctx, r, wire.Resumed{ID: r.ID, Room: room, Seq: missed.Seq, More: missed.More})
}

// Resync tells a connection, whose frames were dropped and which reads again, how far its rooms
// are: it fetches what it has not seen. The seed dialects have no word for it.
func (h *Handler) Resync(ctx context.Context, connectionID string) error {
	c, err := h.Service.Find(ctx, connectionID)
	if chat.Is(err, chat.NotFound) {
		return nil
	}
	if err != nil || c.Dialect != native {
		return err
	}
	rooms, err := h.Service.Rooms(ctx, c.User)
	if err != nil {
		return err
	}
	frames := make([][]byte, len(rooms))
	for i, room := range rooms {
		frames[i] = wire.Append(nil, wire.Resync{Room: room.Head.Name, Seq: room.Head.Seq})
	}
	return h.send(ctx, &request{conn: c}, frames)
}
