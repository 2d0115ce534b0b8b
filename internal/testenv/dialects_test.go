package testenv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// The dialects that are not native, as ?dialect= has them.
const (
	broadcast = "broadcast"
	directory = "directory"
	direct    = "direct"
	lounge    = "lounge"
)

// onceInOrder is for dialects whose frames have no numbers: nothing tells a repeated one, or two that
// came in the wrong order.
var onceInOrder = testenv.Options{OneByOne: true}

// dialAs connects a user, "" for a guest, in a dialect.
func dialAs(t *testing.T, e *testenv.Env, dialect, user string) *testenv.Client {
	t.Helper()
	return dialGateway(t, e, 0, dialect, user)
}

func dialGateway(t *testing.T, e *testenv.Env, gateway int, dialect, user string) *testenv.Client {
	t.Helper()
	url := e.URLs[gateway] + "?dialect=" + dialect
	if user != "" {
		url = e.URL(gateway, user) + "&dialect=" + dialect
	}
	return testenv.DialDialect(t, url, user+" ("+dialect+")")
}

// enter connects to the lounge under a name, and awaits that everyone there has been told.
func enter(t *testing.T, e *testenv.Env, gateway int, name string, present ...*testenv.Client) *testenv.Client {
	t.Helper()
	c := dialGateway(t, e, gateway, lounge, "")
	c.User = name + " (lounge)"
	c.Send(`{"action":"setName","name":%q}`, name)
	for _, member := range append(present, c) {
		member.Await("the members", has(`{"members":[`))
		member.Await("who has joined", has(fmt.Sprintf(`{"systemMessage":"%s has joined the chat"}`, name)))
	}
	return c
}

// has tells whether a frame has the text.
func has(text string) func(testenv.Frame) bool {
	return func(f testenv.Frame) bool { return strings.Contains(f.Raw, text) }
}

// gets awaits frames as the client's next ones: a text byte for byte, an object as JSON.
func gets(t *testing.T, c *testenv.Client, frames ...string) {
	t.Helper()
	for _, want := range frames {
		got := c.Next()
		if !strings.HasPrefix(want, "{") {
			if got.Raw != want {
				t.Errorf("%s got %q, want %q", c.User, got.Raw, want)
			}
		} else if err := got.Matches("%s", want); err != nil {
			t.Errorf("%s got %s, want %s: %v", c.User, got.Raw, want, err)
		}
	}
}

// silent tells that the clients got nothing that nobody has awaited.
func silent(t *testing.T, clients ...*testenv.Client) {
	t.Helper()
	for _, c := range clients {
		for _, f := range c.Rest() {
			t.Errorf("%s got %s", c.User, f.Raw)
		}
	}
}

// said types the message event that native clients get.
func said(from, text string) string {
	return fmt.Sprintf(`{"event":"message","room":"$any","seq":"$n","epoch":"$any","id":"$any","from":%q,"message":%q,"at":"$at"}`,
		from, text)
}

// mail types the frame that a directory client gets.
func mail(from, text string) string {
	return fmt.Sprintf(`{"action":"send","sent_by":%q,"message":%q}`, from, text)
}

// everyone is a user of each dialect, two devices of some.
type everyone struct {
	nina, phone      *testenv.Client // native, both nina
	ben, bens        *testenv.Client // broadcast, both ben
	dora, dirk, lena *testenv.Client // directory, direct, lounge
	unnamed          *testenv.Client // lounge
}

func dialEveryone(t *testing.T, e *testenv.Env) everyone {
	t.Helper()
	a := everyone{
		nina: e.Dial(t, "nina"), phone: e.Dial(t, "nina"),
		ben: dialAs(t, e, broadcast, "ben"), bens: dialAs(t, e, broadcast, "ben"),
		dora: dialAs(t, e, directory, "dora"), dirk: dialAs(t, e, direct, "dirk"),
		lena: enter(t, e, 0, "Lena"), unnamed: dialAs(t, e, lounge, ""),
	}
	silent(t, a.all()...)
	return a
}

func (a *everyone) all() []*testenv.Client {
	return []*testenv.Client{a.nina, a.phone, a.ben, a.bens, a.dora, a.dirk, a.lena, a.unnamed}
}

// TestDialects_Matrix lets a user of each dialect speak, and looks at what each other one gets.
func TestDialects_Matrix(t *testing.T) {
	testenv.Each(t, inOrder, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		a := dialEveryone(t, e)
		t.Run("lobby", func(t *testing.T) { a.lobby(t, before) })
		t.Run("direct messages", a.directMessages)
		t.Run("actions of all, natively", a.natively)
		t.Run("payloads", a.payloads)
		t.Run("errors", a.errors)
		t.Run("comings and goings", func(t *testing.T) { a.comings(t, e) })
		t.Run("rooms", func(t *testing.T) { a.rooms(t, e) }) // presence of a room may come late
	})
}

