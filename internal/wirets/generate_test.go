package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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
			if member != "event" && !strings.Contains(shape, " "+member+": \"") {
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
	_, name, ok := strings.Cut(text, `  "`+event+`": shapes.`)
	name, _, _ = strings.Cut(name, ",")
	_, shape, found := strings.Cut(text, "\nshapes."+name+" = ")
	if !ok || !found {
		t.Fatalf("no shape of %s", event)
	}
	shape, _, _ = strings.Cut(shape, ";\n")
	return shape
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
