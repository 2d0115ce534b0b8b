package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// TestGenerate_members checks that what the vectors have is in the file: every event, each of its
// members, and every action that is no alias.
func TestGenerate_members(t *testing.T) {
	text := generate()
	var vectors []struct{ Name, Event, Frame, Only string }
	read(t, "events.json", &vectors)
	for _, v := range vectors {
		if v.Event == "" || v.Event == "unknown" || v.Only == "decode" {
			continue
		}
		var frame map[string]any
		if err := json.Unmarshal([]byte(v.Frame), &frame); err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if !strings.Contains(text, `{ event: "`+v.Event+`" }`) {
			t.Errorf("no event %s", v.Event)
		}
		shape := shapeOf(t, text, v.Event)
		for member := range frame {
			if member != "event" && !strings.Contains(shape, " "+member+":") {
				t.Errorf("%s: %s has no member %s", v.Name, v.Event, member)
			}
		}
	}
	for _, action := range []string{"hello", "joinRoom", "sendMessage", "history", "help"} {
		if !strings.Contains(text, `{ action: "`+action+`"; id?: string`) {
			t.Errorf("no action %s", action)
		}
	}
	for _, alias := range []string{"sendPublic", "apigw_endpoint"} {
		if strings.Contains(text, alias) {
			t.Errorf("%s belongs to a seed dialect", alias)
		}
	}
}

// shapeOf gives the line of a shape.
func shapeOf(t *testing.T, text, event string) string {
	t.Helper()
	_, names, _ := strings.Cut(text, "eventShapes =")
	name := regexp.MustCompile(`[ "]` + event + `:(\w+)`).FindStringSubmatch(names)
	if name == nil {
		t.Fatalf("no shape of %s", event)
	}
	_, shape, found := strings.Cut(text, "\n  "+name[1]+`: "`)
	if !found {
		t.Fatalf("no shape %s", name[1])
	}
	shape, _, _ = strings.Cut(shape, `",`)
	return " " + shape
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tools.Root(), "wire", "testdata", name))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
