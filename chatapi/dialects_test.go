package chatapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// enter opens a connection of a dialect; a user "" gives no name.
func (w *world) enter(id string, dialect wire.Dialect, user string) {
	w.Helper()
	query := map[string]string{"dialect": string(dialect)}
	if user != "" {
		query["name"] = user
	}
	if r := w.handle(w.connectEvent(id, query)); r.StatusCode != http.StatusOK {
		w.Fatalf("%s: %d %s", id, r.StatusCode, r.Body)
	}
}

// party is a world with a connection of each dialect, two of them bob's, and an unnamed one in the
// lounge.
func party(tb testing.TB) *world {
	w := newWorld(tb)
	w.connect("alice1", "bob1")
	w.enter("shout1", wire.BroadcastDialect, "carol")
	w.enter("shout2", wire.BroadcastDialect, "carol")
	w.enter("phone1", wire.DirectoryDialect, "bob")
	w.enter("phone2", wire.DirectoryDialect, "dave")
	w.enter("pipe1", wire.DirectDialect, "erin")
	w.enter("bar1", wire.LoungeDialect, "Frank")
	w.enter("bar2", wire.LoungeDialect, "bob")
	w.enter("bar3", wire.LoungeDialect, "")
	w.ok(w.later.run(w.ctx))
	w.poster.forget()
	return w
}

var partyIDs = strings.Fields("alice1 bob1 shout1 shout2 phone1 phone2 pipe1 bar1 bar2 bar3")

// hears fails where a connection has got anything else, and forgets it.
func (w *world) hears(step string, want to) {
	w.Helper()
	for _, id := range partyIDs {
		frames := want[id]
		if frames == nil {
			frames = []string{}
		}
		equal(w, step+": "+id+" gets", w.poster.take(id), frames)
	}
}

// The table "What reaches a connection of each dialect" of docs/protocol.md, cell by cell.
func TestDialects_matrix(t *testing.T) {
	lobby := func(seq int, id, from string) string { return message("lobby", seq, "epoch1", id, from, "hi") }
	sub := func(name, who, frame string, want to) {
		t.Run(name, func(t *testing.T) {
			w := party(t)
			w.handle(w.frame(who, frame))
			w.hears(name, want)
		})
	}
	const say = `{"action":"sendMessage","id":"m1","message":"hi"}`
	public := func(id, from string, but ...string) to {
		want := to{
			"alice1": {lobby(1, id, from)}, "bob1": {lobby(1, id, from)}, "shout1": {"hi"},
			"shout2": {"hi"}, "pipe1": {"hi"},
			"bar1": {`{"publicMessage":"` + from + `: hi"}`}, "bar2": {`{"publicMessage":"` + from + `: hi"}`},
		}
		for _, id := range but {
			delete(want, id)
		}
		return want
	}
	sub("lobby from native", "alice1", say, public("m1", "alice"))
	sub("lobby from broadcast", "shout1", say, public("m1", "carol", "shout1"))
	sub("lobby from directory", "phone2", say, public("m1", "dave"))
	sub("lobby from direct", "pipe1", say, public("m1", "erin"))
	sub("lobby from lounge", "bar1", say, public("m1", "Frank"))
	sub("sendmessage", "pipe1", `{"action":"sendmessage","message":"hi"}`, public("message1", "erin"))
	sub("sendPublic", "bar1", `{"action":"sendPublic","message":"hi"}`, public("message1", "Frank"))
	sub("$sendPublic", "bar1", `{"action":"$sendPublic","message":"hi"}`, public("message1", "Frank"))
	sub("sendPublic natively", "alice1", `{"action":"sendPublic","message":"hi"}`, public("message1", "alice"))

	direct := func(room, from string, native ...string) to {
		want := to{
			"phone1": {`{"action":"send","sent_by":"` + from + `","message":"hi"}`},
			"bar2":   {`{"privateMessage":"` + from + `: hi"}`},
		}
		for _, id := range native {
			want[id] = []string{message(room, 1, "epoch2", "m1", from, "hi")}
		}
		return want
	}
	sub("direct from native", "alice1", `{"action":"sendMessage","id":"m1","to":"bob","message":"hi"}`,
		direct("@alice,bob", "alice", "alice1", "bob1"))
	sub("direct from directory", "phone2",
		`{"action":"send","id":"m1","message":"hi","send_to":"BOB","sent_by":"Dave"}`,
		direct("@bob,dave", "dave", "bob1"))
	sub("direct from lounge", "bar1", `{"action":"sendPrivate","id":"m1","to":"bob","message":"hi"}`,
		direct("@Frank,bob", "Frank", "bob1"))
	sub("direct to broadcast", "alice1", `{"action":"send","id":"m1","send_to":"carol","send_by":"alice","message":"hi"}`,
		to{"alice1": {message("@alice,carol", 1, "epoch2", "m1", "alice", "hi")}})
	sub("direct to oneself", "phone1", `{"action":"send","id":"m1","send_to":"bob","sent_by":"bob","message":"hi"}`,
		direct("@bob,bob", "bob", "bob1"))

	payload := func(to string) string {
		return `{"action":"sendDirect","id":"s1","connectionId":"` + to + `","operationType":"o","message":{"b":1.50, "a":[]}}`
	}
	sub("payload to native", "pipe1", payload("bob1"), to{
		"bob1": {`{"event":"direct","from":"erin","operationType":"o","message":{"b":1.50, "a":[]}}`},
	})
	sub("payload to direct", "alice1", payload("pipe1"), to{
		"pipe1":  {`{"operationType":"o","message":{"b":1.50, "a":[]}}`},
		"alice1": {`{"event":"sent","id":"s1"}`},
	})
	for id, dialect := range map[string]string{"shout1": "broadcast", "phone1": "directory", "bar1": "lounge"} {
		sub("payload to "+dialect, "pipe1", payload(id), to{"pipe1": {failure("s1", "not_found",
			`the connection \"`+id+`\" speaks the dialect `+dialect+`, which shows no payloads`, 1)}})
	}
	sub("payload to nobody", "pipe1", payload("gone"), to{"pipe1": {
		failure("s1", "not_found", `no open connection \"gone\"`, 1),
	}})
}

