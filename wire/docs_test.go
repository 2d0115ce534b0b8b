package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/wire"
)

var blocks = regexp.MustCompile("(?s)```json\n(.*?)```")

// document gives the public document and the frames of its examples.
func document(t *testing.T) (text string, frames []string) {
	t.Helper()
	file, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks.FindAllStringSubmatch(string(file), -1) {
		frames = append(frames, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return string(file), frames
}

// Every example of the document is a frame as it is sent.
func TestDocument_Examples(t *testing.T) {
	_, frames := document(t)
	examples := map[string]bool{}
	for _, frame := range frames {
		if strings.HasPrefix(frame, `{"action":`) {
			a, err := wire.Decode([]byte(frame))
			if err != nil {
				t.Errorf("%s: %v", frame, err)
			}
			examples["action "+orElse(a.Alias, a.Name)] = true
			continue
		}
		event, err := wire.DecodeEvent([]byte(frame))
		if err != nil {
			t.Errorf("%s: %v", frame, err)
			continue
		}
		if _, unknown := event.(wire.Unknown); unknown {
			t.Errorf("no such event: %s", frame)
		}
		if got := string(wire.Append(nil, event)); got != frame {
			t.Errorf("the document has %s\nthe server sends %s", frame, got)
		}
		examples["event "+event.EventName()] = true
	}
	for _, item := range wire.HelpActions() {
		if !examples["action "+item.Action] {
			t.Errorf("no example of the action %s", item.Action)
		}
	}
	var vectors []eventVector
	readJSON(t, "events.json", &vectors)
	for _, v := range vectors {
		if v.Event != "" && v.Event != "unknown" && !examples["event "+v.Event] {
			t.Errorf("no example of the event %s", v.Event)
		}
	}
}

// Every frame of a seed dialect in the document is one of the vectors.
func TestDocument_Dialects(t *testing.T) {
	var vectors []dialectVector
	readJSON(t, "dialects.json", &vectors)
	frames := map[string]bool{}
	for _, v := range vectors {
		frames[v.Frame] = true
	}
	text, _ := document(t)
	shown := 0
	for _, line := range strings.Split(text, "\n") {
		if frame, ok := strings.CutPrefix(line, "< "); ok {
			shown++
			if !frames[frame] {
				t.Errorf("no vector has %s", frame)
			}
		}
	}
	if shown < 10 {
		t.Errorf("the document shows %d frames of the seed dialects", shown)
	}
}

// The limits of the package are in the document.
func TestDocument_Limits(t *testing.T) {
	text, _ := document(t)
	for _, row := range []struct {
		limit int
		says  string
	}{
		{wire.MaxID, "| `id` | 1 to 64 bytes |"},
		{wire.MaxLimit, "| page of history, `rooms`, `members`, `users` | 200 items"},
		{wire.MaxResume, "| rooms of `resume` | 200 |"},
		{wire.MaxDepth, "| nesting | 32 levels |"},
		{wire.MaxInteger, "integers from 0 to 9007199254740991"},
	} {
		number, err := json.Marshal(row.limit)
		if err != nil {
			t.Fatal(err)
		}
		plain := []byte(strings.ReplaceAll(row.says, ",", ""))
		if !strings.Contains(text, row.says) || !bytes.Contains(plain, number) {
			t.Errorf("the document does not say %q, or the limit is %d now", row.says, row.limit)
		}
	}
}
