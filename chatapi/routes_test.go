package chatapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/store/storetest"
)

// at is the clock's time as frames have it.
var at = storetest.Start.Format("2006-01-02T15:04:05.000Z")

// script is frames of clients and what every connection gets then, as docs/protocol.md has it.
type script []struct {
	who, frame string
	want       map[string][]string // by connection; all others get nothing
}

// play plays a script. Before it alice1, alice2, bob1 and carol1 connect, and alice and bob join tea.
func play(t *testing.T, name string, s script) {
	t.Helper()
	sub(t, name, func(w *world) {
		w.connect("alice1", "alice2", "bob1", "carol1")
		w.join("Tea", "alice1", "bob1")
		for i, step := range s {
			w.handle(w.frame(step.who, step.frame))
			w.ok(w.later.run(w.ctx))
			for _, id := range []string{"alice1", "alice2", "bob1", "carol1"} {
				want := step.want[id]
				if want == nil {
					want = []string{}
				}
				equal(w, fmt.Sprintf("step %d (%s): %s gets", i+1, step.frame, id), w.poster.take(id), want)
			}
		}
	})
}

type to = map[string][]string

func message(room string, seq int, epoch, id, from, text string) string {
	return fmt.Sprintf(`{"event":"message","room":"%s","seq":%d,"epoch":"%s","id":"%s","from":"%s",`+
		`"message":"%s","at":"%s"}`,
		room, seq, epoch, id, from, text, at)
}

func failure(id, code, text string, request int) string {
	return fmt.Sprintf(`{"event":"error","id":"%s","code":"%s","message":"%s","requestId":"request%d"}`, id,
		code, text, request)
}

// first is the number of a script's first frame: two have joined before.
const first = 3

