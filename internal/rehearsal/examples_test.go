package rehearsal_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// example copies one of the chats in examples/seeds, as somebody who starts from it does.
func example(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(tools.Root(), "examples", "seeds", name))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "template.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	patient := strings.ReplaceAll(string(text), "Timeout: 10 ", "Timeout: 25 ") // tests share a machine
	if err := os.WriteFile(file, []byte(patient), 0o600); err != nil {
		t.Fatal(err)
	}
	packages(t, dir)
	return dir
}

// What is said to all reaches everybody but who said it, in the shape of the first two write-ups.
func TestExample_broadcast(t *testing.T) {
	for _, name := range []string{"broadcast-python", "broadcast-node"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := begin(t, example(t, name))
			one, two, three := p.dial(""), p.dial(""), p.dial("")
			one.send(`{"action":"sendMessage","message":"Hello AWS"}`)
			two.hears("Hello AWS")
			three.hears("Hello AWS")
			three.leave()
			p.events(1, "DISCONNECT", "$disconnect")
			two.send(`{"action":"sendMessage","message":"and you?"}`)
			one.hears("and you?") // and not what it has said itself
			if name == "broadcast-python" {
				return
			}
			one.send(`hello?`) // $default asks for the connection: GET @connections
			words, info, _ := strings.Cut(one.next(), "{")
			var caller struct{ ConnectionID string }
			if err := json.Unmarshal([]byte("{"+info), &caller); err != nil || caller.ConnectionID != one.id ||
				!strings.Contains(words, "sendMessage") {
				t.Errorf("answered %q %v", words, caller)
			}
		})
	}
}

// Payloads by connection id, in the shape of the fourth: five Python functions inline, or one in Go.
func TestExample_direct(t *testing.T) {
	for _, name := range []string{"direct-python", "direct-go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(tools.Root(), "examples", "seeds", name) // it is part of a module
			if name == "direct-python" {
				dir = example(t, name)
			}
			p := begin(t, dir)
			one, two := p.dial("/"), p.dial("/")
			two.send(`{ "action": "getConnectionId" }`)
			two.hearsJSON(`{"connectionId":"` + two.id + `"}`)
			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"signing",`+
				`"message":{"txId":"abc123","signature":"0xdeadbeef"}}`, two.id)
			two.hearsJSON(`{"operationType":"signing","message":{"txId":"abc123","signature":"0xdeadbeef"}}`)
			one.send(`{"action":"sendMessage","message":"Hello to all"}`)
			one.hears("Hello to all")
			two.hears("Hello to all")
			invoke(t, p, map[string]string{"direct-python": "SendMessageHandler", "direct-go": "ChatFunction"}[name])
			one.hears("Hello from CLI!")
			two.hears("Hello from CLI!")
			two.leave()
			p.events(1, "DISCONNECT", "$disconnect")
			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"x","message":1}`, two.id)
			one.next() // it is told, in its own words
		})
	}
}

// invoke calls a function as `aws lambda invoke --endpoint-url` does, with the payload of the write-up.
func invoke(t *testing.T, p *project, function string) {
	t.Helper()
	_, lambda, _ := strings.Cut(p.out.await(1, "  Lambda ", "http://"), "http://")
	endpoint := "http" + strings.TrimPrefix(p.url, "ws")
	payload := `{"action": "sendmessage", "message": "Hello from CLI!", "apigw_endpoint": "` + endpoint + `"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+lambda+"/2015-03-31/functions/"+function+"/invocations", strings.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("X-Amz-Function-Error") != "" {
		t.Fatalf("invoked: %d %s %v", answer.StatusCode, text, err)
	}
	p.out.await(1, " INVOKE "+function+": done")
}

// Users who write to one another by name, in the shape of the third.
func TestExample_directory(t *testing.T) {
	t.Parallel()
	p := begin(t, example(t, "directory-python"))
	alice, bob := p.dial("?name=alice"), p.dial("?name=bob")
	alice.send(`{"action":"send","message":"Hello World!","send_to":"bob","sent_by":"alice"}`)
	bob.hearsJSON(`{"action":"send","sent_by":"alice","message":"Hello World!"}`)
	bob.send(`{"action":"users"}`)
	bob.hearsJSON(`{"action":"users","contacts":[{"name":"alice","status":true},{"name":"bob","status":true}]}`)
}
