package terminal

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzClean holds what is promised of any text: nothing in it acts on a terminal, no row is wider than
// the terminal or begins at the margin, and JSON keeps it.
func FuzzClean(f *testing.F) {
	for _, text := range []string{
		"", "hi\x1b[2J\u202e\n\tthere", "日本語 \xff\x9b", "\x1b]0;t\x1b\\x\r10%\r20%", "👩\u200d👧 ❤\ufe0f e\u0301",
		strings.Repeat("long ", 40), strings.Repeat("\u3000", 60), strings.Repeat("\u0301", 200),
	} {
		f.Add(text, uint8(20))
	}
	f.Fuzz(func(t *testing.T, text string, columns uint8) {
		cleaned, plain := Clean(text), Plain(text)
		for name, result := range map[string]string{"Clean": cleaned, "Plain": plain} {
			acts := func(r rune) bool { return r != '\n' && acting(r) && (name == "Clean" || r < 0xa0) }
			if strings.ContainsFunc(result, acts) || !utf8.ValidString(result) {
				t.Errorf("%s(%q) is %q", name, text, result)
			}
		}
		if Clean(cleaned) != cleaned || Plain(plain) != plain {
			t.Errorf("%q changes again", text)
		}
		width := 20 + int(columns)
		for i, row := range strings.Split(Fold(cleaned, "    ", width), "\n") {
			if Width(row) >= width || i > 0 && !strings.HasPrefix(row, "    ") {
				t.Errorf("%q has the row %q in %d columns", text, row, width)
			}
		}
		line, err := JSON(text)
		var back string
		if err == nil {
			err = json.Unmarshal(line, &back)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); err != nil || utf8.ValidString(text) && back != want {
			t.Errorf("JSON(%q) is %s: %v", text, line, err)
		}
	})
}
