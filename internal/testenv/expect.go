package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// timestamp is RFC 3339 in UTC with milliseconds, as docs/protocol.md has it.
var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// Is compares a frame with one that is typed from docs/protocol.md: the same members with the same
// values. In want "$any" stands for any string that is not empty, "$at" for a time and "$n" for any
// number. The rooms of welcome and pong are compared in any order. A message may be marked as a
// duplicate beyond want, as a repeated delivery of its event makes it.
func (f Frame) Is(tb testing.TB, want string, args ...any) Frame {
	tb.Helper()
	if len(args) > 0 {
		want = fmt.Sprintf(want, args...)
	}
	if err := match(f.Raw, want); err != nil {
		tb.Fatalf("%v\n got %s\nwant %s", err, f.Raw, want)
	}
	return f
}

// Matches is Is for a test that goes on: it tells the difference, or nil.
func (f Frame) Matches(want string, args ...any) error {
	return match(f.Raw, fmt.Sprintf(want, args...))
}

func match(got, want string) error {
	g, err := tree(got)
	if err != nil {
		return fmt.Errorf("got is no JSON: %w", err)
	}
	w, err := tree(want)
	if err != nil {
		return fmt.Errorf("want is no JSON: %w", err)
	}
	if gm, ok := g.(map[string]any); ok && gm["event"] == "message" {
		if wm, _ := w.(map[string]any); wm["duplicate"] == nil {
			delete(gm, "duplicate")
		}
	}
	return same("", g, w)
}

func tree(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	if m, ok := v.(map[string]any); ok && (m["event"] == "welcome" || m["event"] == "pong") {
		sortRooms(m["rooms"])
	}
	return v, nil
}

func sortRooms(rooms any) {
	list, _ := rooms.([]any)
	name := func(v any) string { m, _ := v.(map[string]any); s, _ := m["room"].(string); return s }
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(name(a), name(b)) })
}

// same compares two trees; where is the way to them.
func same(where string, got, want any) error {
	switch w := want.(type) {
	case map[string]any:
		return sameObject(where, got, w)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s: got %v, want %v", where, got, want)
		}
		for i := range w {
			if err := same(fmt.Sprintf("%s[%d]", where, i), g[i], w[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		if strings.HasPrefix(w, "$") && placeholder(w, got) {
			return nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %v, want %v", where, got, want)
	}
	return nil
}

func sameObject(where string, got any, want map[string]any) error {
	g, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: got %v, want an object", where, got)
	}
	for name := range g {
		if _, ok := want[name]; !ok {
			return fmt.Errorf("%s: got a member %q too many", where, name)
		}
	}
	for name := range want {
		if _, ok := g[name]; !ok {
			return fmt.Errorf("%s: the member %q is missing", where, name)
		}
		if err := same(where+"."+name, g[name], want[name]); err != nil {
			return err
		}
	}
	return nil
}

func placeholder(name string, got any) bool {
	s, isString := got.(string)
	_, isNumber := got.(json.Number)
	switch name {
	case "$any":
		return isString && s != ""
	case "$at":
		return isString && timestamp.MatchString(s)
	case "$n":
		return isNumber
	}
	return false
}

// checkForm tells what is wrong with the form of a server's frame: it is one compact JSON object
// that begins with "event". A direct's payload comes as it was sent.
func checkForm(text []byte) error {
	if !bytes.HasPrefix(text, []byte(`{"event":"`)) {
		return errors.New(`it does not begin with "event"`)
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, text)
	if err == nil && compact.Len() != len(text) && !bytes.HasPrefix(text, []byte(`{"event":"direct"`)) {
		err = errors.New("it is not compact")
	}
	return err
}
