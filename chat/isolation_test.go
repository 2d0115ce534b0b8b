package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// allowed stands for success in the matrix.
const allowed = chat.Kind(255)

// roles is the order of the columns: owner, member, ex-member, invited, stranger.
var roles = []string{"owner", "member", "former", "invited", "stranger"}

// useCases are all use cases that name a room, each as one user's call.
var useCases = map[string]func(w *world, c chat.Connection, room string) error{
	"send": func(w *world, c chat.Connection, room string) error {
		_, err := w.svc.Send(w.ctx, c, chat.Send{Room: room, ID: "m9", Text: "x"}, nobody)
		return err
	},
	"repeat": func(w *world, c chat.Connection, room string) error { // of a message that c sent as a member
		_, err := w.svc.Send(w.ctx, c, chat.Send{Room: room, ID: "own", Text: "own"}, nobody)
		return err
	},
	"history": func(w *world, c chat.Connection, room string) error {
		_, err := w.svc.History(w.ctx, c, room, chat.Range{})
		return err
	},
	"read": func(w *world, c chat.Connection, room string) error {
		_, _, err := w.svc.Read(w.ctx, c, room, 1)
		return err
	},
	"members": func(w *world, c chat.Connection, room string) error {
		_, _, _, err := w.svc.ListMembers(w.ctx, c, room, "", 0)
		return err
	},
	"typing": func(w *world, c chat.Connection, room string) error {
		_, _, err := w.svc.Typing(w.ctx, c, room)
		return err
	},
	"invite": func(w *world, c chat.Connection, room string) error {
		_, _, err := w.svc.Invite(w.ctx, c, room, "bystander")
		return err
	},
	"delete": func(w *world, c chat.Connection, room string) error { // the owner's message
		_, _, err := w.svc.Delete(w.ctx, c, room, 1)
		return err
	},
	"join": func(w *world, c chat.Connection, room string) error {
		_, err := w.svc.JoinRoom(w.ctx, c, room, false)
		return err
	},
	"join private": func(w *world, c chat.Connection, room string) error {
		_, err := w.svc.JoinRoom(w.ctx, c, room, true)
		return err
	},
	"leave": func(w *world, c chat.Connection, room string) error {
		_, _, err := w.svc.LeaveRoom(w.ctx, c, room)
		return err
	},
	"resume": func(w *world, c chat.Connection, room string) error { // a room left out is NotFound here
		_, ok, err := w.svc.Resume(w.ctx, c, chat.Cursor{Room: room}, 9, func(chat.Page) error { return nil })
		if err == nil && !ok {
			return chat.E(chat.NotFound, "left out")
		}
		return err
	},
}

// matrix has the expected kind of each use case for each role.
type matrix map[string][5]chat.Kind

const (
	yes = allowed
	nf  = chat.NotFound
	nm  = chat.NotMember
	no  = chat.Forbidden
	tk  = chat.Taken
)

// membersOnly are the rows that are the same for public and private rooms.
var membersOnly = matrix{
	"send":    {yes, yes, nm, nf, nf},
	"repeat":  {yes, yes, nm, nf, nf},
	"history": {yes, yes, nm, nf, nf},
	"read":    {yes, yes, nm, nf, nf},
	"members": {yes, yes, nm, nf, nf},
	"typing":  {yes, yes, nm, nf, nf},
	"invite":  {yes, yes, nm, nf, nf},
	"delete":  {yes, no, nm, nf, nf},
	"resume":  {yes, yes, nf, nf, nf},
	"leave":   {yes, yes, yes, yes, nf},
}

var publicRoom = matrix{
	"join":         {yes, yes, yes, yes, yes},
	"join private": {yes, tk, tk, tk, tk},
}

var privateRoom = matrix{
	"join":         {yes, yes, tk, yes, tk},
	"join private": {yes, tk, tk, tk, tk},
}

// cast makes the room with one user of each role.
func cast(w *world, room string, private bool) map[string]chat.Connection {
	users := map[string]chat.Connection{}
	for _, role := range append(roles, "bystander") {
		users[role] = w.open(role)
	}
	owner := users["owner"]
	_, err := w.svc.JoinRoom(w.ctx, owner, room, private)
	w.ok(err)
	w.send(owner, room, "own", "own")
	for _, role := range []string{"member", "former", "invited"} {
		_, _, err := w.svc.Invite(w.ctx, owner, room, role)
		w.ok(err)
	}
	for _, role := range []string{"member", "former"} {
		w.join(room, users[role])
		w.send(users[role], room, "own", "own")
	}
	w.leave(room, users["former"])
	return users
}

