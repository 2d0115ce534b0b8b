//go:build !race

package chatapi_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/confab-chat/confab/chat"
)

// modelRoom is a room as the model of F15 has it.
type modelRoom struct {
	private  bool
	owner    string
	state    map[string]string // by user: in, invited, left
	messages []modelMessage
	read     map[string]uint64
}

type modelMessage struct {
	from, id, text string
	deleted        bool
}

// model is the domain in a few lines, written from docs/protocol.md alone.
type model map[string]*modelRoom

// may gives the kind of refusal of one who wants what members may.
func (m model) may(room, user string) chat.Kind {
	r := m[room]
	switch {
	case r == nil || r.state[user] == "" || r.state[user] == "invited":
		return chat.NotFound
	case r.state[user] == "left":
		return chat.NotMember
	}
	return allowed
}

func (m model) join(room, user string, private bool) chat.Kind {
	r := m[room]
	if r == nil {
		m[room] = &modelRoom{
			private: private, owner: user, state: map[string]string{user: "in"},
			read: map[string]uint64{},
		}
		return allowed
	}
	if private && r.owner != user {
		return chat.Taken
	}
	if r.private && r.owner != user && r.state[user] != "in" && r.state[user] != "invited" {
		return chat.Taken
	}
	r.state[user] = "in"
	return allowed
}

func (m model) leave(room, user string) chat.Kind {
	if r := m[room]; r == nil || r.state[user] == "" {
		return chat.NotFound
	}
	m[room].state[user] = "left"
	return allowed
}

func (m model) invite(room, by, user string) chat.Kind {
	kind := m.may(room, by)
	if kind == allowed && m[room].state[user] != "in" {
		m[room].state[user] = "invited"
	}
	return kind
}

// send gives the number, and whether the message was there already.
func (m model) send(room, user, id, text string) (kind chat.Kind, seq uint64, duplicate bool) {
	if kind := m.may(room, user); kind != allowed {
		return kind, 0, false
	}
	r := m[room]
	for i, old := range r.messages {
		if old.from == user && old.id == id {
			if old.text != text {
				return chat.IDReused, 0, false
			}
			return allowed, uint64(i + 1), true
		}
	}
	r.messages = append(r.messages, modelMessage{from: user, id: id, text: text})
	return allowed, uint64(len(r.messages)), false
}

func (m model) delete(room, user string, seq uint64) chat.Kind {
	if kind := m.may(room, user); kind != allowed {
		return kind
	}
	r := m[room]
	switch {
	case seq == 0 || seq > uint64(len(r.messages)):
		return chat.NotFound
	case r.messages[seq-1].from != user && r.owner != user:
		return chat.Forbidden
	}
	r.messages[seq-1].deleted = true
	return allowed
}

func (m model) markRead(room, user string, seq uint64) chat.Kind {
	kind := m.may(room, user)
	if kind == allowed {
		r := m[room]
		r.read[user] = max(r.read[user], min(seq, uint64(len(r.messages))))
	}
	return kind
}

// lines is what a user sees of a room after a number.
func (m model) lines(room string, after uint64) []string {
	lines := []string{}
	for i, old := range m[room].messages {
		switch {
		case uint64(i+1) <= after:
		case old.deleted:
			lines = append(lines, fmt.Sprintf("%d deleted", i+1))
		default:
			lines = append(lines, fmt.Sprintf("%d %s: %s", i+1, old.from, old.text))
		}
	}
	return lines
}

func linesOf(messages []chat.Message) []string {
	lines := []string{}
	for _, m := range messages {
		if m.State == chat.Deleted {
			lines = append(lines, fmt.Sprintf("%d deleted", m.Seq))
		} else {
			lines = append(lines, fmt.Sprintf("%d %s: %s", m.Seq, m.From, m.Text))
		}
	}
	return lines
}

// modelRun is the domain beside the model.
type modelRun struct {
	*rapid.T
	w *world
	m model
}

var (
	modelUsers = []string{"alice", "bob", "carol", "dave"}
	modelRooms = []string{"tea", "coffee", "den"}
)

func kindOf(err error) chat.Kind {
	if err == nil {
		return allowed
	}
	return chat.KindOf(err)
}

// allowed stands for success.
const allowed = chat.Kind(255)

