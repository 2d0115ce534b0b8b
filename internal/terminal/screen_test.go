package terminal

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// screen is a small terminal, which understands what an editor writes and refuses everything else.
type screen struct {
	t           *testing.T
	columns     int
	rows        [][]string // a wide character is followed by an empty cell
	row, column int
	pending     string
}

var sequence = regexp.MustCompile(`^\x1b\[(\d*)([ACJHm])`)

func (s *screen) Write(text []byte) (int, error) {
	rest := s.pending + string(text)
	for rest != "" {
		if m := sequence.FindStringSubmatch(rest); m != nil {
			s.move(m[1], m[2])
			rest = rest[len(m[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		s.put(r)
		rest = rest[size:]
	}
	return len(text), nil
}

func (s *screen) move(parameter, final string) {
	n, _ := strconv.Atoi(parameter)
	switch final {
	case "A":
		s.row = max(0, s.row-n)
	case "C":
		s.column = min(s.columns-1, s.column+n)
	case "J":
		if parameter == "2" {
			s.rows = nil
			return
		}
		s.grow()
		s.rows = s.rows[:s.row+1]
		s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
	case "H":
		s.row, s.column = 0, 0
	}
}

func (s *screen) grow() {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, nil)
	}
}

func (s *screen) put(r rune) {
	switch {
	case r == '\r':
		s.column = 0
		return
	case r == '\n':
		s.row++
		s.grow()
		return
	case r < ' ':
		s.t.Errorf("the terminal gets %q", r)
		return
	}
	w := runeWidth(r)
	if s.column+w > s.columns { // it wraps with the character that has no room
		s.row, s.column = s.row+1, 0
	}
	s.grow()
	for len(s.rows[s.row]) < s.column+w {
		s.rows[s.row] = append(s.rows[s.row], " ")
	}
	if w == 0 {
		s.rows[s.row][s.column-1] += string(r)
		return
	}
	s.rows[s.row][s.column] = string(r)
	if w == 2 {
		s.rows[s.row][s.column+1] = ""
	}
	s.column += w
}

// String is what is on the screen, with | where the cursor is.
func (s *screen) String() string {
	s.grow()
	var b strings.Builder
	for i, row := range s.rows {
		for j, cell := range row {
			if i == s.row && j == s.column {
				b.WriteString("|")
			}
			b.WriteString(cell)
		}
		if i == s.row && s.column >= len(row) {
			b.WriteString(strings.Repeat(" ", s.column-len(row)) + "|")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// keysThenText types keys one by one and then lets text come in.
func keysThenText(t *testing.T, keys, text string) string {
	t.Helper()
	s := &screen{t: t, columns: 12}
	e := newEditor(strings.NewReader(""), s, func() int { return 12 }, "> ")
	e.reading = true
	_ = e.draw("")
	e.in.Reset(strings.NewReader(keys))
	for {
		k, err := readKey(e.in)
		if err != nil {
			break
		}
		if done, err := e.take(k, ""); done || err != nil {
			e.finish()
		}
	}
	if text != "" {
		fmt.Fprint(e, text)
	}
	return s.String()
}

func TestEditor_Screen(t *testing.T) {
	const left = "\x1b[D"
	for _, tt := range []struct{ keys, text, want string }{
		{"", "", "> |\n"},
		{"hello", "", "> hello|\n"},
		{"hello" + left + left, "", "> hel|lo\n"},
		{"0123456789", "", "> 0123456789\n|\n"},
		{"0123456789" + left, "", "> 012345678|9\n\n"},
		{"0123456789abcdefghijklmn", "", "> 0123456789\nabcdefghijkl\nmn|\n"},
		{"0123456789abc\x7f\x7f\x7f\x7f", "", "> 012345678|\n"},
		{"日本語日本語", "", "> 日本語日本\n語|\n"},
		{"1日本語日本語", "", "> 1日本語日\n本語|\n"},
		{"1日本語日本" + left, "", "> 1日本語日\n|本\n"},
		{"日本語\x7f", "", "> 日本|\n"},
		{"hello", "hi there\n", "hi there\n> hello|\n"},
		{"hello" + left, "hi\nthere\n", "hi\nthere\n> hell|o\n"},
		{"0123456789abcdefghijklmn\x01", "hi\n", "hi\n> |0123456789\nabcdefghijkl\nmn\n"},
		{"hello\x0c", "", "> hello|\n"},
		{"\u202ehello", "", "> <U+202E>he\nllo|\n"},
		{"hello\r", "hi\n", "hi\n|\n"},
	} {
		if got := keysThenText(t, tt.keys, tt.text); got != tt.want {
			t.Errorf("%q, then %q: the screen is\n%swant\n%s", tt.keys, tt.text, got, tt.want)
		}
	}
}
