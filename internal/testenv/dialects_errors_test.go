package testenv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// badFrame is a frame that is refused with an error that names something.
type badFrame struct {
	frame string // it gets an id
	code  string // "" where more than one would do
	names string
}

// wrongs lists what is wrong with a required text member: missing, null, of another type, empty.
// The frame has a %s where `"member":value,` goes.
func wrongs(frame, member string) []badFrame {
	list := []badFrame{{fmt.Sprintf(frame, ""), "bad_field", member}}
	for _, value := range []string{"null", "7", "true", "{}", `["x"]`, `""`} {
		list = append(list, badFrame{fmt.Sprintf(frame, fmt.Sprintf(`"%s":%s,`, member, value)), "bad_field", member})
	}
	return list
}

// badTexts lists texts that no message may have.
func badTexts(frame string) []badFrame {
	with := func(text string) string { return fmt.Sprintf(frame, `"message":"`+text+`",`) }
	return []badFrame{
		{with(strings.Repeat("é", 8192) + "x"), "too_large", "16384"},
		{with(`a\u0000b`), "bad_field", "message"},
		{with(`a\u001b[31mb`), "bad_field", "message"},
		{with(`a\rb`), "bad_field", "message"},
	}
}

// badNames are values of a name member that break its rule.
var badNames = []string{
	`<b>alice</b>`, `<script>alert(1)</script>`, `alice\nbob`, `alice\u0000`, `alice bob`, `alice: hi`,
	`\u0430lice` /* a Cyrillic a */, `alice\u200b`, `\u202ealice`, `ａlice`, `../alice`, `@alice,bob`,
	strings.Repeat("a", 65),
}

func wrongNames(frame, member string) []badFrame {
	var list []badFrame
	for _, name := range badNames {
		list = append(list, badFrame{fmt.Sprintf(frame, fmt.Sprintf(`"%s":"%s",`, member, name)), "bad_field", member})
	}
	return list
}

// claims lists members that only the server may state.
func claims(frame string) []badFrame {
	var list []badFrame
	for _, member := range []string{"from", "sender", "seq", "epoch", "at", "duplicate"} {
		list = append(list, badFrame{fmt.Sprintf(frame, fmt.Sprintf(`"%s":"bob",`, member)), "bad_field", member})
	}
	return list
}

// noJSON are frames that are no object of the protocol. The instructions of broadcast answer them too.
var noJSON = []badFrame{
	{`hello`, "bad_json", "JSON"},
	{`["send"]`, "bad_json", "JSON"},
	{`{"action":"send"`, "bad_json", "JSON"},
	{``, "bad_json", "JSON"},
}

// unknown are actions that nobody knows; the error names those that there are.
func unknown(valid string) []badFrame {
	return []badFrame{
		{`{"action":"dance"}`, "unknown_action", valid},
		{`{"action":"$default"}`, "unknown_action", valid},
		{`{"action":"$connect"}`, "unknown_action", valid},
		{`{"action":"` + strings.ToUpper(valid) + `"}`, "unknown_action", valid},
		{`{"action":7}`, "bad_field", "action"},
		{`{"message":"hi"}`, "bad_field", "action"},
	}
}