func TestService_isolation(t *testing.T) {
	for kind, rows := range map[string]matrix{"public": publicRoom, "private": privateRoom} {
		for name, run := range useCases {
			row, ok := rows[name]
			if !ok {
				row, ok = membersOnly[name]
			}
			if !ok {
				t.Fatalf("%s has no row in the matrix", name)
			}
			for i, role := range roles {
				sub(t, fmt.Sprintf("%s/%s/%s", kind, name, role), func(w *world) {
					users := cast(w, "den", kind == "private")
					err := run(w, users[role], "den")
					if row[i] == allowed {
						w.ok(err)
					} else {
						wantKind(w.T, err, row[i])
					}
				})
			}
		}
	}
}

// A direct room has two members of the same right and is closed to all others.
func TestService_isolation_direct(t *testing.T) {
	rows := map[string][3]chat.Kind{ // the author of the first message, the other user, a stranger
		"send": {yes, yes, nf}, "repeat": {yes, yes, nf}, "history": {yes, yes, nf}, "read": {yes, yes, nf},
		"members": {yes, yes, nf}, "typing": {yes, yes, nf}, "invite": {no, no, nf}, "delete": {yes, no, nf},
		"join": {yes, yes, nf}, "join private": {yes, yes, nf}, "leave": {no, no, nf}, "resume": {yes, yes, nf},
	}
	for name, run := range useCases {
		for i, who := range []string{"alice", "bob", "stranger"} {
			sub(t, name+"/"+who, func(w *world) {
				users := map[string]chat.Connection{}
				for _, user := range []string{"alice", "bob", "stranger", "bystander"} {
					users[user] = w.open(user)
				}
				m, err := w.svc.Send(w.ctx, users["alice"], chat.Send{To: "bob", ID: "own", Text: "own"}, nobody)
				w.ok(err)
				err = run(w, users[who], m.Room)
				if want := rows[name][i]; want == allowed {
					w.ok(err)
				} else {
					wantKind(w.T, err, want)
				}
			})
		}
	}
}

// No such room and not yours are one answer, word for word.
func TestService_isolation_sameAnswer(t *testing.T) {
	for name, run := range useCases {
		if strings.HasPrefix(name, "join") { // that makes the room
			continue
		}
		for _, private := range []bool{false, true} {
			for _, room := range []string{"den", "@alice,bob"} {
				sub(t, fmt.Sprintf("%s/%s/private %v", name, room, private), func(w *world) {
					users := cast(w, "den", private)
					alice := w.open("alice")
					w.open("bob")
					_, err := w.svc.Send(w.ctx, alice, chat.Send{To: "bob", ID: "m", Text: "x"}, nobody)
					w.ok(err)
					there := run(w, users["stranger"], room)
					empty := newWorld(w.T)
					stranger := empty.open("stranger")
					empty.open("bystander")
					absent := run(empty, stranger, room)
					if there == nil || absent == nil || asError(w.T, there).Message != asError(w.T, absent).Message {
						w.Errorf("not yours: %v\nno such:   %v", there, absent)
					}
				})
			}
		}
	}
}

// What a stranger can list shows of a room of others at most a public one's name.
func TestService_isolation_lists(t *testing.T) {
	for _, private := range []bool{false, true} {
		sub(t, fmt.Sprintf("private %v", private), func(w *world) {
			users := cast(w, "den", private)
			for role, visible := range map[string][2]string{ // public, private: the row's look
				"owner": {"mine", "mine"}, "member": {"mine", "mine"}, "former": {"name", "none"},
				"invited": {"invitation", "invitation"}, "stranger": {"name", "none"},
			} {
				got := "none"
				rows, _ := w.rooms(users[role], "", 0)
				for _, r := range rows {
					switch {
					case r.name != "den":
					case r.mine:
						got = "mine"
					case r.by != "":
						got = "invitation"
					case r.seq == 0:
						got = "name"
					}
				}
				want := visible[0]
				if private {
					want = visible[1]
				}
				equal(w, role+" sees", got, want)
				states, err := w.svc.Rooms(w.ctx, role)
				w.ok(err)
				equal(w, role+"'s rooms", len(states) > 1, want == "mine")
			}
			equal(w, "receivers", w.receivers("den"), idsOf(users["owner"], users["member"]))
		})
	}
}
