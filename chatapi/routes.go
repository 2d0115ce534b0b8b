package chatapi

import (
	"context"
	"fmt"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// routes is the route table: each action and its use case. Every action of package wire is here, those
// of the seed dialects by the name that they have natively.
var routes = map[string]func(*Handler, context.Context, *request) error{
	wire.Hello:           (*Handler).hello,
	wire.JoinRoom:        (*Handler).joinRoom,
	wire.LeaveRoom:       (*Handler).leaveRoom,
	wire.Invite:          (*Handler).invite,
	wire.RemoveMember:    (*Handler).removeMember,
	wire.SendMessage:     (*Handler).sendMessage,
	wire.DeleteMessage:   (*Handler).deleteMessage,
	wire.GetHistory:      (*Handler).history,
	wire.MarkRead:        (*Handler).markRead,
	wire.Ping:            (*Handler).ping,
	wire.ListRooms:       (*Handler).listRooms,
	wire.ListMembers:     (*Handler).listMembers,
	wire.ListUsers:       (*Handler).listUsers,
	wire.SetName:         (*Handler).setName,
	wire.SetTyping:       (*Handler).typing,
	wire.GetConnectionID: (*Handler).getConnectionID,
	wire.SendDirect:      (*Handler).sendDirect,
	wire.GetHelp:         (*Handler).help,
}

// Actions are the names of all actions, for the routes of a gateway.
func Actions() []string { return wire.ActionNames() }

func (h *Handler) joinRoom(ctx context.Context, r *request) error {
	head, err := h.Service.JoinRoom(ctx, r.conn, r.Room, r.Private)
	if err != nil {
		return err
	}
	joined := wire.Joined{ID: r.ID, Room: head.Name, Seq: head.Seq, Epoch: head.Epoch}
	if err := h.reply(ctx, r, joined); err != nil {
		return err
	}
	joined.ID = ""
	h.tellDevices(ctx, r, r.conn.User, joined)
	return nil
}

func (h *Handler) leaveRoom(ctx context.Context, r *request) error {
	head, settled, err := h.Service.LeaveRoom(ctx, r.conn, r.Room)
	if err != nil {
		return err
	}
	if !settled {
		task := Task{Kind: TaskUnsubscribe, Room: head.Room, User: r.conn.User}
		if err := h.Deferrer.Later(ctx, task); err != nil {
			return err
		}
	}
	if err := h.reply(ctx, r, wire.Gone{ID: r.ID, Room: head.Name}); err != nil {
		return err
	}
	removed := wire.Removed{Room: head.Name, Reason: "left on another device"}
	h.tellDevices(ctx, r, r.conn.User, removed)
	return nil
}

func (h *Handler) invite(ctx context.Context, r *request) error {
	head, user, err := h.Service.Invite(ctx, r.conn, r.Room, r.User)
	if err != nil {
		return err
	}
	invited := wire.Invited{ID: r.ID, Room: head.Name, User: user.Name, By: r.conn.User}
	if err := h.reply(ctx, r, invited); err != nil {
		return err
	}
	invited.ID = ""
	h.tellDevices(ctx, r, user.Name, invited)
	return nil
}

func (h *Handler) sendMessage(ctx context.Context, r *request) error {
	if err := r.checkSender(); err != nil {
		return err
	}
	if r.dialect() == wire.DirectDialect && r.Endpoint != "" && !h.isOwn(r.Endpoint, r.host+"/"+r.stage) {
		return chat.BadField("apigw_endpoint", notOwn)
	}
	m := chat.Send{Room: r.Room, To: r.To, ID: r.ID, Text: r.Text}
	if m.ID == "" {
		m.ID = r.messageID
	}
	if err := h.admit(ctx, m); err != nil {
		return err
	}
	stored, err := h.Service.Send(ctx, r.conn, m, func(head chat.Head, stored chat.Message) {
		event := messageEvent(&head, &stored)
		r.errands = h.spread(ctx, push{head: head, event: event, origin: r.conn})
	})
	h.runErrands(ctx, r.errands)
	if err != nil || !stored.Duplicate {
		return err
	}
	return h.answerDuplicate(ctx, r, stored)
}

// checkSender refuses a message that says it is somebody else's, and one of a connection of the
// lounge that has no name yet.
func (r *request) checkSender() error {
	if r.dialect() == wire.LoungeDialect && r.conn.NamedAt.IsZero() {
		return chat.E(chat.Forbidden, "set a name first, with the action setName")
	}
	if r.Alias != wire.Send {
		return nil
	}
	for _, claim := range [...]struct{ field, name string }{{"sent_by", r.SentBy}, {"send_by", r.SendBy}} {
		if claim.name != "" && chat.Fold(claim.name) != chat.Fold(r.conn.User) {
			return chat.BadField(claim.field, "%s: this connection is %s's, and nobody else's messages come from it",
				claim.field, r.conn.User)
		}
	}
	_, err := chat.CleanName("send_to", r.To)
	return err
}

func (h *Handler) deleteMessage(ctx context.Context, r *request) error {
	head, m, err := h.Service.Delete(ctx, r.conn, r.Room, r.Seq)
	if err != nil {
		return err
	}
	if m.From != r.conn.User {
		if err := h.note(ctx, r.conn.User, "delete message", fmt.Sprint(head.Name, " ", m.Seq)); err != nil {
			return err
		}
	}
	deleted := wire.MessageDeleted{Room: head.Name, Seq: m.Seq, By: r.conn.User}
	own := deleted
	own.ID = r.ID
	h.spread(ctx, push{head: head, event: deleted, own: own, origin: r.conn})
	return nil
}

func (h *Handler) history(ctx context.Context, r *request) error {
	span := chat.Range{After: r.After, Before: r.Before, Limit: r.Limit}
	if !r.HasAfter && !r.HasBefore {
		span.Before = chat.Newest
	}
	if r.HasBefore && r.Before == 0 {
		return chat.BadField("before", "before: numbers begin at 1")
	}
	page, err := h.Service.History(ctx, r.conn, r.Room, span)
	if err != nil {
		return err
	}
	answer := wire.History{
		ID: r.ID, Room: page.Head.Name, More: page.More, Seq: page.Head.Seq, Epoch: page.Head.Epoch,
		Messages: make([]wire.Message, len(page.Messages)), FirstSeq: firstSeq(&page.Head),
	}
	for i := range page.Messages {
		answer.Messages[i] = messageEvent(&page.Head, &page.Messages[i])
	}
	return h.reply(ctx, r, answer)
}

func (h *Handler) markRead(ctx context.Context, r *request) error {
	head, seq, err := h.Service.Read(ctx, r.conn, r.Room, r.Seq)
	if err != nil {
		return err
	}
	marker := wire.ReadMarker{ID: r.ID, Room: head.Name, Seq: seq}
	if err := h.reply(ctx, r, marker); err != nil {
		return err
	}
	marker.ID = ""
	h.tellDevices(ctx, r, r.conn.User, marker)
	return nil
}

func (h *Handler) setName(ctx context.Context, r *request) error {
	if r.conn.Session != "" {
		return h.setDisplay(ctx, r)
	}
	c, err := h.Service.SetName(ctx, r.conn, r.NewName)
	if err != nil {
		return err
	}
	switch {
	case inLounge(&c):
		h.renamed(ctx, &r.conn, &c)
	case c.User != r.conn.User:
		h.deferOpened(ctx, &c)
	}
	return h.reply(ctx, r, wire.Named{ID: r.ID, User: c.User})
}

// setDisplay changes what somebody who has signed in is shown as beside the name of its account, and
// tells everyone.
func (h *Handler) setDisplay(ctx context.Context, r *request) error {
	if h.CheckDisplay != nil {
		if err := h.CheckDisplay(ctx, r.conn.User, r.NewName); err != nil {
			return err
		}
	}
	name, err := h.Service.SetDisplay(ctx, r.conn, r.NewName)
	if err != nil {
		return err
	}
	lobby := chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}
	h.spread(ctx, push{head: lobby, event: wire.Profile{User: r.conn.User, Name: name}})
	return h.reply(ctx, r, wire.Named{ID: r.ID, User: r.conn.User, Name: name})
}

