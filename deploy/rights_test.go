package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/testenv"
)

// scenario has each action of the chat once, in an order in which all can be done; %s is a connection.
var scenario = []string{
	`{"action":"hello","id":"1"}`,
	`{"action":"joinRoom","id":"2","room":"tea"}`,
	`{"action":"joinRoom","id":"3","room":"den","private":true}`,
	`{"action":"invite","id":"4","room":"den","user":"bob"}`,
	`{"action":"sendMessage","id":"5","room":"tea","message":"hi"}`,
	`{"action":"deleteMessage","id":"6","room":"tea","seq":1}`,
	`{"action":"history","id":"7","room":"tea","after":0,"limit":50}`,
	`{"action":"read","id":"8","room":"tea","seq":1}`,
	`{"action":"ping","id":"9"}`,
	`{"action":"rooms","id":"10"}`,
	`{"action":"members","id":"11","room":"tea"}`,
	`{"action":"users","id":"12"}`,
	`{"action":"typing","id":"13","room":"tea"}`,
	`{"action":"getConnectionId","id":"14"}`,
	`{"action":"sendDirect","id":"15","connectionId":"%s","operationType":"signing","message":1}`,
	`{"action":"help","id":"16"}`,
	`{"action":"removeMember","id":"17","room":"den","user":"bob"}`,
	`{"action":"leaveRoom","id":"18","room":"tea"}`,
	`{"action":"sendmessage","id":"19","message":"Hello AWS"}`,
	`{"action":"send","id":"20","message":"Hello World!","send_to":"bob","sent_by":"alice"}`,
	`{"action":"sendPublic","id":"21","message":"hello world"}`,
	`{"action":"sendPrivate","id":"22","to":"bob","message":"hi"}`,
	`{"action":"setName","id":"23","name":"alicia"}`,
}

// unanswered are the actions that nothing comes back from; a ping behind them is awaited.
var unanswered = []string{"read", "typing"}

// The chat's role has the rights that the function has used, in every action, task, schedule and
// direct invocation, and no more: its calls were recorded while it ran.
func TestTemplate_RightsAreThoseUsed(t *testing.T) {
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Metered: true})
	play(t, e)
	e.Stop()

	used := map[string]bool{}
	for operation := range e.Meter.Usage(e.AccessKey("Chat")) {
		used["dynamodb:"+operation] = true
	}
	calls := e.Usage().Calls
	for action := range calls["Chat"] {
		used[action] = true
	}
	for function := range calls {
		if function != "Chat" {
			t.Errorf("%q has called %v", function, calls[function])
		}
	}
	got := slices.Sorted(maps.Keys(used))
	if want := granted(read(t), "ChatRole", "ChatInvokesItself"); !slices.Equal(got, want) {
		t.Errorf("the function has used\n%v, and may use\n%v", got, want)
	}
}

// granted gives what holders may do, but for writing their logs, which Lambda does for them.
func granted(tmpl *template, holders ...string) (actions []string) {
	for _, s := range tmpl.statements() {
		if !slices.Contains(holders, s.holder) {
			continue
		}
		for _, action := range s.actions {
			if !strings.HasPrefix(action, "logs:") {
				actions = append(actions, action)
			}
		}
	}
	slices.Sort(actions)
	return actions
}

// play does everything that the chat can do.
func play(t *testing.T, e *testenv.Env) {
	t.Helper()
	bob := e.Dial(t, "bob")
	bob.Join("tea")
	alice := e.Dial(t, "alice")
	reached := map[string]bool{}
	for i, frame := range scenario {
		var action struct{ Action, ID string }
		frame = strings.Replace(frame, "%s", connectionOf(t, bob), 1)
		if err := json.Unmarshal([]byte(frame), &action); err != nil {
			t.Fatal(err)
		}
		reached[action.Action] = true
		if slices.Contains(unanswered, action.Action) {
			alice.Send("%s", frame)
			alice.Sync()
			continue
		}
		answer := alice.Do(action.ID, "%s", frame)
		if answer.Event == "error" {
			t.Errorf("frame %d, %s: %s", i, frame, answer.Raw)
		}
	}
	for _, action := range chatapi.Actions() {
		if !reached[action] {
			t.Errorf("no frame has the action %s", action)
		}
	}
	// What waits for somebody who is not here is a task when they come.
	bob.Close()
	back := testenv.DialDialect(t, e.URL(0, "bob")+"&dialect=directory", "bob")
	back.Await("what waits", func(f testenv.Frame) bool { return f.Fields["action"] == "send" })
	// The schedule, and the operator.
	for _, payload := range []string{
		`{"kind":"sweep"}`,
		fmt.Sprintf(`{"action":"sendmessage","message":"Hello from CLI!","apigw_endpoint":%q}`, e.Endpoint),
	} {
		if answer, err := e.Invoke([]byte(payload)); err != nil {
			t.Errorf("%s: %s %v", payload, answer, err)
		}
	}
	back.Close()
	alice.Close()
}

// connectionOf asks for the id of a connection.
func connectionOf(t *testing.T, c *testenv.Client) string {
	t.Helper()
	answer := c.Do("which", `{"action":"getConnectionId","id":"which"}`)
	id, _ := answer.Fields["connectionId"].(string)
	if id == "" {
		t.Fatalf("no connection id in %s", answer.Raw)
	}
	return id
}
