package client

import (
	"context"
	"fmt"
	"iter"

	"github.com/confab-chat/confab/wire"
)

// Person is a user, and whether somebody uses the name now.
type Person struct {
	User   string
	Name   string // what it is shown as besides, where there is anything
	Online bool
}

// Room is a row of one's rooms.
type Room struct {
	Name    string
	Member  bool   // one is in it; without it and Invited it is a public room
	Seq     uint64 // the number of its last message, of rooms that one is in
	Epoch   string // of rooms that one is in
	Invited bool   // one may join
	By      string // who has invited
}

// list walks through the pages of a list.
func list[E wire.Event, T any](
	ctx context.Context, c *Client, a action, rows func(E) (page []T, last string, more bool),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		a.Limit = wire.MaxLimit
		for {
			answer, err := c.request(ctx, a, false)
			if err != nil {
				yield(none, err)
				return
			}
			e, ok := answer.(E)
			if !ok {
				yield(none, fmt.Errorf("client: %s is answered with %s", a.Action, answer.EventName()))
				return
			}
			page, last, more := rows(e)
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if !more || last == "" {
				return
			}
			a.After = last
		}
	}
}

// Users lists all users that are known. An error ends the list.
func (c *Client) Users(ctx context.Context) iter.Seq2[Person, error] {
	return list(ctx, c, action{Action: wire.ListUsers}, func(e wire.Users) ([]Person, string, bool) {
		page, last := people(e.Users)
		return page, last, e.More
	})
}

// Members lists the members of a room that one is in. An error ends the list.
func (c *Client) Members(ctx context.Context, room string) iter.Seq2[Person, error] {
	a := action{Action: wire.ListMembers, Room: room}
	return list(ctx, c, a, func(e wire.Members) ([]Person, string, bool) {
		page, last := people(e.Members)
		return page, last, e.More
	})
}

func people(rows []wire.Person) (page []Person, last string) {
	for _, p := range rows {
		page, last = append(page, Person(p)), p.User
	}
	return page, last
}

// Rooms lists one's own rooms, one's invitations and the public rooms. An error ends the list.
func (c *Client) Rooms(ctx context.Context) iter.Seq2[Room, error] {
	return list(ctx, c, action{Action: wire.ListRooms}, func(e wire.Rooms) ([]Room, string, bool) {
		page, last := make([]Room, len(e.Rooms)), ""
		for i, r := range e.Rooms {
			page[i] = Room{Name: r.Room, Member: r.Seq != nil, Epoch: r.Epoch, Invited: r.Invited, By: r.By}
			if r.Seq != nil {
				page[i].Seq = *r.Seq
			}
			last = r.Room
		}
		return page, last, e.More
	})
}

// Range says which messages of a room are meant.
type Range struct {
	after, before *uint64
	limit         int
}

// Newest are the last messages of a room, at most limit, 1 to 200.
func Newest(limit int) Range { return Range{limit: limit} }

// After are the messages that follow the number, at most limit, 1 to 200.
func After(seq uint64, limit int) Range { return Range{after: &seq, limit: limit} }

// Before are the last messages in front of the number, at most limit, 1 to 200.
func Before(seq uint64, limit int) Range { return Range{before: &seq, limit: limit} }

// Page is a part of a room's messages, in their order.
type Page struct {
	Room     string
	Messages []Message // tombstones are marked Deleted; numbers that were never used are left out
	More     bool      // there are others in that direction
	Last     uint64    // with After, up to which number the page goes
	Seq      uint64    // the number of the room's last message
	FirstSeq uint64    // messages with a lower number are no longer kept; 0: all are
	Epoch    string
}

// History reads a part of a room's messages, beside the Events.
func (c *Client) History(ctx context.Context, room string, which Range) (Page, error) {
	a := action{Action: wire.GetHistory, Room: room, Before: which.before, Limit: which.limit}
	if which.after != nil {
		a.After = *which.after
	}
	for {
		answer, err := c.request(ctx, a, false)
		if err != nil {
			return Page{}, err
		}
		h, ok := answer.(wire.History)
		if !ok {
			return Page{}, fmt.Errorf("client: history is answered with %s", answer.EventName())
		}
		if len(h.Messages) > 0 || !h.More {
			return newPage(h), nil
		}
		// A number was given and is not stored yet (docs/protocol.md, "history").
		if err := sleep(ctx, settleFor); err != nil {
			return Page{}, err
		}
	}
}

func newPage(h wire.History) Page {
	p := Page{Room: h.Room, More: h.More, Seq: h.Seq, FirstSeq: h.FirstSeq, Epoch: h.Epoch}
	for i := range h.Messages {
		m := &h.Messages[i]
		m.Room, p.Last = h.Room, m.Seq
		if m.Epoch == "" {
			m.Epoch = h.Epoch
		}
		if !m.Void {
			p.Messages = append(p.Messages, message(m))
		}
	}
	return p
}

// Log reads a room's messages from after a number to the last one. An error ends it.
func (c *Client) Log(ctx context.Context, room string, after uint64) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for more := true; more; {
			p, err := c.History(ctx, room, After(after, wire.MaxLimit))
			if err != nil {
				yield(Message{}, err)
				return
			}
			for _, m := range p.Messages {
				if !yield(m, nil) {
					return
				}
			}
			after, more = max(after, p.Last), p.More
		}
	}
}
