package deploy

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/cost"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/internal/writeups"
)

// seed is a write-up's chat, with what its clients send.
type seed struct {
	cost.Seed                                       // Name, What, PageRows and AtOnce, as its code has them
	files     func(tb testing.TB) map[string]string // nil: the example Name
	region    string
	query     string // of the handshake, before the user's name
	enter     string // what a client sends first, before the user's name; "" nothing
	say, tell string // a message to all, and one to one other, before the text; "" none
	byID      bool   // the other is named by the connection's id
}

const helloAll = `{"action":"sendMessage","message":"`

// seeds are the write-ups' chats, in the order of the write-ups.
var seeds = []seed{
	{Seed: cost.Seed{Name: "broadcast-python", What: "broadcast, Python", AtOnce: 16}, say: helloAll},
	{Seed: cost.Seed{Name: "broadcast-node", What: "broadcast, Node.js", PageRows: 50, AtOnce: 50}, say: helloAll},
	{
		Seed: cost.Seed{What: "directory", AtOnce: 1}, files: writeups.Article, query: "?name=",
		tell: `{"action":"send","sent_by":"one","send_to":"two","message":"`,
	},
	{
		Seed: cost.Seed{Name: "direct-python", What: "direct", AtOnce: 10}, say: helloAll, byID: true,
		tell: `{"action":"sendDirect","operationType":"note","connectionId":"ID","message":"`,
	},
	{
		// The SDK for Node.js has 50 requests under way.
		Seed: cost.Seed{What: "lounge", AtOnce: 50}, files: writeups.Lounge, region: writeups.LoungeRegion,
		enter: `{"action":"setName","name":"`, say: `{"action":"sendPublic","message":"`,
		tell: `{"action":"sendPrivate","to":"two","message":"`,
	},
}

// folder has the chat's files; tests share a machine, and have more time than the examples.
func (s *seed) folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if s.files == nil {
		dir = filepath.Join(dir, s.Name)
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(tools.Root(), "examples", "seeds", s.Name))); err != nil {
			t.Fatal(err)
		}
		template := filepath.Join(dir, "template.yaml")
		text, err := os.ReadFile(template)
		if err == nil {
			err = os.WriteFile(template, []byte(strings.ReplaceAll(string(text), "Timeout: 10 ", "Timeout: 25 ")), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, text := range s.files(t) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(file), 0o700)
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// talk is a chat that runs, with who is connected.
type talk struct {
	*seed
	*gauge
	t      *testing.T
	url    string
	people []*testenv.Client
	said   int
}

// join connects somebody, who says who they are.
func (k *talk) join(user string) *testenv.Client {
	k.t.Helper()
	url := k.url
	if k.query != "" {
		url += k.query + user
	}
	c := testenv.DialDialect(k.t, url, user)
	if k.enter != "" {
		c.Send("%s", k.enter+user+`"}`)
		k.hears(c, user+" has joined")
	}
	return c
}

// events are how many invocations a join makes.
func (k *talk) events() int64 {
	if k.enter != "" {
		return 2
	}
	return 1
}

// stay has somebody connect until the end.
func (k *talk) stay(user string) {
	k.t.Helper()
	k.of("connecting", k.events(), func() { k.people = append(k.people, k.join(user)) })
}

func (k *talk) hears(c *testenv.Client, words string) testenv.Frame {
	k.t.Helper()
	return c.Await(words, func(f testenv.Frame) bool { return strings.Contains(f.Raw, words) })
}

// opening measures a connection and its end.
func (k *talk) opening() cost.Usage {
	k.t.Helper()
	return least(func() cost.Usage {
		var c *testenv.Client
		u := k.of("connect", k.events(), func() { c = k.join("guest") })
		if k.meter.Usage()["Scan"].Requests > 0 {
			k.t.Error("the table is read when somebody connects, which is not reckoned with")
		}
		return u.Plus(1, k.of("disconnect", 1, c.Close))
	})
}

// message measures one that the first sends and the second hears.
func (k *talk) message(frame string) cost.Usage {
	k.t.Helper()
	return least(func() cost.Usage {
		k.said++
		text := fmt.Sprintf("%s (%d)", usual, k.said)
		return k.of("message", 1, func() {
			k.people[0].Send("%s", frame+text+`"}`)
			k.hears(k.people[1], text)
		})
	})
}

// id is what the chat calls the second's connection.
func (k *talk) id() (id string) {
	k.t.Helper()
	k.of("asking", 1, func() {
		k.people[1].Send(`{"action":"getConnectionId"}`)
		var answer struct{ ConnectionID string }
		if err := json.Unmarshal([]byte(k.hears(k.people[1], "connectionId").Raw), &answer); err != nil {
			k.t.Fatal(err)
		}
		id = answer.ConnectionID
	})
	return id
}

// scans tells how often what was just measured has read the table, of so many rows.
func (k *talk) scans(rows float64) (times float64) {
	scan := k.meter.Usage()["Scan"]
	if scan.Requests > 0 {
		k.Bytes = float64(scan.ReadBytes) / float64(scan.Requests) / rows
	}
	return float64(scan.Requests)
}

// measure has two people talk in a chat, then four.
func (s *seed) measure(t *testing.T) cost.Seed {
	t.Helper()
	e := testenv.StartTemplate(t, s.folder(t), s.region)
	k := &talk{seed: s, gauge: &gauge{tb: t, usage: e.Usage, meter: e.Meter}, t: t, url: e.URLs[0]}
	k.stay("one")
	k.stay("two")
	s.Open = k.opening()
	s.OpenScans = k.scans(cost.SeedConnections + 1)
	if s.say != "" {
		s.Message = k.message(s.say)
		s.MessageScans = k.scans(cost.SeedConnections)
	}
	if s.tell != "" {
		frame := s.tell
		if s.byID {
			frame = strings.Replace(frame, "ID", k.id(), 1)
		}
		s.Direct = k.message(frame)
	}
	k.stay("three")
	k.stay("four")
	s.EachOpen = each(s.Open, k.opening())
	if s.say != "" {
		s.EachMessage = each(s.Message, k.message(s.say))
	}
	var billed, memory time.Duration
	for _, used := range e.Usage().Functions {
		billed, memory = billed+used.Billed, memory+used.BilledMB
	}
	s.Memory = math.Round(1000*float64(memory)/float64(billed)/1024) / 1000
	k.of("leaving", int64(len(k.people)), func() {
		for _, c := range k.people {
			c.Close()
		}
	})
	return s.Seed
}

// each gives what two more connections have added, for one; reading the table is reckoned otherwise.
// Lambda's lines differ by a few digits of time.
func each(two, four cost.Usage) (u cost.Usage) {
	const digits = 10
	u.Messages = (four.Messages - two.Messages) / 2
	if bytes := math.Round((four.LogBytes - two.LogBytes) / 2); bytes > digits {
		u.LogBytes = bytes
	}
	return u
}