func (r *modelRun) same(what string, got, want any) {
	r.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// act does one operation on both and compares the answers.
func (r *modelRun) act() {
	user := rapid.SampledFrom(modelUsers).Draw(r.T, "user")
	room := rapid.SampledFrom(modelRooms).Draw(r.T, "room")
	seq := rapid.Uint64Range(0, 12).Draw(r.T, "seq")
	c, svc, ctx := chat.Connection{ID: user + "1", User: user}, r.w.h.Service, r.w.ctx
	op := rapid.SampledFrom([]string{
		"join", "join", "private", "leave", "invite", "send", "send", "send", "send", "delete", "read", "resume",
	}).Draw(r.T, "op")
	what := op + " " + user + " " + room
	switch op {
	case "join", "private":
		_, err := svc.JoinRoom(ctx, c, room, op == "private")
		r.same(what, kindOf(err), r.m.join(room, user, op == "private"))
	case "leave":
		_, _, err := svc.LeaveRoom(ctx, c, room)
		r.same(what, kindOf(err), r.m.leave(room, user))
	case "invite":
		other := rapid.SampledFrom(modelUsers).Draw(r.T, "other")
		_, _, err := svc.Invite(ctx, c, room, other)
		r.same(what, kindOf(err), r.m.invite(room, user, other))
	case "send":
		r.send(c, room, what)
	case "delete":
		_, _, err := svc.Delete(ctx, c, room, seq)
		r.same(what, kindOf(err), r.m.delete(room, user, seq))
	case "read":
		_, _, err := svc.Read(ctx, c, room, seq)
		r.same(what, kindOf(err), r.m.markRead(room, user, seq))
	case "resume":
		r.resume(c, room, seq, what)
	}
}

func (r *modelRun) send(c chat.Connection, room, what string) {
	id := rapid.SampledFrom([]string{"m1", "m2", "m3", "m4", "m5", "m6"}).Draw(r.T, "id")
	text := rapid.SampledFrom([]string{"hi", "hi", "hi", "ho"}).Draw(r.T, "text")
	before := 0
	if r.m[room] != nil {
		before = len(r.m[room].messages)
	}
	told := 0
	stored, err := r.w.h.Service.Send(r.w.ctx, c, chat.Send{Room: room, ID: id, Text: text},
		func(h chat.Head, m chat.Message) {
			told++
			r.same(what+": receivers", r.receivers(h), r.members(room))
			r.same(what+": head's number", h.Seq, m.Seq)
		})
	kind, seq, duplicate := r.m.send(room, c.User, id, text)
	r.same(what, kindOf(err), kind)
	if err == nil {
		r.same(what+": number", stored.Seq, seq)
		r.same(what+": duplicate", stored.Duplicate, duplicate)
	}
	if after := r.m[room]; after != nil {
		r.same(what+": told", told, len(after.messages)-before)
	}
}

// members are the connections of a room's members.
func (r *modelRun) members(room string) []string {
	ids := []string{}
	for user, state := range r.m[room].state {
		if state == "in" {
			ids = append(ids, user+"1")
		}
	}
	slices.Sort(ids)
	return ids
}

func (r *modelRun) receivers(h chat.Head) []string {
	ids := []string{}
	for c, err := range r.w.h.Service.Receivers(r.w.ctx, h) {
		r.w.ok(err)
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

func (r *modelRun) resume(c chat.Connection, room string, seq uint64, what string) {
	foreign := rapid.IntRange(0, 3).Draw(r.T, "foreign") == 0
	epoch := "foreign"
	if head, err := r.w.h.Service.HeadOf(r.w.ctx, room); err == nil && !foreign {
		epoch = head.Epoch
	}
	lines := []string{}
	missed, ok, err := r.w.h.Service.Resume(r.w.ctx, c, chat.Cursor{Room: room, Epoch: epoch, Seq: seq}, 1000,
		func(p chat.Page) error {
			lines = append(lines, linesOf(p.Messages)...)
			return nil
		})
	r.same(what, err, nil)
	in := r.m.may(room, c.User) == allowed
	r.same(what+": answered", ok, in)
	if !in {
		r.same(what+": shown", len(lines), 0)
		return
	}
	reset := foreign || seq > uint64(len(r.m[room].messages))
	r.same(what+": reset", missed.Reset != "", reset)
	if !reset {
		r.same(what+": shown", lines, r.m.lines(room, seq))
		r.same(what+": the last", missed.Seq, len(r.m[room].messages))
	}
}

// compare compares all that can be read.
func (r *modelRun) compare() {
	svc, ctx := r.w.h.Service, r.w.ctx
	for _, room := range slices.Sorted(maps.Keys(r.m)) {
		head, err := svc.HeadOf(ctx, room)
		r.w.ok(err)
		r.same(room+": owner", head.Owner, r.m[room].owner)
		r.same(room+": receivers", r.receivers(head), r.members(room))
		for _, user := range modelUsers {
			p, err := svc.History(ctx, chat.Connection{User: user}, room, chat.Range{Limit: chat.MaxPage})
			r.same(user+" reads "+room, kindOf(err), r.m.may(room, user))
			if err == nil {
				r.same(user+" in "+room, linesOf(p.Messages), r.m.lines(room, 0))
			}
		}
	}
	for _, user := range modelUsers {
		got, want := []string{}, []string{}
		states, err := svc.Rooms(ctx, user)
		r.w.ok(err)
		for _, s := range states {
			if s.Head.Room != chat.Lobby {
				got = append(got, fmt.Sprint(s.Head.Room, s.Head.Seq, s.Member.Read))
			}
		}
		for _, room := range slices.Sorted(maps.Keys(r.m)) {
			if m := r.m[room]; m.state[user] == "in" {
				want = append(want, fmt.Sprint(room, uint64(len(m.messages)), m.read[user]))
			}
		}
		r.same(user+"'s rooms", got, want)
	}
}

// TestF15_Model is F15: the domain and a model of it give the same answers to random operations.
func TestF15_Model(t *testing.T) {
	runs := "500"
	if deep() {
		runs = "5000"
	}
	seed := fmt.Sprint(1 + rand.Uint64()>>1) // 0 is no seed to package rapid
	for name, value := range map[string]string{
		"rapid.checks": runs, "rapid.nofailfile": "true", "rapid.seed": seed,
	} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	const operations = 100
	acked := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		for _, user := range modelUsers {
			w.connect(user + "1")
		}
		r := &modelRun{T: rt, w: w, m: model{}}
		for i := range operations {
			r.act()
			if i%10 == 9 {
				r.compare()
			}
		}
		for _, room := range r.m {
			acked += len(room.messages)
		}
	})
	t.Logf("faults=0 acked=%d lost=0 dup=0 reorder=0 seed=%s", acked, seed)
}
