package chatapi

import (
	"cmp"
	"context"
	"strings"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// messageEvent gives a message of a room as its members see it.
func messageEvent(head *chat.Head, m *chat.Message) wire.Message {
	return wire.Message{
		Room: head.Name, Seq: m.Seq, Epoch: head.Epoch, ID: m.ID, From: m.From, Text: m.Text, At: m.At,
		Void: m.State == chat.Void, Deleted: m.State == chat.Deleted, Duplicate: m.Duplicate,
	}
}

// firstSeq is the first number that a room keeps, 0 if it keeps all.
func firstSeq(head *chat.Head) uint64 {
	if head.Cut == 0 {
		return 0
	}
	return head.Cut + 1
}

func (h *Handler) ping(ctx context.Context, r *request) error {
	rooms, err := h.Service.Rooms(ctx, r.conn.User)
	if err != nil {
		return err
	}
	pong := wire.Pong{ID: r.ID, Rooms: make([]wire.Head, len(rooms))}
	for i, room := range rooms {
		pong.Rooms[i] = wire.Head{Room: room.Head.Name, Seq: room.Head.Seq, Epoch: room.Head.Epoch}
	}
	return h.reply(ctx, r, pong)
}

func (h *Handler) listRooms(ctx context.Context, r *request) error {
	rows, more, err := h.Service.ListRooms(ctx, r.conn, r.Cursor, r.Limit)
	if err != nil {
		return err
	}
	answer := wire.Rooms{ID: r.ID, More: more, Rooms: make([]wire.RoomItem, len(rows))}
	for i, row := range rows {
		item := wire.RoomItem{Room: row.Name, Invited: row.InvitedBy != "", By: row.InvitedBy}
		if row.Head != nil {
			item.Seq, item.Epoch = &row.Head.Seq, row.Head.Epoch
		}
		answer.Rooms[i] = item
	}
	return h.reply(ctx, r, answer)
}

func (h *Handler) listMembers(ctx context.Context, r *request) error {
	head, people, more, err := h.Service.ListMembers(ctx, r.conn, r.Room, r.Cursor, r.Limit)
	if err != nil {
		return err
	}
	answer := wire.Members{ID: r.ID, Room: head.Name, Members: persons(people), More: more}
	return h.reply(ctx, r, answer)
}

// maxContacts is how many users the dialect directory is told of: it has no second page.
const maxContacts = chat.MaxPage

func (h *Handler) listUsers(ctx context.Context, r *request) error {
	if r.dialect() == wire.DirectoryDialect {
		return h.listContacts(ctx, r)
	}
	people, more, err := h.Service.ListUsers(ctx, r.Cursor, r.Limit)
	if err != nil {
		return err
	}
	return h.reply(ctx, r, wire.Users{ID: r.ID, Users: persons(people), More: more})
}

// listContacts answers users in the dialect directory. Guests are none of its users: there are as many
// of them as connections of other dialects that gave no name, and who has one would be lost among them.
func (h *Handler) listContacts(ctx context.Context, r *request) error {
	var contacts []chat.Person
	limit := cmp.Or(r.Limit, maxContacts)
	cursor, more := r.Cursor, true
	for more && len(contacts) < limit {
		people, others, err := h.Service.ListUsers(ctx, cursor, limit)
		if err != nil {
			return err
		}
		more = others && len(people) > 0
		for _, p := range people {
			cursor = p.User
			if !strings.HasPrefix(p.User, auth.GuestPrefix) && len(contacts) < limit {
				contacts = append(contacts, p)
			}
		}
		if strings.HasPrefix(cursor, auth.GuestPrefix) {
			cursor = auth.GuestPrefix + "\x7f" // behind them all
		}
	}
	return h.reply(ctx, r, wire.Users{ID: r.ID, Users: persons(contacts)})
}

func persons(people []chat.Person) []wire.Person {
	list := make([]wire.Person, len(people))
	for i, p := range people {
		list[i] = wire.Person(p)
	}
	return list
}
