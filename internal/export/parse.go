package export

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// members is a line: an object of texts, numbers and truths. Its methods take one member each and
// keep the first error, which names it.
type members struct {
	kind   string
	values map[string]any // string, json.Number or bool; those that are not taken yet
	err    error
}

// parse reads a line. Two members of one name are refused: readers differ in which one counts.
func parse(line []byte) (*members, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	m := &members{values: map[string]any{}}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	for d.More() {
		if err := m.member(d, line); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one JSON object, and there is more in the line")
	}
	m.kind = m.text("type")
	return m, m.err
}

func notJSON(err error) error { return fmt.Errorf("the line is not JSON: %w", err) }

// member reads one member.
func (m *members) member(d *json.Decoder, line []byte) error {
	token, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	name, _ := token.(string)
	value, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	if _, twice := m.values[name]; twice {
		return fmt.Errorf("%s: it is there twice", name)
	}
	switch v := value.(type) {
	case string:
		// The decoder puts U+FFFD in the place of half a surrogate pair.
		if strings.ContainsRune(v, utf8.RuneError) && !bytes.ContainsRune(line, utf8.RuneError) &&
			!bytes.Contains(bytes.ToLower(line), []byte(`\ufffd`)) {
			return fmt.Errorf("%s: there is half a surrogate pair in it", name)
		}
	case json.Number, bool:
	default:
		return fmt.Errorf("%s: want a text, a number or a truth", name)
	}
	m.values[name] = value
	return nil
}

// take gives a member and marks it as known.
func (m *members) take(name string) (value any, there bool) {
	value, there = m.values[name]
	delete(m.values, name)
	return value, there
}

// bad keeps the first error.
func (m *members) bad(name, want string) {
	if m.err == nil {
		m.err = fmt.Errorf("%s: want %s", name, want)
	}
}

// finish gives the first error, or one about a member that is not known.
func (m *members) finish() error {
	if m.err == nil && len(m.values) > 0 {
		names := make([]string, 0, len(m.values))
		for name := range m.values {
			names = append(names, name)
		}
		return fmt.Errorf("%s: a line of type %s has no such member", slices.Min(names), m.kind)
	}
	return m.err
}

// anyText takes a text, which may be empty.
func (m *members) anyText(name string) string {
	value, _ := m.take(name)
	text, ok := value.(string)
	if !ok {
		m.bad(name, "a text")
	}
	return text
}

// text takes a text that is not empty.
func (m *members) text(name string) string {
	text := m.anyText(name)
	if text == "" {
		m.bad(name, "a text that is not empty")
	}
	return text
}

// maybe takes a text that may be absent.
func (m *members) maybe(name string) string {
	if _, there := m.values[name]; !there {
		return ""
	}
	return m.text(name)
}

// number takes a number in digits alone.
func (m *members) number(name string) uint64 {
	value, _ := m.take(name)
	digits, _ := value.(json.Number)
	n, err := strconv.ParseUint(string(digits), 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != string(digits) {
		m.bad(name, "a number in digits")
	}
	return n
}

// count takes a number that may be absent: then it is 0.
func (m *members) count(name string) uint64 {
	if _, there := m.values[name]; !there {
		return 0
	}
	return m.number(name)
}

// flag takes a truth that may be absent: then it is false.
func (m *members) flag(name string) bool {
	value, there := m.take(name)
	truth, ok := value.(bool)
	if there && !ok {
		m.bad(name, "true or false")
	}
	return truth
}

// time takes a time.
func (m *members) time(name string) time.Time {
	text := m.anyText(name)
	t, err := time.Parse(layout, text)
	if err != nil || moment(t) != text {
		m.bad(name, "a time as "+layout)
	}
	return t
}

// word takes one of some words and gives its number.
func (m *members) word(name string, words []string) int {
	n := slices.Index(words, m.anyText(name))
	if n < 1 {
		m.bad(name, strings.Join(words[1:], ", "))
	}
	return max(n, 0)
}

// keep takes a room's retention.
func (m *members) keep(name string) time.Duration {
	text := m.maybe(name)
	if text == keepForever {
		return chat.KeepForever
	}
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || keepText(d) != text {
		m.bad(name, "a time as 720h0m0s, or "+keepForever)
	}
	return d
}

// hash takes a SHA-256 in hexadecimal.
func (m *members) hash(name string) (h auth.Hash) {
	text := m.anyText(name)
	n, err := hex.Decode(h[:], []byte(text[:min(len(text), 2*len(h))]))
	if err != nil || n != len(h) || h.String() != text {
		m.bad(name, "a SHA-256 in hexadecimal")
	}
	return h
}