// Other rooms, presence and typing reach native connections alone, also of a user who is a member.
func TestDialects_rooms(t *testing.T) {
	w := party(t)
	w.join("tea", "alice1", "bob1")
	w.ok(w.h.Sweep(w.ctx))
	for _, id := range partyIDs {
		for _, frame := range w.poster.take(id) {
			if id != "alice1" && id != "bob1" {
				t.Errorf("%s gets %s", id, frame)
			}
		}
	}
	w.handle(w.frame("alice1", `{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`))
	hi := message("tea", 1, "epoch2", "m1", "alice", "hi")
	w.hears("a message", to{"alice1": {hi}, "bob1": {hi}})
	w.handle(w.frame("alice1", `{"action":"typing","room":"tea"}`))
	w.hears("typing", to{"bob1": {`{"event":"typing","room":"tea","user":"alice"}`}})
	w.handle(w.frame("alice1", `{"action":"deleteMessage","room":"tea","seq":1}`))
	deleted := `{"event":"deleted","room":"tea","seq":1,"by":"alice"}`
	w.hears("deleted", to{"alice1": {deleted}, "bob1": {deleted}})
	w.handle(w.frame("phone1", `{"action":"read","id":"r1","room":"tea","seq":1}`))
	w.hears("read", to{
		"phone1": {`{"event":"read","id":"r1","room":"tea","seq":1}`},
		"bob1":   {`{"event":"read","room":"tea","seq":1}`},
	})
	w.ok(w.h.Resync(w.ctx, "pipe1"))
	w.ok(w.h.Drain(w.ctx, time.Second))
	again := `{"event":"reconnect","afterMs":1000}`
	w.hears("drain", to{"alice1": {again}, "bob1": {again}})
}

