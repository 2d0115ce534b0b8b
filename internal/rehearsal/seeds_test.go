package rehearsal_test

import (
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/writeups"
)

// The one handler of the fourth write-up as it stands there, with the address of an API on AWS in its
// code. Its names live in the memory of one process: events come one after the other.
func TestSeed_lounge(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), writeups.Lounge(t))
	packages(t, dir)
	p := begin(t, dir, func(cfg *rehearsal.Config) { cfg.Stack.Region = writeups.LoungeRegion })
	alice := p.dial("")
	bob := p.dial("")
	silent := p.dial("")

	alice.send(`{"action":"setName","name":"Alice"}`)
	alice.hearsJSON(`{"members":["Alice"]}`, `{"systemMessage":"Alice has joined the chat"}`)
	p.events(1, "MESSAGE", "setName")
	bob.send(`{"action":"setName","name":"Bob"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"members":["Alice","Bob"]}`, `{"systemMessage":"Bob has joined the chat"}`)
	}
	p.events(2, "MESSAGE", "setName")
	alice.send(`{"action":"sendPublic","message":"hello world"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"publicMessage":"Alice: hello world"}`)
	}
	p.events(1, "MESSAGE", "sendPublic")
	alice.send(`{"action":"sendPrivate","to":"Bob","message":"hi"}`)
	bob.hearsJSON(`{"privateMessage":"Alice: hi"}`)
	p.events(1, "MESSAGE", "sendPrivate")

	// What the notes take for a rule: with a $ no route is met, and the function does nothing.
	alice.send(`{"action":"$sendPublic","message":"hello world"}`)
	p.events(1, "MESSAGE", "$default")
	// The literal code speaks for a connection without a name as undefined.
	silent.send(`{"action":"sendPublic","message":"who am I?"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"publicMessage":"undefined: who am I?"}`)
	}
	p.events(2, "MESSAGE", "sendPublic")

	bob.leave()
	alice.hearsJSON(`{"systemMessage":"Bob has left the chat"}`, `{"members":["Alice"]}`)
	// Posting to the one who has left is answered 410, which the code swallows; confab why shows it.
	line := p.events(1, "DISCONNECT", "$disconnect")
	if !strings.Contains(line, "3 pushes (1 failed)") {
		t.Errorf("printed %q, want one of three pushes failed", line)
	}
	report, ok := p.Journal().Find(strings.Fields(line)[1])
	if !ok || !strings.Contains(report, "to connection "+bob.id+": 410 GoneException") ||
		!strings.Contains(report, "Disconnected") {
		t.Errorf("why says:\n%s", report)
	}
}

// The four handlers of the second write-up as they stand there, which post to the host that the
// client has used, over TLS.
func TestSeed_article(t *testing.T) {
	t.Parallel()
	p := begin(t, write(t, t.TempDir(), writeups.Article(t)))
	alice := p.dial("?name=alice")
	bob := p.dial("?name=bob")

	// The code reads sent_by; the article's own test line says send_by, which fails.
	alice.send(`{"action":"send","message":"Hello World!","send_to":"bob","sent_by":"alice"}`)
	bob.hearsJSON(`{"sent_by":"alice","message":"Hello World!"}`)
	alice.send(`{"action":"send", "message":"Hello World!", "send_to":"bob", "send_by":"alice"}`)
	id := alice.hearsFailure()
	report, ok := p.Journal().Find(id)
	if !ok || !strings.Contains(report, "KeyError: 'sent_by'") || !strings.Contains(report, "send of MyApi/Prod") {
		t.Errorf("why says:\n%s", report)
	}

	contacts := func(c *client, want map[string]bool) {
		t.Helper()
		c.send(`{"action":"users"}`)
		frame, _ := decoded(t, c.next()).(map[string]any)
		list, _ := frame["contacts"].([]any)
		got := map[string]bool{}
		for _, one := range list {
			contact, _ := one.(map[string]any)
			name, _ := contact["name"].(string)
			got[name], _ = contact["status"].(bool)
		}
		if frame["action"] != "users" || len(list) != 2 || len(got) != 2 || got["alice"] != want["alice"] || got["bob"] != want["bob"] {
			t.Errorf("users is answered %v, want %v", frame, want)
		}
	}
	contacts(alice, map[string]bool{"alice": true, "bob": true})
	bob.leave()
	p.events(1, "DISCONNECT", "$disconnect")
	contacts(alice, map[string]bool{"alice": true, "bob": false})
	alice.send(`{"action":"send","message":"anybody?","send_to":"nobody","sent_by":"alice"}`)
	alice.hearsFailure() // there is no such item, and the code does not look
}
