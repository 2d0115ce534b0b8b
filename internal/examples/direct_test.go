package examples

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDirect(t *testing.T) {
	for _, name := range []string{"direct-python", "direct-go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, name)
			one, two := a.dial("one", "/"), a.dial("two", "/")
			two.send(`{"action":"getConnectionId"}`)
			var answer struct{ ConnectionID string }
			frame := two.next()
			if err := json.Unmarshal([]byte(frame), &answer); err != nil || answer.ConnectionID == "" {
				t.Fatalf("getConnectionId is answered %s", frame)
			}
			id := answer.ConnectionID
			two.send(`{"action":"getConnectionId"}`)
			two.hearsJSON(`{"connectionId":"` + id + `"}`)
			if a.rows("ConnectionsTable", "connectionId")[id] == nil {
				t.Errorf("%s is not in the table", id)
			}

			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"signing","message":{"txId":"abc123","signature":"0xdeadbeef"}}`, id)
			two.hearsJSON(`{"operationType":"signing","message":{"txId":"abc123","signature":"0xdeadbeef"}}`)
			for _, message := range []string{`null`, `[1.5,12345678901234567890,"é<&>"]`, `""`, `false`} {
				one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"any","message":%s}`, id, message)
				two.hearsJSON(`{"operationType":"any","message":` + message + `}`)
			}
			directErrors(t, one, id)

			one.send(`{"action":"sendMessage","message":"to all"}`)
			one.hears("to all") // the sender too, and nothing in between
			two.hears("to all")
			invocations(t, a, one, two)
			directGhosts(t, a, one, two, id)
			directClient(t, a, one)
			a.rights.allUsed()
		})
	}
}

// directClient checks what the Go client prints.
func directClient(t *testing.T, a *app, one *client) {
	t.Helper()
	before := a.rows("ConnectionsTable", "connectionId")
	program := listener(t, a)
	if !program.Scan() || !matches("🔑 Your connection id: *=", program.Text()) {
		t.Fatalf("it says %q, want its connection id", program.Text())
	}
	one.send(`{"action":"sendMessage","message":"Hello from CLI!"}`)
	if !program.Scan() || program.Text() != "📨 Message from everybody: Hello from CLI!" {
		t.Fatalf("it says %q, want what was said to everybody", program.Text())
	}
	for id := range a.rows("ConnectionsTable", "connectionId") {
		if before[id] == nil {
			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"chat","message":{"user":"bob","message":"hi"}}`, id)
			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"signing","message":{"txId":"abc123"}}`, id)
		}
	}
	lines := []string{"📨 Message from bob: hi", "📨 Message from signing: {\"txId\":*\"abc123\"}"}
	var got []string
	for range lines { // two messages under way have no order
		program.Scan()
		got = append(got, program.Text())
	}
	if slices.Sort(got); !matches(lines[0], got[0]) || !matches(lines[1], got[1]) {
		t.Errorf("it says %q, want %q", got, lines)
	}
}

// directErrors sends what is refused.
func directErrors(t *testing.T, one *client, id string) {
	t.Helper()
	const notOpen = "connectionId: that connection is not open"
	for _, test := range []struct{ members, want string }{
		{`"operationType":"x","message":1`, "connectionId must be the id of a connection"},
		{`"connectionId":"","operationType":"x","message":1`, "connectionId must be the id of a connection"},
		{`"connectionId":"` + id + `","message":1`, "operationType must be a text, and not empty"},
		{`"connectionId":"` + id + `","operationType":"x"`, "message is missing"},
		{`"connectionId":"never-was=","operationType":"x","message":1`, notOpen},
	} {
		one.send(`{"action":"sendDirect",%s}`, test.members)
		one.hearsError(test.want)
	}
	for _, members := range []string{``, `,"message":" "`, `,"message":"` + long(t, 4001) + `"`} {
		one.send(`{"action":"sendMessage"%s}`, members)
		one.hearsError("message must be a text of 1 to 4000 characters")
	}
	one.send(`{"action":"sendMessage","message":"x","apigw_endpoint":"https://elsewhere.example"}`)
	one.hearsError("apigw_endpoint is not this API's")
	for member, frame := range map[string]string{ // each example says it in its own words
		"connectionId":  `{"action":"sendDirect","connectionId":7,"operationType":"x","message":1}`,
		"operationType": `{"action":"sendDirect","connectionId":"` + id + `","operationType":{},"message":1}`,
		"message":       `{"action":"sendMessage","message":{}}`,
	} {
		one.send("%s", frame)
		got, _ := decoded(t, one.next()).(map[string]any)
		if words, _ := got["error"].(string); !strings.HasPrefix(words, member+" must be ") {
			t.Errorf("%s is answered %v, want an error about %s", frame, got, member)
		}
	}
}

