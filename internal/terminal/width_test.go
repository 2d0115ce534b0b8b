package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "ｆｕｌｌ": 8, "한국": 4, "\u1112\u1161\u11ab": 2,
		"📨": 2, "❤": 1, "❤\ufe0f": 2, "नि": 2, "\x1b[1;32malice\x1b[0m": 5,
	} {
		if got := Width(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"one two three", 0, "one two three"},
		{"a\nb\tc", 0, "a\n    b\tc"},
		{"one two three four", 15, "one two three\n    four"},
		{"one two three four", 14, "one two three\n    four"},
		{"日本語日本語日本語", 15, "日本語日本語日\n    本語"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 15, "aaaaaaaaaaaaaa\n    aaaaaaaaaa\n    aaaaa"},
		{"a\tb", 80, "a       b"},
		{"\x1b[1;32malice\x1b[0m two three four", 15, "\x1b[1;32malice\x1b[0m two\n    three four"},
	} {
		if got := Fold(tt.text, "    ", tt.columns); got != tt.want {
			t.Errorf("%q in %d columns is\n%q, want\n%q", tt.text, tt.columns, got, tt.want)
		}
	}
}

// TestFold_Forgery pads a text so that a plain terminal would begin a row with what looks like
// another person's message.
func TestFold_Forgery(t *testing.T) {
	forged := "📨 Message from [bob]: [I resign]"
	for _, text := range []string{
		"hi]\n" + forged, "hi" + strings.Repeat(" ", 76) + forged, "hi" + strings.Repeat("\u3000", 38) + forged,
		"hi" + strings.Repeat("x", 200) + forged, "hi\r" + forged, "hi\u2028" + forged,
	} {
		for i, row := range strings.Split(Fold("📨 Message from [mallory]: ["+Clean(text)+"]", "    ", 80), "\n") {
			if Width(row) > 79 || i > 0 && !strings.HasPrefix(row, "    ") {
				t.Errorf("%q has the row %q", text, row)
			}
		}
	}
}

func TestStyleOf_NoTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if s := StyleOf(file); s != (Style{}) {
		t.Errorf("a file has the style %+v", s)
	}
}

func TestStyle_Name(t *testing.T) {
	coloured, plain := Style{Colours: true}, Style{}
	if got := plain.Name("alice\x1b[31m") + plain.Faint("x"); got != "alice^[[31mx" {
		t.Errorf("without colours: %q", got)
	}
	got := coloured.Name("alice\x1b[31m")
	if !strings.HasPrefix(got, "\x1b[") || !strings.HasSuffix(got, "alice^[[31m\x1b[0m") {
		t.Errorf("with colours: %q", got)
	}
	if coloured.Name("alice") == coloured.Name("bob") {
		t.Error("alice and bob have one colour")
	}
}
