package examples

import (
	"strings"
	"testing"
	"time"
)

func TestLounge(t *testing.T) {
	t.Parallel()
	a := start(t, "lounge-node")
	alice, bob, unnamed := a.dial("Alice", ""), a.dial("Bob", ""), a.dial("unnamed", "")

	alice.send(`{"action":"setName","name":"Alice"}`)
	alice.hearsJSON(`{"members":["Alice"]}`, `{"systemMessage":"Alice has joined the chat"}`)
	bob.send(`{"action":"setName","name":"Bob"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"members":["Alice","Bob"]}`, `{"systemMessage":"Bob has joined the chat"}`)
	}
	alice.send(`{"action":"sendPublic","message":"hello world"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"publicMessage":"Alice: hello world"}`)
	}
	alice.send(`{"action":"sendPrivate","to":"Bob","message":"hi"}`)
	bob.hearsJSON(`{"privateMessage":"Alice: hi"}`)
	loungeErrors(t, alice, unnamed)

	a.coldStart() // names are not in the memory of a process
	bob.send(`{"action":"sendPublic","message":"still Bob"}`)
	alice.hearsJSON(`{"publicMessage":"Bob: still Bob"}`) // and no private message of its own
	bob.hearsJSON(`{"publicMessage":"Bob: still Bob"}`)

	// A new name frees the old one, also in another case.
	alice.send(`{"action":"setName","name":"Alicia"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"members":["Alicia","Bob"]}`, `{"systemMessage":"Alicia has joined the chat"}`)
	}
	unnamed.send(`{"action":"setName","name":"ALICE"}`)
	for _, c := range []*client{unnamed, alice, bob} {
		c.hearsJSON(`{"members":["ALICE","Alicia","Bob"]}`, `{"systemMessage":"ALICE has joined the chat"}`)
	}

	// A name is free again when its connection has left, and who leaves is announced once.
	bob.leave()
	for _, c := range []*client{alice, unnamed} {
		c.hearsJSON(`{"systemMessage":"Bob has left the chat"}`, `{"members":["ALICE","Alicia"]}`)
	}
	a.dial("nobody", "").leave() // unnamed: nobody is told
	loungeGhost(t, a, alice, unnamed)
	a.rights.allUsed()
}

// loungeErrors sends what is refused; nobody else is told anything.
func loungeErrors(t *testing.T, alice, unnamed *client) {
	t.Helper()
	const (
		name    = "name must be 1 to 32 letters, digits, . _ or -"
		message = "message must be a line of 1 to 4000 characters"
		first   = "set a name first, with setName"
		actions = "the actions are setName, sendPublic and sendPrivate"
	)
	for _, test := range []struct{ frame, want string }{
		{`{"action":"sendPublic","message":"x"}`, first},
		{`{"action":"sendPrivate","to":"Alice","message":"x"}`, first},
		{`{"action":"setName","name":"alice"}`, "name: alice is taken"},
		{`{"action":"setName"}`, name},
		{`{"action":"setName","name":""}`, name},
		{`{"action":"setName","name":["Carol"]}`, name},
		{`{"action":"setName","name":"Alice: hi"}`, name},
		{`{"action":"setName","name":"<b>Carol</b>"}`, name},
		{`{"action":"setName","name":"Carol\nAlice"}`, name},
		{`{"action":"setName","name":"Ali\u200bce"}`, name},
		{`{"action":"setName","name":"` + strings.Repeat("x", 33) + `"}`, name},
		{`{"action":"$sendPublic","message":"x"}`, actions},
		{`hello`, actions},
	} {
		unnamed.send("%s", test.frame)
		unnamed.hearsError(test.want)
	}
	for _, test := range []struct{ frame, want string }{
		{`{"action":"sendPublic"}`, message},
		{`{"action":"sendPublic","message":"  "}`, message},
		{`{"action":"sendPublic","message":7}`, message},
		{`{"action":"sendPublic","message":"x\nBob: I quit"}`, message},
		{`{"action":"sendPublic","message":"` + long(t, 4001) + `"}`, message},
		{`{"action":"sendPrivate","message":"x"}`, "to must be 1 to 32 letters, digits, . _ or -"},
		{`{"action":"sendPrivate","to":"Bob"}`, message},
		{`{"action":"sendPrivate","to":"Carol","message":"x"}`, "to: Carol is not here"},
	} {
		alice.send("%s", test.frame)
		alice.hearsError(test.want)
	}
}

// loungeGhost leaves behind a member whose $disconnect got lost: the next message finds out, says so
// once, and frees the name.
func loungeGhost(t *testing.T, a *app, alice, other *client) {
	t.Helper()
	gone := a.dial("Dora", "")
	gone.send(`{"action":"setName","name":"Dora"}`)
	for _, c := range []*client{gone, alice, other} {
		c.hearsJSON(`{"members":["ALICE","Alicia","Dora"]}`, `{"systemMessage":"Dora has joined the chat"}`)
	}
	var id string
	for key, row := range a.rows("Members", "connectionId") {
		if text(row["name"]) == "Dora" {
			id = key
		}
	}
	gone.leave()
	left := []string{`{"systemMessage":"Dora has left the chat"}`, `{"members":["ALICE","Alicia"]}`}
	alice.hearsJSON(left...)
	other.hearsJSON(left...)
	expires := time.Now().Add(time.Hour).Unix()
	a.put("Members", map[string]any{"connectionId": id, "name": "Dora", "expires": expires})
	a.put("Names", map[string]any{"name": "dora", "connectionId": id, "expires": expires})
	alice.send(`{"action":"sendPrivate","to":"Dora","message":"x"}`)
	alice.hearsError("to: Dora is not here")
	other.send(`{"action":"sendPublic","message":"anybody?"}`)
	for _, c := range []*client{alice, other} {
		c.hearsJSON(append([]string{`{"publicMessage":"ALICE: anybody?"}`}, left...)...)
	}
	other.send(`{"action":"setName","name":"dora"}`)
	for _, c := range []*client{alice, other} {
		c.hearsJSON(`{"members":["Alicia","dora"]}`, `{"systemMessage":"dora has joined the chat"}`)
	}
}