// lobby: everyone who is in it gets it in the own dialect; directory has no lobby. Its last number was
// before.
func (a *everyone) lobby(t *testing.T, before uint64) {
	for _, try := range []struct {
		from   string
		sender *testenv.Client
		frame  string
	}{
		{"nina", a.nina, `{"action":"sendMessage","id":"m1","message":"from native"}`},
		{"ben", a.ben, `{"action":"sendMessage","message":"from broadcast"}`},
		{"dirk", a.dirk, `{"action":"sendMessage","message":"from direct"}`},
		{"dirk", a.dirk, `{"action":"sendmessage","message":"from direct again"}`},
		{"Lena", a.lena, `{"action":"sendPublic","message":"from lounge"}`},
		{"Lena", a.lena, `{"action":"$sendPublic","message":"from lounge again"}`},
	} {
		_, text, _ := strings.Cut(try.frame, `"message":"`)
		text = strings.TrimSuffix(text, `"}`)
		try.sender.Send("%s", try.frame)
		gets(t, a.nina, said(try.from, text))
		gets(t, a.phone, said(try.from, text))
		gets(t, a.bens, text)
		if try.sender != a.ben {
			gets(t, a.ben, text)
		}
		gets(t, a.dirk, text)
		gets(t, a.lena, fmt.Sprintf(`{"publicMessage":"%s: %s"}`, try.from, text))
		silent(t, a.all()...)
	}
	page, err := a.nina.Fetch("lobby", before)
	if err != nil || len(page) != 6 || page[1].From != "ben" || page[1].Message != "from broadcast" {
		t.Errorf("the lobby's log has %d messages, want 6: %v", len(page), err)
	}
	a.nina.Rest()
}

// directMessages: both users' native connections, the recipient's alone in directory and lounge.
func (a *everyone) directMessages(t *testing.T) {
	say := func(to string) string {
		a.nina.Send(`{"action":"sendMessage","to":%q,"message":"psst %s"}`, to, to)
		gets(t, a.nina, said("nina", "psst "+to))
		gets(t, a.phone, said("nina", "psst "+to))
		return "psst " + to
	}
	gets(t, a.dora, mail("nina", say("dora")))
	gets(t, a.lena, fmt.Sprintf(`{"privateMessage":"nina: %s"}`, say("Lena")))
	say("ben") // has no frame for it; it is stored
	say("dirk")
	silent(t, a.all()...)

	a.dora.Send(`{"action":"send","message":"hello native","send_to":"nina","sent_by":"dora"}`)
	gets(t, a.nina, said("dora", "hello native"))
	gets(t, a.phone, said("dora", "hello native"))
	a.dora.Send(`{"action":"send","message":"hello lounge","send_to":"Lena","sent_by":"dora"}`)
	gets(t, a.lena, `{"privateMessage":"dora: hello lounge"}`)
	a.lena.Send(`{"action":"sendPrivate","to":"dora","message":"hello directory"}`)
	gets(t, a.dora, mail("Lena", "hello directory"))
	a.lena.Send(`{"action":"sendPrivate","to":"nina","message":"hello"}`)
	gets(t, a.nina, said("Lena", "hello"))
	gets(t, a.phone, said("Lena", "hello"))
	a.dora.Send(`{"action":"send","message":"unheard","send_to":"ben","sent_by":"dora"}`)
	a.dora.Send(`{"action":"send","message":"unheard","send_to":"dirk","sent_by":"dora"}`)
	silent(t, a.all()...)

	for room, want := range map[string]int{"@ben,nina": 1, "@dirk,nina": 1, "@dora,nina": 2, "@Lena,nina": 2} {
		if stored, err := a.nina.Fetch(room, 0); err != nil || len(stored) != want {
			t.Errorf("%s has %d messages, want %d: %v", room, len(stored), want, err)
		}
	}
	a.nina.Rest()
}

