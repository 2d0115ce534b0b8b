package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/sim"
)

var ownID = regexp.MustCompile(`Your connection id: (\S+)\n`)

// id waits until the client has printed its connection id.
func (p *pipeline) id() string {
	p.t.Helper()
	p.await("Your connection id: ")
	p.await("=\n") // the whole line: ids are padded base64
	out, _ := p.text()
	return ownID.FindStringSubmatch(out)[1]
}

// TestChat_Direct goes through the session of the write-up with a Go client, in two of ours: it says
// its connection id, a payload goes to the other one alone, a text to all, in the form
// `📨 Message from [username]: [message]`. No frame of the dialect has a name.
func TestChat_Direct(t *testing.T) {
	data := t.TempDir()
	server := sim.ServeAt(t, sim.FreeAddr(t), "--data", data)
	line := `$confab chat "$CONFAB_URL/?dialect=direct"`
	one, two := sh(t, server, line), sh(t, server, line)
	first, second := one.id(), two.id()
	if first == second {
		t.Errorf("both have the id %s", first)
	}
	one.enter("/direct " + second + ` signing { "txId": "abc123", "signature": "0xdeadbeef" }` + "\n")
	two.await(`📨 Message from [someone]: [signing {"txId":"abc123","signature":"0xdeadbeef"}]` + "\n")
	one.enter("Hello to all\n")
	for _, client := range []*pipeline{one, two} {
		client.await("📨 Message from [someone]: [Hello to all]\n")
	}
	if code := sh(t, server, "$confab send 'Hello from CLI!'").code(); code != 0 {
		t.Errorf("send: exit code %d", code)
	}
	for _, client := range []*pipeline{one, two} {
		client.await("📨 Message from [someone]: [Hello from CLI!]\n")
	}
	one.enter("/nope\n/direct x\n/direct x y {\n")
	one.await("There is no /nope. Commands: /direct ID OPERATION JSON, /id, /help, /quit\n")
	one.await("Want /direct ID OPERATION JSON\n")
	one.await("That is no JSON: {\n")

	server.Kill()
	two.await("The line is down")
	sim.ServeAt(t, server.Addr, "--data", data)
	two.await("The line is up again.")
	two.enter("/quit\n")
	if code := two.code(); code != 0 {
		t.Errorf("/quit: exit code %d", code)
	}
	one.await("The line is up again.")
	one.enter("/direct " + second + " signing {}\n")
	one.await("The server refuses that: ")
	one.enter("the last word") // an input ends when what it says has come back
	if err := one.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := one.code(); code != 0 {
		t.Errorf("end of the input: exit code %d", code)
	}
	out, said := one.text()
	if !strings.HasSuffix(out, "📨 Message from [someone]: [the last word]\n") || strings.Contains(out, "signing") {
		t.Errorf("one prints:\n%s\nand says:\n%s", out, said)
	}
	if ids := len(ownID.FindAllString(out, -1)); ids != 2 {
		t.Errorf("it prints its id %d times, want it once for each connection", ids)
	}
}

// TestChat_DirectJSON prints the same as lines of JSON.
func TestChat_DirectJSON(t *testing.T) {
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory")
	one := sh(t, server, `printf '%s\n' hello '/direct nobody pairing {}' | $confab chat --json "$CONFAB_URL?dialect=direct"`)
	if code := one.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	out, _ := one.text()
	for _, want := range []string{
		`{"event":"connectionId","connectionId":"`, `{"event":"message","message":"hello"}` + "\n",
		`{"event":"error","code":"not_found",`,
	} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%s is there %d times in\n%s", want, strings.Count(out, want), out)
		}
	}
}