func TestHandler_Handle_rooms(t *testing.T) {
	joined := `{"event":"joined","id":"j1","room":"green","seq":0,"epoch":"epoch3"}`
	told := `{"event":"joined","room":"green","seq":0,"epoch":"epoch3"}`
	play(t, "joinRoom", script{
		{"alice1", `{"action":"joinRoom","id":"j1","room":"green"}`, to{"alice1": {joined}, "alice2": {told}}},
		{"bob1", `{"action":"joinRoom","id":"j1","room":"GREEN"}`, to{"bob1": {joined}}},
		{"bob1", `{"action":"joinRoom","id":"j1","room":"GREEN"}`, to{"bob1": {joined}}},
		{"carol1", `{"action":"joinRoom","id":"j2","room":"a b"}`, to{"carol1": {
			failure("j2", "bad_field", "room: want "+chat.NameRule, first+3),
		}}},
	})
	play(t, "joinRoom private, invite", script{
		{"alice1", `{"action":"joinRoom","id":"j1","room":"green","private":true}`, to{
			"alice1": {joined}, "alice2": {told},
		}},
		{"bob1", `{"action":"joinRoom","id":"j2","room":"Green"}`, to{"bob1": {
			failure("j2", "taken", "the room Green is private, or somebody else's", first+1),
		}}},
		{"bob1", `{"action":"joinRoom","id":"j3","room":"@alice,carol"}`, to{"bob1": {
			failure("j3", "not_found", "no room @alice,carol that you are a member of", first+2),
		}}},
		{"alice1", `{"action":"invite","id":"i1","room":"green","user":"BOB"}`, to{
			"alice1": {`{"event":"invited","id":"i1","room":"green","user":"bob","by":"alice"}`},
			"bob1":   {`{"event":"invited","room":"green","user":"bob","by":"alice"}`},
		}},
		{"bob1", `{"action":"joinRoom","id":"j1","room":"green"}`, to{"bob1": {joined}}},
	})
	play(t, "leaveRoom", script{
		{"alice1", `{"action":"leaveRoom","id":"l1","room":"tea"}`, to{
			"alice1": {`{"event":"left","id":"l1","room":"Tea"}`},
			"alice2": {`{"event":"removed","room":"Tea","reason":"left on another device"}`},
		}},
		{"bob1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{
			"bob1": {message("Tea", 1, "epoch2", "m1", "bob", "hi")},
		}},
		{"alice1", `{"action":"sendMessage","id":"m2","room":"tea","message":"hi"}`, to{"alice1": {
			failure("m2", "not_member", "you have left the room tea", first+2),
		}}},
		{"carol1", `{"action":"leaveRoom","id":"l1","room":"tea"}`, to{"carol1": {
			failure("l1", "not_found", "no room tea that you are a member of", first+3),
		}}},
		{"carol1", `{"action":"leaveRoom","id":"l2","room":"lobby"}`, to{"carol1": {
			failure("l2", "forbidden", "nobody leaves the lobby or a direct room", first+4),
		}}},
	})
	own := `{"room":"Tea","seq":0,"epoch":"epoch2"}`
	play(t, "rooms and members", script{
		{"alice1", `{"action":"rooms","id":"r1"}`, to{"alice1": {
			`{"event":"rooms","id":"r1","rooms":[{"room":"lobby","seq":0,"epoch":"epoch1"},` + own +
				`],"more":false}`,
		}}},
		{"carol1", `{"action":"rooms","id":"r1","after":"lobby","limit":1}`, to{"carol1": {
			`{"event":"rooms","id":"r1","rooms":[{"room":"Tea"}],"more":false}`,
		}}},
		{"bob1", `{"action":"invite","room":"tea","user":"carol"}`, to{
			"bob1":   {`{"event":"invited","room":"Tea","user":"carol","by":"bob"}`},
			"carol1": {`{"event":"invited","room":"Tea","user":"carol","by":"bob"}`},
		}},
		{"carol1", `{"action":"rooms","after":"lobby"}`, to{"carol1": {
			`{"event":"rooms","rooms":[{"room":"Tea","invited":true,"by":"bob"}],"more":false}`,
		}}},
		{"alice1", `{"action":"members","id":"r2","room":"tea","limit":1}`, to{"alice1": {
			`{"event":"members","id":"r2","room":"Tea","members":[{"user":"alice","online":true}],"more":true}`,
		}}},
		{"alice1", `{"action":"users","id":"r3","after":"alice"}`, to{"alice1": {
			`{"event":"users","id":"r3","users":[{"user":"bob","online":true},` +
				`{"user":"carol","online":true}],"more":false}`,
		}}},
		{"alice1", `{"action":"ping","id":"p1"}`, to{"alice1": {
			`{"event":"pong","id":"p1","rooms":[{"room":"lobby","seq":0,"epoch":"epoch1"},` + own + `]}`,
		}}},
	})
}

