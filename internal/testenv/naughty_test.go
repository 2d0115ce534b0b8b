package testenv_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
)

// TestDialects_Corpus sends naughty strings: as texts, which come out of every dialect as they went in,
// and as names, of which only those come through that are letters, digits and marks.
func TestDialects_Corpus(t *testing.T) {
	naughty := tools.NaughtyStrings(t)
	testenv.Each(t, onceInOrder, func(t *testing.T, e *testenv.Env) {
		some := naughty
		if e.Host != "direct" {
			some = every(8, naughty) // the rules are the same code everywhere
		}
		t.Run("texts", func(t *testing.T) { naughtyTexts(t, e, some) })
		t.Run("names", func(t *testing.T) { naughtyNames(t, e, some) })
	})
}

func every(n int, list []string) (some []string) {
	for i := 0; i < len(list); i += n {
		some = append(some, list[i])
	}
	return some
}

func naughtyTexts(t *testing.T, e *testenv.Env, texts []string) {
	ben, bill := dialAs(t, e, broadcast, "ben"), dialAs(t, e, broadcast, "bill")
	dora, lena := dialAs(t, e, directory, "dora"), enter(t, e, 0, "Lena")
	for _, text := range texts {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		ben.Send(`{"action":"sendMessage","message":%s}`, quoted)
		if badText(text) {
			if f := ben.Next(); f.Code != "bad_field" {
				t.Errorf("%q is answered %s", text, f.Raw)
			}
			continue
		}
		if got := bill.Next().Raw; got != text {
			t.Errorf("bill got %q, want %q", got, text)
		}
		if got := lena.Next().Fields["publicMessage"]; got != "ben: "+text {
			t.Errorf("lena got %q, want %q", got, text)
		}
		lena.Send(`{"action":"sendPrivate","to":"dora","message":%s}`, quoted)
		if got := dora.Next().Fields["message"]; got != text {
			t.Errorf("dora got %q, want %q", got, text)
		}
	}
	silent(t, ben, bill, dora, lena)
	for i, c := range []*testenv.Client{ben, bill, dora, lena} {
		leave(t, e, c, 3-i)
	}
}

// goodName is a name as the protocol has it, but for its scripts.
var goodName = regexp.MustCompile(`^[\pL\p{Nd}][\pL\p{Nd}\pM._-]*$`)

func naughtyNames(t *testing.T, e *testenv.Env, names []string) {
	dora := dialAs(t, e, directory, "dora")
	lena := dialAs(t, e, lounge, "")
	for _, name := range names {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		good := goodName.MatchString(name) && len(name) <= 64
		if !good { // a good one may be somebody by now
			dora.Send(`{"action":"send","message":"hi","send_to":%s,"sent_by":"dora"}`, quoted)
			refusal(t, dora.Next(), name, "send_to")
		}
		lena.Send(`{"action":"setName","name":%s}`, quoted)
		switch answer := lena.Next(); {
		case !good:
			refusal(t, answer, name, "name")
		case answer.Event != "error":
			lena.Next() // who has joined
		}
		status, _ := handshake(t, e.URLs[0]+"?dialect=directory&name="+url.QueryEscape(name), nil)
		if status != 400 && !good {
			t.Errorf("the name %q is admitted with status %d", name, status)
		}
	}
	silent(t, dora, lena)
}

// refusal looks at the answer to a bad name.
func refusal(t *testing.T, f testenv.Frame, name, field string) {
	t.Helper()
	if text, _ := f.Fields["message"].(string); f.Code != "bad_field" || !strings.Contains(text, field) {
		t.Errorf("the name %q is answered %s", name, f.Raw)
	}
}