// The author of a message takes it away in any dialect, and is told as everybody asks natively.
func TestDialects_own(t *testing.T) {
	w := party(t)
	w.send("bar1", "lobby", "m1", "hi")
	w.handle(w.frame("bar1", `{"action":"deleteMessage","id":"d1","room":"lobby","seq":1}`))
	deleted := `{"event":"deleted","room":"lobby","seq":1,"by":"Frank"}`
	w.hears("deleted", to{
		"bar1":   {`{"event":"deleted","id":"d1","room":"lobby","seq":1,"by":"Frank"}`},
		"alice1": {deleted}, "bob1": {deleted},
	})
}

// Native actions are answered natively, the seeds' own as their write-ups have it.
func TestDialects_answers(t *testing.T) {
	w := party(t)
	for _, step := range []struct{ who, frame, want string }{
		{"pipe1", `{"action":"getConnectionId","id":"c1"}`, `{"connectionId":"pipe1"}`},
		{"bar1", `{"action":"getConnectionId","id":"c1"}`, `{"event":"connectionId","id":"c1","connectionId":"bar1"}`},
		{"shout1", `{"action":"history","room":"lobby"}`, `{"event":"history","room":"lobby","messages":[],` +
			`"more":false,"seq":0,"epoch":"epoch1"}`},
		{"phone2", `{"action":"ping","id":"p1"}`, `{"event":"pong","id":"p1","rooms":[{"room":"lobby","seq":0,"epoch":"epoch1"}]}`},
		{"phone2", `{"action":"setName","name":"dana"}`, `{"event":"named","user":"dana"}`},
		{"shout1", `{"action":"sendMessage"}`, `{"event":"error","code":"bad_field",` +
			`"message":"message is missing: sendMessage needs it, a string that is not empty","requestId":"request6"}`},
	} {
		equal(t, step.frame, w.act(step.who, step.frame), []string{step.want})
	}
}

// One event that is delivered twice, as AWS may do it, is answered once; a client that gives ids is
// told that its message is there already.
func TestDialects_duplicate(t *testing.T) {
	w := party(t)
	e := w.frame("bar1", `{"action":"sendPublic","message":"hi"}`)
	w.handle(e)
	equal(t, "bar1 gets", w.poster.take("bar1"), []string{`{"publicMessage":"Frank: hi"}`})
	w.poster.forget()
	w.handle(e)
	w.hears("again", nil)
	w.send("bar1", "lobby", "m1", "ho")
	want := strings.Replace(message("lobby", 2, "epoch1", "m1", "Frank", "ho"), `"}`, `","duplicate":true}`, 1)
	equal(t, "with an id", w.act("bar1", `{"action":"sendPublic","id":"m1","message":"ho"}`), []string{want})
}

// A name that a frame gives for its sender is compared as names are, and believed never.
func TestDialects_forged(t *testing.T) {
	for frame, field := range map[string]string{
		`{"action":"send","id":"x","message":"hi","send_to":"bob","sent_by":"alice"}`:                  "sent_by",
		`{"action":"send","id":"x","message":"hi","send_to":"bob","send_by":"alice"}`:                  "send_by",
		`{"action":"send","id":"x","message":"hi","send_to":"bob","sent_by":"dave","send_by":"alice"}`: "send_by",
		`{"action":"send","id":"x","message":"hi","send_to":"<b>","sent_by":"dave"}`:                   "send_to",
		`{"action":"send","id":"x","message":"hi","send_to":"bob","sent_by":"d\u0430ve"}`:              "sent_by",
	} {
		w := party(t)
		e := readError(t, w.act("phone2", frame))
		if e.Code != "bad_field" || !strings.Contains(e.Message, field) || e.RequestID == "" || e.ID != "x" {
			t.Errorf("%s: %+v", frame, e)
		}
		w.hears(frame, nil)
	}
	w := party(t)
	e := readError(t, w.act("phone2", `{"action":"send","id":"x","message":"hi","send_to":"nobody","sent_by":"dave"}`))
	if e.Code != "not_found" || !strings.Contains(e.Message, "nobody") {
		t.Errorf("%+v", e)
	}
}

