package chatapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/wire"
)

// examples are a frame for each action that succeeds in a stage (see below).
var examples = map[string]string{
	"hello": `{"action":"hello","id":"x"}`, "ping": `{"action":"ping","id":"x"}`,
	"joinRoom":        `{"action":"joinRoom","id":"x","room":"coffee"}`,
	"leaveRoom":       `{"action":"leaveRoom","id":"x","room":"tea"}`,
	"invite":          `{"action":"invite","id":"x","room":"tea","user":"carol"}`,
	"sendMessage":     `{"action":"sendMessage","id":"x","room":"tea","message":"hi"}`,
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
	keys := routeKeys()
	t.Run("examples under every key", func(t *testing.T) {
		for action, frame := range examples {
			want := stage(t)
			want.handle(want.frame("alice1", frame))
			expected := everything(want)
			for _, key := range keys {
				w := stage(t)
				e := w.frame("alice1", frame)
				e.RequestContext.RouteKey = key
				w.handle(e)
				if got := everything(w); got != expected {
					t.Errorf("%s under %q:\n%s\nwant\n%s", action, key, got, expected)
				}
			}
		}
	})
	t.Run("mutated", func(t *testing.T) {
		bodies := 100_000
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 9))
		seeds := bodySeeds(t)
		a, b := stage(t), stage(t)
		refused := 0
		for i := range bodies {
			if i%1000 == 0 { // small rooms keep answers short
				a, b = stage(t), stage(t)
			}
			body := mutate(r, seeds)
			e := a.frame("alice1", body)
			a.handle(e)
			b.frame("alice1", body)
			e.RequestContext.RouteKey = keys[i%len(keys)]
			b.handle(e)
			got, want := everything(b), everything(a)
			if got != want {
				t.Fatalf("seed %d: %q under %q gives\n%s\nwant\n%s", seed, body, e.RequestContext.RouteKey, got, want)
			}
			if strings.Contains(want, `"event":"error"`) {
				refused++
			}
		}
		if refused == 0 || refused == bodies {
			t.Errorf("%d of %d bodies were refused: the mutations say nothing", refused, bodies)
		}
	})
}

// bodySeeds are the frames that mutations begin with: examples and the vectors of package wire.
func bodySeeds(t *testing.T) []string {
	seeds := []string{}
	for _, item := range wire.HelpActions() {
		seeds = append(seeds, string(item.Example), examples[item.Action])
	}
	files, err := filepath.Glob("../wire/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var vectors any
		if err := json.Unmarshal(text, &vectors); err != nil {
			t.Fatal(err)
		}
		seeds = collect(seeds, vectors)
	}
	return seeds
}

// collect adds the strings of a file that look like frames.
func collect(list []string, v any) []string {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, `"action"`) && len(v) < 4096 {
			list = append(list, v)
		}
	case []any:
		for _, e := range v {
			list = collect(list, e)
		}
	case map[string]any:
		for _, e := range v {
			list = collect(list, e)
		}
	}
	return list
}

// parts are what mutations put in: what routers and handlers read differently.
var parts = []string{
	`"action":"sendMessage",`, `"ACTION":"leaveRoom",`, `"Action":"help",`, `"action":null,`, `"a\u0063tion":"ping",`,
	`"action":["ping"],`, `"room":"tea",`, `"message":"x",`, `{`, `}`, `[`, `]`, `"`, `\`, `,`, `:`, "\x00", "\xff",
	"\ufeff", `\ud800`, `1e400`, ` `, "\n", `/**/`, `'`, `null`, `true`, `"id":"y",`,
}

func mutate(r *rand.Rand, seeds []string) string {
	body := seeds[r.IntN(len(seeds))]
	for range r.IntN(3) {
		at := r.IntN(len(body) + 1)
		switch r.IntN(5) {
		case 0:
			body = body[:at] + parts[r.IntN(len(parts))] + body[at:]
		case 1:
			body = body[:at] + body[min(len(body), at+1+r.IntN(3)):]
		case 2:
			body = body[:at] + string(rune(r.IntN(0x250))) + body[min(len(body), at+1):]
		case 3:
			body = strings.Replace(body, "{", "{"+parts[r.IntN(len(parts))], 1)
		case 4:
			other := seeds[r.IntN(len(seeds))]
			body = body[:at] + other[min(len(other), at):]
		}
	}
	return body
}