func TestHandler_Handle_messages(t *testing.T) {
	hi := message("Tea", 1, "epoch2", "m1", "alice", "hi")
	play(t, "sendMessage", script{
		{"alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{
			"alice1": {hi}, "alice2": {hi}, "bob1": {hi},
		}},
		{"alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{
			"alice1": {strings.TrimSuffix(hi, "}") + `,"duplicate":true}`},
		}},
		{"alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"ho"}`, to{"alice1": {
			failure("m1", "id_reused", "this id was used for another text within 24 h", first+2),
		}}},
		{"carol1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{"carol1": {
			failure("m1", "not_found", "no room tea that you are a member of", first+3),
		}}},
	})
	everyone := message("lobby", 1, "epoch1", fmt.Sprint("message", first), "carol", "a\\n\\\"b\\\"")
	play(t, "sendMessage to the lobby, without an id", script{
		{"carol1", `{"action":"sendMessage","message":"a\n\"b\""}`, to{
			"alice1": {everyone}, "alice2": {everyone}, "bob1": {everyone}, "carol1": {everyone},
		}},
	})
	direct := message("@bob,carol", 1, "epoch3", "m1", "carol", "psst")
	reply := message("@bob,carol", 2, "epoch3", "m1", "bob", "yes")
	play(t, "sendMessage to a user", script{
		{
			"carol1", `{"action":"sendMessage","id":"m1","to":"Bob","message":"psst"}`,
			to{"carol1": {direct}, "bob1": {direct}},
		},
		{
			"bob1", `{"action":"sendMessage","id":"m1","room":"@bob,carol","message":"yes"}`,
			to{"carol1": {reply}, "bob1": {reply}},
		},
		{"carol1", `{"action":"sendMessage","id":"m2","to":"nobody","message":"psst"}`, to{"carol1": {
			failure("m2", "not_found", "no user nobody", first+2),
		}}},
	})
	deleted := `{"event":"deleted","room":"Tea","seq":1,"by":"alice"}`
	play(t, "deleteMessage", script{
		{"alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{
			"alice1": {hi}, "alice2": {hi}, "bob1": {hi},
		}},
		{"bob1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":1}`, to{"bob1": {
			failure("d1", "forbidden", "message 1 is somebody else's", first+1),
		}}},
		{"alice1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":1}`, to{
			"alice1": {`{"event":"deleted","id":"d1","room":"Tea","seq":1,"by":"alice"}`},
			"alice2": {deleted}, "bob1": {deleted},
		}},
		{"bob1", `{"action":"history","id":"q1","room":"tea"}`, to{"bob1": {
			`{"event":"history","id":"q1","room":"Tea","messages":[{"seq":1,"deleted":true}],"more":false,` +
				`"seq":1,"epoch":"epoch2"}`,
		}}},
	})
	item := strings.Replace(hi, `"event":"message",`, "", 1)
	play(t, "history, read", script{
		{"alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`, to{
			"alice1": {hi}, "alice2": {hi}, "bob1": {hi},
		}},
		{"bob1", `{"action":"history","id":"q1","room":"tea","after":0,"limit":50}`, to{"bob1": {
			`{"event":"history","id":"q1","room":"Tea","messages":[` + item +
				`],"more":false,"seq":1,"epoch":"epoch2"}`,
		}}},
		{"bob1", `{"action":"history","id":"q2","room":"tea","before":1}`, to{"bob1": {
			`{"event":"history","id":"q2","room":"Tea","messages":[],"more":false,"seq":1,"epoch":"epoch2"}`,
		}}},
		{"bob1", `{"action":"history","id":"q3","room":"tea","before":0}`, to{"bob1": {
			failure("q3", "bad_field", "before: numbers begin at 1", first+3),
		}}},
		{"alice1", `{"action":"read","id":"r1","room":"tea","seq":9}`, to{
			"alice1": {`{"event":"read","id":"r1","room":"Tea","seq":1}`},
			"alice2": {`{"event":"read","room":"Tea","seq":1}`},
		}},
	})
	play(t, "typing", script{
		{"alice1", `{"action":"typing","room":"tea"}`, to{"bob1": {`{"event":"typing","room":"Tea","user":"alice"}`}}},
		{"alice2", `{"action":"typing","room":"tea"}`, nil},
		{"carol1", `{"action":"typing","id":"t1","room":"tea"}`, to{"carol1": {
			failure("t1", "not_found", "no room tea that you are a member of", first+2),
		}}},
	})
}