// What no action matches, and what is no JSON object, gets one line with the actions and the
// connection's info; an action with a fault gets an error.
func TestDialects_instructions(t *testing.T) {
	w := party(t)
	w.poster.info = connections.Info{
		ConnectedAt: w.clock.Now(), LastActiveAt: w.clock.Now().Add(time.Second), SourceIP: "192.0.2.1",
	}
	info := fmt.Sprintf(`{"ConnectedAt":"%s","Identity":{"SourceIp":"192.0.2.1","UserAgent":""},`+
		`"LastActiveAt":"2026-03-01T12:00:01.000Z","connectionID":"shout1"}`, at)
	for _, frame := range []string{
		"hello", "", " ", "{", `{"action":"sendMessage","message":`, `"hi"`, `[1]`, `42`, `null`,
		`{}`, `{"message":"hi"}`, `{"action":5}`, `{"action":"join"}`, `{"action":"SENDMESSAGE","message":"hi"}`,
	} {
		got := w.act("shout1", frame)
		if len(got) != 1 || !strings.HasSuffix(got[0], info) || strings.Contains(got[0], "\n") {
			t.Fatalf("%q: %q", frame, got)
		}
		sentence := strings.TrimSuffix(got[0], info)
		if strings.Contains(sentence, "{") || !strings.HasPrefix(sentence, "Use the sendmessage route to send a message") ||
			!strings.HasSuffix(sentence, "Your info:") {
			t.Errorf("%q: %q", frame, sentence)
		}
		for _, action := range chatapi.Actions() {
			if !strings.Contains(sentence, action) {
				t.Errorf("%q does not name %s", sentence, action)
			}
		}
	}
	for frame, says := range map[string]string{
		`{"action":"sendMessage"}`:                               "message",
		`{"action":"sendMessage","message":"a","message":"b"}`:   "message",
		`{"action":"sendMessage","message":"hi","Message":"hi"}`: "Message",
		`{"action":"sendMessage","message":"hi","from":"bob"}`:   "from",
		`{"action":"sendMessage","id":"","message":"hi"}`:        "id",
	} {
		if e := readError(t, w.act("shout1", frame)); !strings.Contains(e.Message, says) {
			t.Errorf("%s: %+v", frame, e)
		}
	}
	for _, other := range []string{"alice1", "phone1", "pipe1", "bar1"} {
		e := readError(t, w.act(other, `{"action":"join"}`))
		if e.Code != "unknown_action" || !strings.Contains(e.Message, "sendPrivate") || e.RequestID == "" {
			t.Errorf("%s: %+v", other, e)
		}
		if e := readError(t, w.act(other, "hello")); e.Code != "bad_json" || !strings.Contains(e.Message, "JSON") {
			t.Errorf("%s: %+v", other, e)
		}
	}
	w.poster.gone["shout1"] = true
	equal(t, "gone", w.act("shout1", "hello"), []string{})
}

