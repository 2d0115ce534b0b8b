package chatapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chatapi"
)

// examples are a frame for each action that succeeds in a stage (see below).
var examples = map[string]string{
	"hello": `{"action":"hello","id":"x"}`, "ping": `{"action":"ping","id":"x"}`,
	"joinRoom":        `{"action":"joinRoom","id":"x","room":"coffee"}`,
	"leaveRoom":       `{"action":"leaveRoom","id":"x","room":"tea"}`,
	"invite":          `{"action":"invite","id":"x","room":"tea","user":"carol"}`,
	"sendMessage":     `{"action":"sendMessage","id":"x","room":"tea","message":"hi"}`,
	"removeMember":    `{"action":"removeMember","id":"x","room":"tea","user":"bob"}`,
	"deleteMessage":   `{"action":"deleteMessage","id":"x","room":"tea","seq":1}`,
	"history":         `{"action":"history","id":"x","room":"tea"}`,
	"read":            `{"action":"read","id":"x","room":"tea","seq":1}`,
	"rooms":           `{"action":"rooms","id":"x"}`,
	"members":         `{"action":"members","id":"x","room":"tea"}`,
	"users":           `{"action":"users","id":"x"}`,
	"setName":         `{"action":"setName","id":"x","name":"dave"}`,
	"typing":          `{"action":"typing","id":"x","room":"tea"}`,
	"getConnectionId": `{"action":"getConnectionId","id":"x"}`,
	"help":            `{"action":"help","id":"x"}`,
	"sendDirect":      `{"action":"sendDirect","id":"x","connectionId":"bob1","operationType":"o","message":1}`,
	"sendmessage":     `{"action":"sendmessage","id":"x","message":"hi"}`,
	"send":            `{"action":"send","id":"x","message":"hi","send_to":"bob","sent_by":"alice"}`,
	"sendPublic":      `{"action":"sendPublic","id":"x","message":"hi"}`,
	"sendPrivate":     `{"action":"sendPrivate","id":"x","message":"hi","to":"bob"}`,
}

// stage is a world with alice and bob in tea, where alice has sent a message, and with carol.
func stage(tb testing.TB) *world {
	w := newWorld(tb)
	w.connect("alice1", "bob1", "carol1")
	w.join("tea", "alice1", "bob1")
	w.send("alice1", "tea", "first", "hi")
	return w
}

// everything gives what all connections have got.
func everything(w *world) string {
	var all strings.Builder
	for _, id := range []string{"alice1", "bob1", "carol1"} {
		fmt.Fprintf(&all, "%s: %s\n", id, w.poster.take(id))
	}
	fmt.Fprintln(&all, "closed:", w.poster.closed)
	return all.String()
}

// S2 and S8. What a frame says of its sender is refused or has no effect, on every route.
func TestHandler_identityFields(t *testing.T) {
	if len(examples) != len(chatapi.Actions()) {
		t.Fatalf("%d examples for %d actions", len(examples), len(chatapi.Actions()))
	}
	defines := map[string]string{"deleteMessage": "seq", "read": "seq"} // docs/protocol.md
	for action, frame := range examples {
		for _, field := range []string{"from", "sender", "seq", "epoch", "at", "duplicate"} {
			if defines[action] == field {
				continue
			}
			t.Run(action+"/"+field, func(t *testing.T) {
				w := stage(t)
				forged := strings.TrimSuffix(frame, "}") + fmt.Sprintf(`,%q:"bob"}`, field)
				e := readError(t, w.act("alice1", forged))
				if e.Code != "bad_field" || e.ID != "x" || !strings.Contains(e.Message, field) {
					t.Errorf("%+v", e)
				}
				equal(t, "others get", everything(w), everything(stage(t)))
			})
		}
	}
	for action, frame := range examples {
		want := stage(t)
		want.handle(want.frame("alice1", frame))
		expected := everything(want)
		if strings.Contains(expected, `"event":"error"`) {
			t.Fatalf("%s: %s", action, expected)
		}
		for _, field := range []string{
			"sent_by", "sentBy", "username", "userName", "userId", "author", "by", "as", "onBehalfOf", "owner",
			"role", "admin", "system", "requestContext", "authorizer", "connectedAt", "endpoint", "apigw_endpoint",
			"dialect", "requestId", "messageId", "ts", "__proto__", "constructor",
		} {
			if strings.Contains(frame, `"`+field+`"`) {
				continue
			}
			t.Run(action+"/"+field, func(t *testing.T) {
				w := stage(t)
				w.handle(w.frame("alice1", strings.TrimSuffix(frame, "}")+fmt.Sprintf(`,%q:"bob"}`, field)))
				equal(t, "everybody gets", everything(w), expected)
			})
		}
	}
}

// Members of other actions have no effect either.
func TestHandler_foreignFields(t *testing.T) {
	for field, value := range map[string]string{
		"user": `"bob"`, "name": `"bob"`, "connectionId": `"bob1"`, "operationType": `"x"`, "private": `true`,
	} {
		for action, frame := range examples {
			if strings.Contains(frame, `"`+field+`"`) || field == "private" && action == "joinRoom" {
				continue
			}
			t.Run(action+"/"+field, func(t *testing.T) {
				want, got := stage(t), stage(t)
				want.handle(want.frame("alice1", frame))
				got.handle(got.frame("alice1", strings.TrimSuffix(frame, "}")+`,"`+field+`":`+value+`}`))
				equal(t, "everybody gets", everything(got), everything(want))
			})
		}
	}
}

// routeKeys are all keys a frame can come by, and some it cannot.
func routeKeys() []string {
	keys := append(chatapi.Actions(), "$default", "", "$CONNECT", "$disconnect ", "admin")
	slices.Sort(keys)
	return keys
}

// S9. The action is what the frame says: under every route key the same frames come out.
func TestHandler_routeKey(t *testing.T) {
	for action, frame := range examples {
		want := stage(t)
		want.handle(want.frame("alice1", frame))
		expected := everything(want)
		for _, key := range routeKeys() {
			w := stage(t)
			e := w.frame("alice1", frame)
			e.RequestContext.RouteKey = key
			w.handle(e)
			if got := everything(w); got != expected {
				t.Errorf("%s under %q:\n%s\nwant\n%s", action, key, got, expected)
			}
		}
	}
}