func TestHandler_Handle_connections(t *testing.T) {
	play(t, "getConnectionId", script{
		{
			"bob1", `{"action":"getConnectionId","id":"c1"}`,
			to{"bob1": {`{"event":"connectionId","id":"c1","connectionId":"bob1"}`}},
		},
	})
	play(t, "sendDirect", script{
		{"bob1", `{"action":"sendDirect","id":"s1","connectionId":"carol1","operationType":"sign",` +
			`"message":{"a": [1.0,null]}}`, to{
			"carol1": {`{"event":"direct","from":"bob","operationType":"sign","message":{"a": [1.0,null]}}`},
			"bob1":   {`{"event":"sent","id":"s1"}`},
		}},
		{"bob1", `{"action":"sendDirect","id":"s2","connectionId":"dave1","operationType":"sign","message":1}`, to{
			"bob1": {failure("s2", "not_found", `no open connection \"dave1\"`, first+1)},
		}},
	})
	play(t, "setName", script{
		{"carol1", `{"action":"setName","id":"n1","name":"Alice"}`, to{"carol1": {
			failure("n1", "taken", "the name alice is taken", first),
		}}},
		{
			"carol1", `{"action":"setName","id":"n2","name":"Dave"}`,
			to{"carol1": {`{"event":"named","id":"n2","user":"Dave"}`}},
		},
		{"carol1", `{"action":"sendMessage","id":"m1","to":"dave","message":"me"}`, to{"carol1": {
			message("@Dave,Dave", 1, "epoch3", "m1", "Dave", "me"),
		}}},
	})
	sub(t, "help", func(w *world) {
		w.connect("alice1")
		got := w.act("alice1", `{"action":"help","id":"x1"}`)
		if len(got) != 1 || !strings.HasPrefix(got[0],
			`{"event":"help","id":"x1","actions":[{"action":"hello","example":{`) {
			w.Errorf("%s", got)
		}
	})
	sub(t, "sendDirect to one that is gone", func(w *world) {
		w.connect("alice1", "bob1")
		w.poster.gone["bob1"] = true
		got := w.act("alice1",
			`{"action":"sendDirect","id":"s1","connectionId":"bob1","operationType":"x","message":1}`)
		equal(w, "answer", got, []string{failure("s1", "not_found", `no open connection \"bob1\"`, 1)})
	})
}