func TestHandler_Invoke(t *testing.T) {
	const endpoint = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/production"
	own := with(func(c *chatapi.Config) { c.Endpoint = endpoint })
	frame := func(action, endpoint string) []byte {
		return []byte(`{"action": "` + action + `", "message": "Hello from CLI!", "apigw_endpoint": "` + endpoint + `"}`)
	}
	for _, action := range []string{"sendmessage", "sendMessage"} {
		sub(t, action, func(w *world) {
			w.connect("alice1")
			w.enter("pipe1", wire.DirectDialect, "")
			for range 2 { // as Lambda repeats an asynchronous invocation
				r, err := w.h.Invoke(w.ctx, "request-1", frame(action, endpoint+"/"))
				w.ok(err)
				equal[any](w, "result", []any{r.StatusCode, r.Body}, []any{200, `{"status":"Message sent"}`})
			}
			equal(w, "alice gets", w.poster.take("alice1"), []string{
				message("lobby", 1, "epoch1", "request-1", chatapi.Operator, "Hello from CLI!"),
			})
			equal(w, "direct gets", w.poster.take("pipe1"), []string{"Hello from CLI!"})
		}, own)
	}
	if _, err := chat.CleanName("name", chatapi.Operator); err == nil {
		t.Errorf("%s is a name that a user can have", chatapi.Operator)
	}
	sub(t, "refused", func(w *world) {
		w.connect("alice1")
		for payload, says := range map[string]string{
			`{"action":"sendmessage","apigw_endpoint":"` + endpoint + `"}`:                               "Missing message or apigw_endpoint",
			`{"action":"sendmessage","message":"hi"}`:                                                    "Missing message or apigw_endpoint",
			`{"action":"sendmessage","message":"hi","apigw_endpoint":""}`:                                "Missing message or apigw_endpoint",
			string(frame("sendmessage", "https://evil.example/production")):                              "apigw_endpoint",
			string(frame("sendmessage", endpoint+"x")):                                                   "apigw_endpoint",
			string(frame("sendPublic", endpoint)):                                                        "action",
			string(frame("ping", endpoint)):                                                              "action",
			string(frame("nothing", endpoint)):                                                           "nothing",
			`{"action":"sendMessage","message":"hi","room":"tea","apigw_endpoint":"` + endpoint + `"}`:   "room",
			`{"action":"sendMessage","message":"hi","to":"bob","apigw_endpoint":"` + endpoint + `"}`:     "to",
			`{"action":"sendmessage","message":"a\u0000b","apigw_endpoint":"` + endpoint + `"}`:          "message",
			`{"action":"sendmessage","message":"hi","from":"alice","apigw_endpoint":"` + endpoint + `"}`: "from",
			`Hello from CLI!`: "JSON",
		} {
			r, err := w.h.Invoke(w.ctx, "request-1", []byte(payload))
			w.ok(err)
			if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Body, says) {
				w.Errorf("%s: %d %s, want %q", payload, r.StatusCode, r.Body, says)
			}
		}
		equal(w, "alice gets", w.poster.take("alice1"), []string{})
	}, own)
	sub(t, "the lobby is off", func(w *world) {
		w.h.Service.LobbyOff = true
		r, err := w.h.Invoke(w.ctx, "request-1", frame("sendmessage", endpoint))
		w.ok(err)
		if r.StatusCode != http.StatusForbidden || !strings.Contains(r.Body, "the lobby is off") {
			w.Errorf("%d %s, want 403 and the reason", r.StatusCode, r.Body)
		}
	}, own)
	sub(t, "no endpoint of its own", func(w *world) {
		r, err := w.h.Invoke(w.ctx, "request-1", frame("sendmessage", ""))
		w.ok(err)
		equal(w, "status", r.StatusCode, 400)
	})
	sub(t, "store does not answer", func(w *world) {
		w.use(failingLog{w.log, chat.E(chat.Unavailable, "no")})
		if _, err := w.h.Invoke(w.ctx, "request-1", frame("sendmessage", endpoint)); !chat.Is(err, chat.Unavailable) {
			w.Errorf("error %v: Lambda would not repeat it", err)
		}
	}, own)
}

// An event posts to as many connections by itself as Inline says, of all dialects together, the sender
// among them.
func TestDialects_inline(t *testing.T) {
	w := newWorld(t, with(func(c *chatapi.Config) { c.Inline = 10 }))
	var ids []string
	for n := range 12 {
		for _, d := range []wire.Dialect{wire.NativeDialect, wire.BroadcastDialect, wire.DirectDialect} {
			id := fmt.Sprintf("%s%d", d, n)
			w.enter(id, d, fmt.Sprintf("user%s%d", d, n))
			ids = append(ids, id)
		}
	}
	w.handle(w.frame("direct11", `{"action":"sendMessage","message":"hi"}`))
	posted := 0
	for _, c := range w.poster.calls {
		posted += len(c.to)
	}
	equal(t, "posted to by the event", posted, 10)
	equal(t, "the sender gets", w.poster.take("direct11"), []string{"hi"})
	w.ok(w.later.run(w.ctx))
	for _, id := range ids {
		if id != "direct11" && len(w.poster.take(id)) != 1 {
			t.Errorf("%s got nothing, or more than the message", id)
		}
	}
}