func (h *Handler) typing(ctx context.Context, r *request) error {
	head, due, err := h.Service.Typing(ctx, r.conn, r.Room)
	if err != nil || !due {
		return err
	}
	h.spread(ctx, push{
		head:  head,
		event: wire.Typing{Room: head.Name, User: r.conn.User},
		skip:  r.conn.User,
		most:  h.TypingMax,
	})
	return nil
}

func (h *Handler) getConnectionID(ctx context.Context, r *request) error {
	return h.reply(ctx, r, wire.ConnectionID{ID: r.ID, ConnectionID: r.conn.ID})
}

func (h *Handler) sendDirect(ctx context.Context, r *request) error {
	c, err := h.Service.Find(ctx, r.ConnectionID)
	if err != nil {
		return err
	}
	direct := wire.Direct{From: r.conn.User, OperationType: r.OperationType, Message: r.Payload}
	frame, said := wire.Dialect(c.Dialect).Append(nil, direct)
	if !said {
		return chat.E(chat.NotFound, "the connection %q speaks the dialect %s, which shows no payloads",
			c.ID, c.Dialect)
	}
	reached, err := h.postTo(ctx, []chat.Connection{c}, frame)
	if err != nil {
		return err
	}
	if reached == 0 {
		return chat.E(chat.NotFound, "no open connection %q", r.ConnectionID)
	}
	return h.reply(ctx, r, wire.Sent{ID: r.ID})
}

func (h *Handler) help(ctx context.Context, r *request) error {
	return h.reply(ctx, r, wire.Help{ID: r.ID, Actions: wire.HelpActions()})
}
