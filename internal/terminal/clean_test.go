package terminal

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/confab-chat/confab/internal/tools"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain, ünïcode, 日本語 and a\ttab\nand a line": "plain, ünïcode, 日本語 and a\ttab\nand a line",
		"\x1b[2J\x1b]0;title\a":                      "^[[2J^[]0;title^G",
		"a\rb\x00\x7f":                               "a^Mb^@^?",
		"\u009b31m":                                  "<U+009B>31m",
		"\u202egnp.exe\u2066":                        "<U+202E>gnp.exe<U+2066>",
		"a\u2028b\u200bc\ufeffd":                     "a<U+2028>b<U+200B>c<U+FEFF>d",
		"\xff\x9b":                                   "<FF><9B>",
		"\U000e0041":                                 "<U+E0041>",
		"👩\u200d👩\u200d👧 ❤\ufe0f नमस्ते \u0600": "👩\u200d👩\u200d👧 ❤\ufe0f नमस्ते \u0600",
		"really \ufffd": "really \ufffd",
	} {
		if got := Clean(text); got != want {
			t.Errorf("Clean(%q) is %q, want %q", text, got, want)
		}
	}
	if got := CleanLine("a\nb\tc\x1b"); got != "a^Jb^Ic^[" {
		t.Errorf("CleanLine gives %q", got)
	}
}

// acting are what must reach no terminal: UAX 9's directional characters, C0, DEL and C1.
func acting(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

func TestClean_NaughtyStrings(t *testing.T) {
	changed := 0
	for _, text := range tools.NaughtyStrings(t) {
		cleaned := Clean(text)
		if strings.ContainsFunc(cleaned, acting) || !utf8.ValidString(cleaned) {
			t.Errorf("Clean(%q) is %q", text, cleaned)
		}
		if cleaned != text {
			changed++
		} else if strings.ContainsFunc(text, acting) {
			t.Errorf("%q is left as it is", text)
		}
		plain := Plain(text)
		if strings.ContainsFunc(plain, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' && r != '\t'
		}) {
			t.Errorf("Plain(%q) is %q", text, plain)
		}
		line, err := JSON(text)
		var back string
		if err == nil {
			err = json.Unmarshal(line, &back)
		}
		if err != nil || back != text || strings.ContainsFunc(strings.TrimSuffix(string(line), "\n"), acting) {
			t.Errorf("JSON(%q) is %q: %v", text, line, err)
		}
	}
	if changed == 0 {
		t.Error("no naughty string was changed")
	}
}

func TestJSON(t *testing.T) {
	got, err := JSON(map[string]string{"message": "<b>\u202e\u009b\U000e0041é"})
	want := `{"message":"<b>\u202e\u009b\udb40\udc41é"}` + "\n"
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[1;31merror:\x1b[0m no \x1b[Krule":     "error: no rule",
		"10%\r20%\r100%\r\n":                        "100%\n",
		"windows\r\nlines\r\n":                      "windows\nlines\n",
		"\x1b]0;make all\agcc -c":                   "gcc -c",
		"\x1b]8;;https://a\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b(Bcharset\x1b=keypad":                  "charsetkeypad",
		"tab\tbell\a\x00":                           "tab\tbell",
		"half an escape\x1b":                        "half an escape",
		"half a sequence\x1b[12":                    "half a sequence",
		"latin \xe9":                                "latin \ufffd",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) is %q, want %q", text, got, want)
		}
	}
}
