package terminal

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// typed lets an editor read everything that a terminal sends.
func typed(keys string) (e *editor, lines []string, end error) {
	var screen bytes.Buffer
	e = newEditor(strings.NewReader(keys), &screen, func() int { return 20 }, "> ")
	for {
		line, err := e.readLine()
		if err != nil {
			return e, lines, err
		}
		lines = append(lines, line)
	}
}

func TestEditor_Keys(t *testing.T) {
	const left, right, up, down, home, end, remove = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H", "\x1bOF", "\x1b[3~"
	for keys, want := range map[string]string{
		"hello\r":                                    "hello",
		"hell\x7f\x7flo\r":                           "helo",
		"bc" + home + "a" + end + "d\r":              "abcd",
		"ac" + left + "b\r":                          "abc",
		"ab" + left + left + right + remove + "\r":   "a",
		"one two  \x17three\r":                       "one three",
		"wrong\x15right\r":                           "right",
		"ab\x01\x0bc\r":                              "c",
		"日本\x7f語\r":                                  "日語",
		"e\u0301x" + left + "\x7f\r":                 "x",
		"👩\u200d👧\x7f\x7f!\r":                        "!",
		"one\rtwo\r" + up + up + down + "!\r":        "one|two|two!",
		"one\r" + "draft" + up + down + "\r":         "one|draft",
		"\x1b[200~two\r\nlines\x1b[31m\n\x1b[201~\r": "two\nlines",
		"a\x1b[1;5Cb\x1bxc\x00\r":                    "abc",
		"\r":                                         "",
	} {
		_, lines, err := typed(keys)
		if got := strings.Join(lines, "|"); got != want || !errors.Is(err, io.EOF) {
			t.Errorf("%q: got %q, %v, want %q", keys, got, err, want)
		}
	}
	if _, lines, err := typed("abc\x03"); !errors.Is(err, ErrInterrupt) || lines != nil {
		t.Errorf("Ctrl-C: %q, %v", lines, err)
	}
	if _, lines, err := typed("a\x04\x7f\x04never\r"); !errors.Is(err, io.EOF) || lines != nil {
		t.Errorf("Ctrl-D: %q, %v", lines, err)
	}
}
