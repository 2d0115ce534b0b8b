package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/wire"
)

// stricter is the files of JSONTestSuite that JSON allows and the protocol refuses: keys that
// are there twice.
var stricter = []string{"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}

func TestDecode_JSONTestSuite(t *testing.T) {
	folder := filepath.Join(tools.Corpus(t, "JSONTestSuite"), "test_parsing")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		frames := map[string][]byte{
			"unknown member": embed(`{"action":"ping","x":`, text),
			"payload": embed(
				`{"action":"sendDirect","connectionId":"c","operationType":"o","message":`, text),
		}
		if name[0] == 'n' {
			frames["frame"] = text
		}
		for where, frame := range frames {
			a, err := wire.Decode(frame)
			var refused *wire.Error
			switch {
			case name[0] == 'i': // either is right, but nothing may be read otherwise
				agree(t, frame)
			case name[0] == 'y' && !slices.Contains(stricter, name):
				if err != nil {
					t.Errorf("%s as %s is refused: %v", name, where, err)
				}
				if want := bytes.Trim(text, " \t\r\n"); where == "payload" && !bytes.Equal(a.Payload, want) {
					t.Errorf("%s as payload came out as %q", name, a.Payload)
				}
			case !errors.As(err, &refused) || refused.Code != wire.BadJSON:
				t.Errorf("%s as %s: %v, want bad_json", name, where, err)
			}
		}
	}
}

func embed(before string, text []byte) []byte {
	return append(append([]byte(before), text...), '}')
}

// Every string that a text field admits comes out byte for byte, and the others are refused.
func TestDecode_NaughtyStrings(t *testing.T) {
	fields := []struct {
		frame string
		value func(wire.Action) string
		good  func(string) bool
	}{
		{
			`{"action":"sendMessage","message":%s}`,
			func(a wire.Action) string { return a.Text }, notEmpty,
		},
		{
			`{"action":"ping","id":%s}`, func(a wire.Action) string { return a.ID },
			func(s string) bool { return s != "" && len(s) <= 64 },
		},
		{`{"action":"joinRoom","room":%s}`, func(a wire.Action) string { return a.Room }, notEmpty},
		{
			`{"action":"invite","room":"tea","user":%s}`,
			func(a wire.Action) string { return a.User }, notEmpty,
		},
		{
			`{"action":"sendMessage","message":"hi","to":%s}`,
			func(a wire.Action) string { return a.To }, notEmpty,
		},
		{`{"action":"setName","name":%s}`, func(a wire.Action) string { return a.NewName }, notEmpty},
		{
			`{"action":"sendDirect","operationType":"o","message":1,"connectionId":%s}`,
			func(a wire.Action) string { return a.ConnectionID }, notEmpty,
		},
		{
			`{"action":"sendDirect","connectionId":"c","message":1,"operationType":%s}`,
			func(a wire.Action) string { return a.OperationType }, notEmpty,
		},
		{
			`{"action":"sendDirect","connectionId":"c","operationType":"o","message":%s}`,
			func(a wire.Action) string { return unmarshal(t, a.Payload) }, anything,
		},
		{`{"action":"users","after":%s}`, func(a wire.Action) string { return a.Cursor }, anything},
		{
			`{"action":"hello","resume":{%s:{"epoch":"","seq":0}}}`,
			func(a wire.Action) string { return a.Resume[0].Room }, anything,
		},
		{
			`{"action":"hello","resume":{"tea":{"epoch":%s,"seq":0}}}`,
			func(a wire.Action) string { return a.Resume[0].Epoch }, anything,
		},
	}
	for _, text := range tools.NaughtyStrings(t) {
		for _, escapeHTML := range []bool{false, true} {
			quoted := quote(t, text, escapeHTML)
			for _, f := range fields {
				frame := fmt.Sprintf(f.frame, quoted)
				a, err := wire.Decode([]byte(frame))
				if (err == nil) != f.good(text) {
					t.Errorf("%s: %v", frame, err)
				}
				if err == nil && f.value(a) != text {
					t.Errorf("%s came out as %q", frame, f.value(a))
				}
			}
		}
	}
}

func anything(string) bool   { return true }
func notEmpty(s string) bool { return s != "" }

func quote(t *testing.T, text string, escapeHTML bool) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	if err := encoder.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func unmarshal(t *testing.T, raw []byte) string {
	t.Helper()
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return text
}

// Every string goes through Append into encoding/json and a client's decoder byte for byte, and
// nothing is escaped in it but what must be.
func TestAppend_NaughtyStrings(t *testing.T) {
	for _, text := range tools.NaughtyStrings(t) {
		roundTrip(t, wire.Message{
			Room: text, Seq: 1, Epoch: text, ID: text, From: text, Text: text,
			At: time.UnixMilli(1_795_000_000_123).UTC(),
		})
		frame := wire.Append(nil, &wire.Message{Text: text})
		escapes := bytes.Count(frame, []byte(`\`))
		for i := 0; i < len(text); i++ {
			if c := text[i]; c == '\\' {
				escapes -= 2
			} else if c < 0x20 || c == '"' {
				escapes--
			}
		}
		if escapes != 0 {
			t.Errorf("%q is escaped more or less than it must be: %s", text, frame)
		}
	}
}
