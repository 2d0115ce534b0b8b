package testenv_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
)

// Naughty strings come back byte for byte, or are refused as the document says: what is empty or
// has a control character other than newline and tab.
func TestCorpus_NaughtyStrings(t *testing.T) {
	naughty := tools.NaughtyStrings(t)
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		const parallel = 8
		var wait sync.WaitGroup
		for p := range parallel {
			c := e.Dial(t, fmt.Sprintf("user%d", p))
			c.Join(fmt.Sprintf("room%d", p))
			wait.Go(func() {
				room := fmt.Sprintf("room%d", p)
				for i := p; i < len(naughty); i += parallel {
					if err := tryText(c, room, fmt.Sprintf("m%d", i), naughty[i], badText(naughty[i])); err != nil {
						t.Errorf("string %d, %q: %v", i, naughty[i], err)
					}
				}
				stored, err := c.Fetch(room, 0) // the connection is still open
				if err != nil {
					t.Error(err)
				}
				for _, f := range stored {
					var i int
					if _, err := fmt.Sscanf(f.ID, "m%d", &i); !f.Void && (err != nil || f.Message != naughty[i]) {
						t.Errorf("string %d, %q, is stored as %s", i, naughty[i], f.Raw)
					}
				}
			})
		}
		wait.Wait()
	})
}

// badText tells whether docs/protocol.md refuses a text.
func badText(s string) bool {
	return s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

// tryText sends a text and compares what comes back.
func tryText(c *testenv.Client, room, id, text string, refuse bool) error {
	frame, err := json.Marshal(map[string]string{"action": "sendMessage", "id": id, "room": room, "message": text})
	if err != nil {
		return err
	}
	if err := c.TrySend(string(frame)); err != nil {
		return err
	}
	f, err := c.TryAwait(time.Minute, func(f testenv.Frame) bool { return f.ID == id })
	switch {
	case err != nil:
		return err
	case refuse:
		return f.Matches(`{"event":"error","id":%q,"code":"bad_field","message":"$any","requestId":"$any"}`, id)
	case f.Event != "message" || f.Message != text:
		return fmt.Errorf("it came back as %s", f.Raw)
	}
	return nil
}

// Every file of JSONTestSuite as a frame gets one error frame, and the connection stays open; what
// no text frame can carry ends it with the code for that.
func TestCorpus_JSONTestSuite(t *testing.T) {
	folder := filepath.Join(tools.Corpus(t, "JSONTestSuite"), "test_parsing")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Each(t, testenv.Options{OneByOne: true}, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		for name, text := range files {
			switch {
			case len(text) > 128<<10:
				closes(t, e, name, text, websocket.StatusMessageTooBig)
				continue
			case !utf8.Valid(text):
				closes(t, e, name, text, websocket.StatusInvalidFramePayloadData)
				continue
			}
			alice.SendParts(text, 30_000)
			f := alice.Event("error")
			isObject := json.Valid(text) && strings.HasPrefix(strings.TrimSpace(string(text)), "{")
			if f.Code != "bad_json" && (name[0] == 'n' || !isObject || f.Code != "bad_field") {
				t.Errorf("%s: %s", name, f.Raw)
			}
			namesField(t, f, map[string]string{"bad_json": "JSON", "bad_field": "action"}[f.Code])
		}
		alice.Sync()
		answers := alice.Count(func(f testenv.Frame) bool { return f.Event != "pong" })
		errors := alice.Count(func(f testenv.Frame) bool { return f.Event == "error" })
		if answers != errors {
			t.Errorf("%d of %d answers are not errors", answers-errors, answers)
		}
	})
}

// closes tells whether a message ends its connection with the code.
func closes(t *testing.T, e *testenv.Env, name string, text []byte, code websocket.StatusCode) {
	t.Helper()
	c := e.Dial(t, "mallory")
	_ = c.TrySendParts(text, 30_000) // it may be closed before the end
	if got := c.Closed(); got != code {
		t.Errorf("%s: closed with %d, want %d", name, got, code)
	}
	c.Close()
}
