package storetest

import (
	"fmt"
	"maps"
	"time"

	"github.com/confab-chat/confab/chat"
)

// gen is the model's generation of a room.
func (r *logRun) gen(room string) uint64 {
	heads, _ := r.model.Heads(r.ctx, []string{room})
	if len(heads) == 0 {
		return 0
	}
	return heads[0].Gen
}

// allowed leaves out what the contract does not speak of.
func (r *logRun) allowed(o op) bool {
	m, _, err := r.model.Member(r.ctx, o.Room, o.User)
	special := o.Room == chat.Lobby || o.Room[0] == '@'
	switch o.Name {
	case "leave":
		return !special
	case "join":
		return o.Room[0] != '@'
	case "invite":
		invited, _, err := r.model.Member(r.ctx, o.Room, o.Other)
		byOther := err == nil && invited.State == chat.Invited && invited.InvitedBy != o.User
		return !special && !byOther
	case "read":
		return err == nil && m.State == chat.Joined
	}
	return true
}

// apply runs an operation on a log.
func (r *logRun) apply(log chat.Log, o op) outcome {
	switch o.Name {
	case "append":
		return r.append(log, o)
	case "join":
		m, h, err := log.Join(r.ctx, chat.Join{Room: o.Room, Name: o.Room, User: o.User, Kind: o.Kind})
		return outcomeOf(err, m, h)
	case "invite":
		m, h, err := log.Join(r.ctx, chat.Join{Room: o.Room, User: o.Other, By: o.User})
		return outcomeOf(err, m, h)
	case "direct":
		user := []string{"ann", "bob"}[o.N%2]
		m, h, err := log.Join(r.ctx, chat.Join{
			Room: "@ann,bob", Name: "@ann,bob", User: user, Kind: chat.DirectRoom,
		})
		return outcomeOf(err, m, h)
	case "leave":
		return outcomeOf(log.Leave(r.ctx, o.Room, o.User))
	case "delete":
		m, err := log.Delete(r.ctx, o.Room, uint64(o.N), map[bool]string{true: o.User}[o.Kind != 0])
		return outcomeOf(err, m)
	case "after":
		p, err := log.Messages(r.ctx, o.Room, chat.Range{After: uint64(o.N), Limit: 1 + 3*o.N})
		return outcomeOf(err, p)
	case "before":
		before := []uint64{chat.Newest, 1, 2, 3, 5, 9}[o.N]
		p, err := log.Messages(r.ctx, o.Room, chat.Range{Before: before, Limit: 1 + o.N%3})
		return outcomeOf(err, p)
	}
	return r.list(log, o)
}

// list runs the operations that read lists, and those of users.
func (r *logRun) list(log chat.Log, o op) outcome {
	switch o.Name {
	case "heads":
		heads, err := log.Heads(r.ctx, modelRooms)
		byRoom := map[string]chat.Head{}
		for _, h := range heads {
			byRoom[h.Room] = h
		}
		return outcomeOf(err, byRoom)
	case "member":
		m, h, err := log.Member(r.ctx, o.Room, o.User)
		return outcomeOf(err, m, h)
	case "members":
		rows, more, err := log.Members(r.ctx, o.Room, o.Other, 1+o.N)
		return outcomeOf(err, rows, more)
	case "public":
		rows, more, err := log.PublicRooms(r.ctx, map[bool]string{true: o.Room}[o.Kind != 0], 1+o.N)
		return outcomeOf(err, rows, more)
	case "roomsOf":
		rows, err := log.RoomsOf(r.ctx, o.User)
		return outcomeOf(err, rows)
	case "read":
		return outcomeOf(log.MarkRead(r.ctx, o.User, o.Room, uint64(o.N)))
	case "put":
		return outcomeOf(log.PutUser(r.ctx, chat.User{Name: spelling(o), Since: Start}))
	case "user":
		u, err := log.User(r.ctx, spelling(o))
		return outcomeOf(err, u)
	case "users":
		rows, more, err := log.Users(r.ctx, map[bool]string{true: o.User}[o.Kind != 0], 1+o.N)
		return outcomeOf(err, rows, more)
	}
	return outcome{}
}

// spelling gives one of several ways to write the user's name.
func spelling(o op) string {
	spellings := map[string][]string{
		"ann": {"ann", "Ann", "ANN"}, "bob": {"bob", "BOB", "boB"},
		"cyd": {"cyd", "Cyd", "CYD"}, "Zoë": {"Zoë", "zoë", "ZOË"},
	}
	return spellings[o.User][o.N%3]
}

// append sends one of few ids with one of two texts.
func (r *logRun) append(log chat.Log, o op) outcome {
	d := chat.Draft{
		Room: o.Room, From: o.User, ID: fmt.Sprintf("m%d", o.N), Text: "text of " + o.Other[:1], At: r.clock.Now(),
	}
	var told []any
	m, err := log.Append(r.ctx, d, func(h chat.Head, m chat.Message) { told = append(told, r.head(h), m) })
	return outcomeOf(err, m, told)
}

// forget makes equal what stores need not give alike: epochs, the generation of who has not
// joined, and who left so long ago that it may be forgotten.
func (r *logRun) forget(o outcome) {
	for i, value := range o.Values {
		switch v := value.(type) {
		case chat.Head:
			o.Values[i] = r.head(v)
		case chat.Page:
			v.Head = r.head(v.Head)
			o.Values[i] = v
		case map[string]chat.Head:
			for room, h := range v {
				v[room] = r.head(h)
			}
		case chat.Member:
			o.Values[i] = member(v)
		case []chat.Member:
			for n := range v {
				v[n] = member(v[n])
			}
		}
	}
}

func (r *logRun) head(h chat.Head) chat.Head {
	h.Epoch = ""
	h.Removed = maps.Clone(h.Removed)
	maps.DeleteFunc(h.Removed, func(user string, _ uint64) bool {
		return r.clock.Now().Sub(r.left[h.Room+" "+user]) > chat.SubscriptionTTL-time.Minute
	})
	return h
}

func member(m chat.Member) chat.Member {
	if m.State != chat.Joined {
		m.Gen = 0
	}
	return m
}