func TestHandler_Handle_hello(t *testing.T) {
	setUp := func(w *world) {
		w.connect("alice1", "bob1")
		w.join("tea", "alice1", "bob1")
		for i := range 5 {
			w.send("bob1", "tea", fmt.Sprint("m", i+1), "x")
		}
		w.handle(w.frame("alice1", `{"action":"deleteMessage","room":"tea","seq":4}`))
		w.handle(w.frame("alice1", `{"action":"read","room":"tea","seq":2}`))
		w.poster.forget()
	}
	welcome := `{"event":"welcome","id":"h1","protocol":1,"server":"0.1.0","user":"alice",` +
		`"connectionId":"alice1",` +
		`"heartbeatSeconds":10,"pipeline":32,"rooms":[{"room":"lobby","seq":0,"epoch":"epoch1","read":0},` +
		`{"room":"tea","seq":5,"epoch":"epoch2","read":2}]}`
	for _, c := range []struct {
		name, resume string
		want         []string
	}{
		{"without resume", ``, nil},
		{"missed messages", `"tea":{"epoch":"epoch2","seq":2}`, []string{
			message("tea", 3, "epoch2", "m3", "bob", "x"), `{"event":"message","room":"tea","seq":4,"deleted":true}`,
			message("tea", 5, "epoch2", "m5", "bob", "x"),
			`{"event":"resumed","id":"h1","room":"tea","seq":5,"more":false}`,
		}},
		{"nothing missed", `"tea":{"epoch":"epoch2","seq":5}`, []string{
			`{"event":"resumed","id":"h1","room":"tea","seq":5,"more":false}`,
		}},
		{"more than is sent", `"tea":{"epoch":"epoch2","seq":0}`, []string{
			message("tea", 1, "epoch2", "m1", "bob", "x"), message("tea", 2, "epoch2", "m2", "bob", "x"),
			message("tea", 3, "epoch2", "m3", "bob", "x"),
			`{"event":"resumed","id":"h1","room":"tea","seq":3,"more":true}`,
		}},
		{"foreign epoch", `"tea":{"epoch":"other","seq":2}`, []string{
			`{"event":"reset","id":"h1","room":"tea","epoch":"epoch2","firstSeq":1,` +
				`"reason":"the room's log is another one than that of the cursor"}`,
		}},
		{"ahead", `"tea":{"epoch":"epoch2","seq":6}`, []string{
			`{"event":"reset","id":"h1","room":"tea","epoch":"epoch2","firstSeq":1,` +
				`"reason":"the cursor is beyond the room's log"}`,
		}},
		{"rooms of others", `"none":{"epoch":"epoch2","seq":0},"@bob,carol":{"epoch":"e","seq":0}`, nil},
		{"two in order", `"tea":{"epoch":"epoch2","seq":5},"lobby":{"epoch":"epoch1","seq":0}`, []string{
			`{"event":"resumed","id":"h1","room":"tea","seq":5,"more":false}`,
			`{"event":"resumed","id":"h1","room":"lobby","seq":0,"more":false}`,
		}},
	} {
		sub(t, c.name, func(w *world) {
			setUp(w)
			resume := ""
			if c.resume != "" {
				resume = `,"resume":{` + c.resume + `}`
			}
			got := w.act("alice1", `{"action":"hello","id":"h1"`+resume+`}`)
			equal(w, "answer", got, append([]string{welcome}, c.want...))
			equal(w, "bob gets", w.poster.take("bob1"), []string{})
		}, with(func(c *chatapi.Config) { c.ResumeMax = 3 }))
	}
	sub(t, "connections that end tell when", func(w *world) {
		w.connect("alice1")
		got := w.act("alice1", `{"action":"hello"}`)
		if len(got) != 1 || !strings.Contains(got[0], `"pipeline":1,"maxConnectionSeconds":7200,"rooms":`) {
			w.Errorf("%s", got)
		}
	}, with(func(c *chatapi.Config) { c.MaxConnection, c.Pipeline = 2*time.Hour, 1 }))
	sub(t, "a connection ends with its token", func(w *world) {
		for life, want := range map[time.Duration]string{
			15 * time.Minute: "900", 3 * time.Hour: "7200", 20 * time.Second: "20",
		} {
			id := "alice" + want
			e := w.connectEvent(id, nil)
			until := time.UnixMilli(e.RequestContext.ConnectedAt).Add(life)
			e.RequestContext.Authorizer = auth.Identity{User: "alice", Until: until}.Context()
			equal(w, "status", w.handle(e).StatusCode, 200)
			got := w.act(id, `{"action":"hello"}`)
			if len(got) != 1 || !strings.Contains(got[0], `"maxConnectionSeconds":`+want+`,`) {
				w.Errorf("a token for %v: %s", life, got)
			}
		}
	}, with(func(c *chatapi.Config) {
		c.MaxConnection, c.Identify = 2*time.Hour, auth.Authorized{}.Identify
	}))
}

func TestHandler_Resync(t *testing.T) {
	w := newWorld(t)
	w.connect("alice1", "bob1")
	w.join("tea", "alice1")
	w.send("alice1", "tea", "m1", "hi")
	w.ok(w.h.Resync(w.ctx, "alice1"))
	equal(w, "alice gets", w.poster.take("alice1"), []string{
		`{"event":"resync","room":"lobby","seq":0}`, `{"event":"resync","room":"tea","seq":1}`,
	})
	w.ok(w.h.Resync(w.ctx, "unknown"))
	equal(w, "bob gets", w.poster.take("bob1"), []string{})
}

func TestHandler_Drain(t *testing.T) {
	w := newWorld(t)
	w.connect("alice1", "bob1")
	w.ok(w.h.Drain(w.ctx, 10*time.Second))
	for _, id := range []string{"alice1", "bob1"} { // Jitter gives the most
		equal(w, id, w.poster.take(id), []string{`{"event":"reconnect","afterMs":10000}`})
	}
}

func TestActions(t *testing.T) {
	want := strings.Fields(`deleteMessage getConnectionId hello help history invite joinRoom leaveRoom members
		ping read removeMember rooms send sendDirect sendMessage sendPrivate sendPublic sendmessage setName typing
		users`) // docs/protocol.md
	got := chatapi.Actions()
	slices.Sort(got)
	equal(t, "actions", got, want)
}