// natively: a native client may use the actions of every dialect, and gets native events.
func (a *everyone) natively(t *testing.T) {
	for _, try := range []struct{ action, text string }{
		{"sendmessage", "as the tutorial's route"},
		{"sendPublic", "as in the lounge"},
	} {
		a.nina.Send(`{"action":%q,"id":%q,"message":%q}`, try.action, try.text, try.text)
		for _, c := range []*testenv.Client{a.nina, a.phone} {
			gets(t, c, said("nina", try.text))
		}
		for _, c := range []*testenv.Client{a.ben, a.bens, a.dirk} {
			gets(t, c, try.text)
		}
		gets(t, a.lena, fmt.Sprintf(`{"publicMessage":"nina: %s"}`, try.text))
	}
	a.nina.Send(`{"action":"send","message":"by name","send_to":"dora","sent_by":"nina"}`)
	a.nina.Send(`{"action":"sendPrivate","to":"Lena","message":"in private"}`)
	for _, c := range []*testenv.Client{a.nina, a.phone} {
		c.Await("the message to dora", func(f testenv.Frame) bool { return f.Room == "@dora,nina" && f.Message == "by name" })
	}
	gets(t, a.dora, mail("nina", "by name"))
	gets(t, a.lena, `{"privateMessage":"nina: in private"}`)
	refused(t, a.nina, "bad_field", "f1", `{"action":"send","id":"f1","message":"forged","send_to":"dora","sent_by":"dora"}`)
	refused(t, a.nina, "unknown_action", "f2", `{"action":"$sendPublic","id":"f2","message":"hi"}`)
	a.nina.Rest()
	a.phone.Rest()
	silent(t, a.ben, a.bens, a.dora, a.dirk, a.lena, a.unnamed)
}

// payloads: native clients learn who sends, direct ones get exactly what the write-up has.
func (a *everyone) payloads(t *testing.T) {
	id := func(c *testenv.Client) string {
		c.Send(`{"action":"getConnectionId"}`)
		id, _ := c.Next().Fields["connectionId"].(string)
		return id
	}
	payload := `{"z":[1.0,1e3,"\u00e9"],"a":{"b":null}}`
	a.nina.Send(`{"action":"sendDirect","id":"s1","connectionId":%q,"operationType":"signing","message":%s}`, id(a.dirk), payload)
	gets(t, a.nina, `{"event":"sent","id":"s1"}`)
	if got, want := a.dirk.Next().Raw, `{"operationType":"signing","message":`+payload+`}`; got != want {
		t.Errorf("dirk got %s, want %s", got, want)
	}
	a.dirk.Send(`{"action":"sendDirect","connectionId":%q,"operationType":"pairing","message":7}`, id(a.nina))
	gets(t, a.nina, `{"event":"direct","from":"dirk","operationType":"pairing","message":7}`)
	silent(t, a.all()...)
}

// rooms: what happens in rooms other than the lobby is for native clients.
func (a *everyone) rooms(t *testing.T, e *testenv.Env) {
	a.nina.Join("tea")
	a.phone.Event("joined").Is(t, `{"event":"joined","room":"tea","seq":0,"epoch":"$any"}`)
	for _, user := range []string{"ben", "dora", "dirk", "Lena"} {
		device := e.Dial(t, user)
		device.Join("tea")
		device.Close()
	}
	pat := e.Dial(t, "pat")
	pat.Join("tea")
	pat.Send(`{"action":"typing","room":"tea"}`)
	a.nina.Event("typing")
	pat.Say("tea", "m1", "milk?")
	a.nina.Await("the message", message("tea", "milk?"))
	a.phone.Await("the message", message("tea", "milk?"))
	pat.Do("d1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":1}`)
	a.phone.Event("deleted")
	pat.Close()
	a.nina.Await("that pat is gone", func(f testenv.Frame) bool {
		return f.Event == "presence" && strings.Contains(f.Raw, `"offline":["pat"]`)
	})
	silent(t, a.ben, a.bens, a.dora, a.dirk, a.lena)
}

// errors: the same frame everywhere, and to nobody else.
func (a *everyone) errors(t *testing.T) {
	for _, c := range a.all() {
		c.Do("e1", `{"action":"sendMessage","id":"e1","message":5}`).Is(t,
			`{"event":"error","id":"e1","code":"bad_field","message":"$any","requestId":"$any"}`)
		silent(t, a.all()...)
	}
}

// comings: the lounge hears of its own people only.
func (a *everyone) comings(t *testing.T, e *testenv.Env) {
	sets := []*testenv.Client{e.Dial(t, "pam"), dialAs(t, e, broadcast, "bill"), dialAs(t, e, directory, "dan"), dialAs(t, e, direct, "dave")}
	silent(t, a.all()...)
	for _, c := range sets {
		c.Close()
	}
	lou := enter(t, e, 0, "Lou", a.lena)
	silent(t, a.all()...)
	lou.Close()
	gets(t, a.lena, `{"systemMessage":"Lou has left the chat"}`, `{"members":["Lena"]}`)
	a.unnamed.Close()
	silent(t, a.nina, a.phone, a.ben, a.bens, a.dora, a.dirk, a.lena)
}
