package examples

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	a := start(t, "directory-python")
	if status, body := a.refused(""); status != 400 || !strings.Contains(body, "name must be") {
		t.Errorf("without a name: %d %s, want 400", status, body)
	}
	for _, name := range []string{"?name=", "?name=a%20b", "?name=%3Cb%3E", "?name=a%0Ab", "?name=" + strings.Repeat("x", 33)} {
		if status, _ := a.refused(name); status != 400 {
			t.Errorf("with %s: %d, want 400", name, status)
		}
	}
	alice, bob := a.dial("alice", "?name=alice"), a.dial("bob", "?name=bob")
	phone := a.dial("bob's phone", "?name=bob")

	alice.send(`{"action":"send","message":"Hello World!","send_to":"bob","sent_by":"alice"}`)
	const hello = `{"action":"send","sent_by":"alice","message":"Hello World!"}`
	bob.hearsJSON(hello)
	phone.hearsJSON(hello)
	bob.send(`{"action":"send","message":"back","send_to":"alice","send_by":"bob"}`)
	alice.hearsJSON(`{"action":"send","sent_by":"bob","message":"back"}`) // and no copy of its own
	bob.send(`{"action":"send","message":"me","send_to":"bob"}`)
	bob.hearsJSON(`{"action":"send","sent_by":"bob","message":"me"}`)
	phone.hearsJSON(`{"action":"send","sent_by":"bob","message":"me"}`)

	// A device that leaves takes nothing from the user's other one.
	phone.leave()
	eventually(t, "the phone is forgotten", func() bool { return len(a.rows("ConnectionsTable", "connection_id")) == 2 })
	alice.send(`{"action":"send","message":"still there?","send_to":"bob"}`)
	bob.hearsJSON(`{"action":"send","sent_by":"alice","message":"still there?"}`)
	bob.leave()
	eventually(t, "bob is forgotten", func() bool { return len(a.rows("ConnectionsTable", "connection_id")) == 1 })
	directoryErrors(t, alice)
	directoryGhosts(t, a, alice)
	a.rights.allUsed()
}

// directoryErrors sends what is refused while bob is not connected.
func directoryErrors(t *testing.T, alice *client) {
	t.Helper()
	const text = "message must be a text of 1 to 4000 characters"
	for _, test := range []struct{ members, want string }{
		{`"message":"x","send_to":"bob","sent_by":"bob"`, "sent_by must be your own name, alice"},
		{`"message":"x","send_to":"bob","send_by":"bob"`, "send_by must be your own name, alice"},
		{`"message":"x","send_to":"bob","sent_by":["alice"]`, "sent_by must be your own name, alice"},
		{`"message":"x","send_to":"bob"`, "bob is not connected"},
		{`"message":"x","send_to":"nobody"`, "nobody is not connected"},
		{`"message":"x"`, "send_to must be the name of a user"},
		{`"message":"x","send_to":7`, "send_to must be the name of a user"},
		{`"message":"x","send_to":"a b"`, "send_to must be the name of a user"},
		{`"send_to":"bob"`, text},
		{`"message":"","send_to":"bob"`, text},
		{`"message":{},"send_to":"bob"`, text},
		{`"message":"` + long(t, 4001) + `","send_to":"bob"`, text},
	} {
		alice.send(`{"action":"send",%s}`, test.members)
		alice.hearsError(test.want)
	}
}

// directoryGhosts checks who is listed as connected, and that connections whose $disconnect got lost
// are forgotten when a message finds them closed.
func directoryGhosts(t *testing.T, a *app, alice *client) {
	t.Helper()
	ghost, early := closedID(t, a), closedID(t, a)
	soon, fresh := time.Now().Add(time.Hour).Unix(), time.Now().Add(2*time.Hour).Unix()
	haunt := func(user string, connections map[string]int64) {
		for id, expires := range connections {
			a.put("ConnectionsTable", map[string]any{"connection_id": id, "user_id": user, "expires": expires})
		}
		a.put("UsersTable", map[string]any{"id": user, "connections": connections})
	}
	haunt("carol", map[string]int64{ghost: soon, early: fresh})
	haunt("dave", map[string]int64{"past=": time.Now().Unix() - 1})
	contacts := func() map[string]bool {
		alice.send(`{"action":"users"}`)
		var answer struct {
			Action   string
			Contacts []struct {
				Name   string
				Status bool
			}
		}
		if err := json.Unmarshal([]byte(alice.next()), &answer); err != nil || answer.Action != "users" {
			t.Fatalf("users is answered %v, %v", answer, err)
		}
		list := map[string]bool{}
		for _, contact := range answer.Contacts {
			list[contact.Name] = contact.Status
		}
		return list
	}
	want := map[string]bool{"alice": true, "bob": false, "carol": true, "dave": false, "ghost": false}
	if diff := cmp.Diff(want, contacts()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	alice.send(`{"action":"send","message":"boo","send_to":"carol"}`)
	alice.hearsError("carol is not connected")
	a.settle()
	if rows := a.rows("ConnectionsTable", "connection_id"); rows[ghost] != nil || rows[early] == nil {
		t.Errorf("the connections are %v, want all but the ghost", rows)
	}
	haunt("carol", map[string]int64{ghost: soon})
	alice.send(`{"action":"send","message":"boo","send_to":"carol"}`)
	alice.hearsError("carol is not connected")
	want["carol"] = false
	if diff := cmp.Diff(want, contacts()); diff != "" {
		t.Errorf("users without the ghost (-want +got):\n%s", diff)
	}
}