// join puts lists together.
func join(lists ...[]badFrame) (all []badFrame) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// badFrames are the bad frames of each dialect that a user alice sends.
var badFrames = map[string][]badFrame{
	broadcast: join(
		wrongs(`{%s"action":"sendMessage"}`, "message"), badTexts(`{%s"action":"sendMessage"}`),
		wrongs(`{%s"action":"sendmessage"}`, "message"),
		claims(`{%s"action":"sendMessage","message":"hi"}`),
	),
	directory: join(
		wrongs(`{%s"action":"send","send_to":"bob","sent_by":"alice"}`, "message"),
		badTexts(`{%s"action":"send","send_to":"bob","sent_by":"alice"}`),
		wrongs(`{%s"action":"send","message":"hi","sent_by":"alice"}`, "send_to"),
		wrongNames(`{%s"action":"send","message":"hi","sent_by":"alice"}`, "send_to"),
		wrongs(`{%s"action":"send","message":"hi","send_to":"bob"}`, "sent_by"),
		claims(`{%s"action":"send","message":"hi","send_to":"bob","sent_by":"alice"}`),
		[]badFrame{
			{`{"action":"send","message":"hi","send_to":"bob","sent_by":"bob"}`, "", "sent_by"},
			{`{"action":"send","message":"hi","send_to":"bob","sent_by":"<b>alice</b>"}`, "", "sent_by"},
			{`{"action":"send","message":"hi","send_to":"bob","sent_by":"\u0430lice"}`, "", "sent_by"},
			{`{"action":"send","message":"hi","send_to":"bob","send_by":"bob"}`, "", "send_by"},
			{`{"action":"send","message":"hi","send_to":"bob","sent_by":"alice","send_by":"bob"}`, "", "send_by"},
			{`{"action":"send","message":"hi","send_to":"nobody","sent_by":"alice"}`, "not_found", "nobody"},
		},
		noJSON, unknown("send"),
	),
	direct: join(
		wrongs(`{%s"action":"sendMessage"}`, "message"), badTexts(`{%s"action":"sendMessage"}`),
		wrongs(`{%s"action":"sendDirect","operationType":"signing","message":1}`, "connectionId"),
		wrongs(`{%s"action":"sendDirect","connectionId":"JDH-3ejISQ0CFlw=","message":1}`, "operationType"),
		claims(`{%s"action":"sendDirect","connectionId":"JDH-3ejISQ0CFlw=","operationType":"signing","message":1}`),
		[]badFrame{
			{`{"action":"sendDirect","connectionId":"JDH-3ejISQ0CFlw=","operationType":"signing"}`, "bad_field", "message"},
			{`{"action":"sendDirect","connectionId":"JDH-3ejISQ0CFlw=","operationType":"signing","message":1}`, "not_found", "JDH-3ejISQ0CFlw="},
			{`{"action":"sendmessage","message":"hi","apigw_endpoint":"https://evil.example/production"}`, "", "apigw_endpoint"},
			{`{"action":"sendmessage","message":"hi","apigw_endpoint":"http://169.254.169.254/latest"}`, "", "apigw_endpoint"},
			{`{"action":"sendmessage","message":"hi","apigw_endpoint":7}`, "", "apigw_endpoint"},
			{`{"action":"sendmessage","apigw_endpoint":"https://evil.example/production"}`, "", ""},
		},
		noJSON, unknown("sendDirect"),
	),
	lounge: join(
		wrongs(`{%s"action":"setName"}`, "name"), wrongNames(`{%s"action":"setName"}`, "name"),
		wrongs(`{%s"action":"sendPublic"}`, "message"), badTexts(`{%s"action":"sendPublic"}`),
		wrongs(`{%s"action":"$sendPublic"}`, "message"),
		wrongs(`{%s"action":"sendPrivate","to":"bob"}`, "message"), badTexts(`{%s"action":"sendPrivate","to":"bob"}`),
		wrongs(`{%s"action":"sendPrivate","message":"hi"}`, "to"),
		wrongNames(`{%s"action":"sendPrivate","message":"hi"}`, "to"),
		claims(`{%s"action":"sendPublic","message":"hi"}`),
		[]badFrame{
			{`{"action":"setName","name":"bob"}`, "taken", "bob"},
			{`{"action":"setName","name":"BOB"}`, "taken", ""},
			{`{"action":"sendPrivate","to":"nobody","message":"hi"}`, "not_found", "nobody"},
		},
		noJSON, unknown("sendPublic"),
	),
}

// TestDialects_BadInput sends what is wrong in each dialect: one error that says what, nothing lost and
// nothing said to others.
func TestDialects_BadInput(t *testing.T) {
	testenv.Each(t, inOrder, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		bob := e.Dial(t, "bob")
		watchers := []*testenv.Client{
			bob, dialAs(t, e, broadcast, "bea"), dialAs(t, e, directory, "bob"), dialAs(t, e, direct, "bo"), enter(t, e, 0, "Bert"),
		}
		for dialect, tries := range badFrames {
			t.Run(dialect, func(t *testing.T) {
				var alice *testenv.Client
				if dialect == lounge {
					alice = enter(t, e, 0, "alice", watchers[4])
				} else {
					alice = dialAs(t, e, dialect, "alice")
				}
				for i, try := range tries {
					try.refused(t, alice, fmt.Sprintf("x%d", i))
				}
				silent(t, watchers...)
				alice.Close()
				awaitConnections(t, e, len(watchers))
				if dialect == lounge {
					gets(t, watchers[4], `{"systemMessage":"alice has left the chat"}`, `{"members":["Bert"]}`)
				}
			})
		}
		if stored, err := bob.Fetch("lobby", before); err != nil || len(stored) != 0 {
			t.Errorf("%d messages of bad frames are stored, %v", len(stored), err)
		}
		refused(t, bob, "not_found", "h1", `{"action":"history","id":"h1","room":"@alice,bob"}`)
	})
}

// refused sends the frame and looks at its answer.
func (b badFrame) refused(t *testing.T, c *testenv.Client, id string) {
	t.Helper()
	frame, withID := b.frame, `"id":"`+id+`",`
	if strings.HasPrefix(frame, "{") && strings.HasSuffix(frame, "}") {
		frame = "{" + withID + frame[1:]
	} else {
		withID = ""
	}
	c.Send("%s", frame)
	f := c.Next()
	code := b.code
	if code == "" {
		code = "$any"
	}
	shown := b.frame[:min(len(b.frame), 200)]
	if err := f.Matches(`{"event":"error",%s"code":%q,"message":"$any","requestId":"$any"}`, withID, code); err != nil {
		t.Errorf("%s is answered %s: %v", shown, f.Raw, err)
		return
	}
	if text, _ := f.Fields["message"].(string); !strings.Contains(text, b.names) {
		t.Errorf("%s is answered without a word of %s: %s", shown, b.names, f.Raw)
	}
}