// listener runs direct-client against an example until the test ends.
func listener(t *testing.T, a *app) (heard *bufio.Scanner) {
	t.Helper()
	program := build(t, folder("direct-client"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd := exec.CommandContext(ctx, program, "-url", a.url+"/")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	return bufio.NewScanner(out)
}

// invocations calls the function behind sendMessage directly, as `aws lambda invoke` does.
func invocations(t *testing.T, a *app, all ...*client) {
	t.Helper()
	invoke := func(payload string) (status int, body string) {
		return a.call(a.route("sendMessage"), payload)
	}
	for _, payload := range []string{
		`{"action":"sendmessage","message":"Hello from CLI!","apigw_endpoint":"` + a.url + `"}`,
		`{"message":"Hello from CLI!"}`,
	} {
		status, body := invoke(payload)
		if got, _ := decoded(t, body).(map[string]any); status != 200 || got["status"] != "Message sent" {
			t.Errorf("%s is answered %d %s", payload, status, body)
		}
		for _, c := range all {
			c.hears("Hello from CLI!")
		}
	}
	for _, payload := range []string{
		`{"action":"sendmessage","message":"stolen","apigw_endpoint":"https://elsewhere.example/production"}`,
		`{"action":"sendmessage","message":"stolen","apigw_endpoint":"` + a.url + `x"}`,
		`{"action":"sendmessage","apigw_endpoint":"` + a.url + `"}`,
	} {
		if status, body := invoke(payload); status != 400 {
			t.Errorf("%s is answered %d %s, want 400", payload, status, body)
		}
	}
}

// directGhosts checks what becomes of connections that are closed.
func directGhosts(t *testing.T, a *app, one, two *client, id string) {
	t.Helper()
	two.leave()
	rows := func() map[string]bool {
		open := map[string]bool{}
		for id := range a.rows("ConnectionsTable", "connectionId") {
			open[id] = true
		}
		return open
	}
	eventually(t, "two is forgotten", func() bool { return len(rows()) == 1 })
	one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"x","message":1}`, id)
	one.hearsError("connectionId: that connection is not open")
	// $disconnect got lost: the row is still there.
	a.put("ConnectionsTable", map[string]any{"connectionId": id, "expires": time.Now().Add(time.Hour).Unix()})
	one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"x","message":1}`, id)
	one.hearsError("connectionId: that connection is not open")
	early := closedID(t, a)
	a.put("ConnectionsTable", map[string]any{"connectionId": early, "expires": time.Now().Add(2 * time.Hour).Unix()})
	one.send(`{"action":"sendMessage","message":"who is here?"}`)
	one.hears("who is here?")
	a.settle()
	if open := rows(); len(open) != 2 || !open[early] {
		t.Errorf("the connections are %v, want the open one and the one that was just opened", open)
	}
}

// build builds a Go program.
func build(tb testing.TB, dir string) (file string) {
	tb.Helper()
	file = filepath.Join(tb.TempDir(), "client")
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-o", file, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", dir, err, out)
	}
	return file
}
