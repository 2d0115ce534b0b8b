package chat_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/tools"
)

func TestCleanName(t *testing.T) {
	for _, name := range []string{
		"a", "7", "alice", "Alice", "bob-2", "x_y.z", "a..b", "a--", "1st", "guest-abc234",
		"Jürgen", "Łukasz", "Ольга", "Ἀθηνᾶ", "מרים", "محمد", "मीरा", "น้ำ", "김철수",
		"山田太郎", "コーヒー", "ひらがなカタカナ漢字", "漢字한글", "李ㄅㄆ", "αβγ-1", "ñandú",
		strings.Repeat("a", 64), strings.Repeat("é", 32),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := chat.CleanName("name", name)
			if err != nil || got != name {
				t.Errorf("CleanName(%q) = %q, %v", name, got, err)
			}
		})
	}
	t.Run("NFC", func(t *testing.T) {
		long := strings.Repeat("e\u0301", 32) // 96 bytes, 64 in NFC
		for written, want := range map[string]string{
			"Ju\u0308rgen": "J\u00fcrgen", "\u212a": "K", "가": "가", long: strings.Repeat("\u00e9", 32),
		} {
			if got, err := chat.CleanName("name", written); err != nil || got != want {
				t.Errorf("CleanName(%q) = %q, %v; want %q", written, got, err, want)
			}
		}
	})
}

func TestCleanName_refused(t *testing.T) {
	for what, name := range map[string]string{
		"empty": "", "too long": strings.Repeat("a", 65), "too long in NFC": strings.Repeat("é", 33),
		"huge": strings.Repeat("e\u0301", 1<<20), "no UTF-8": "a\xff", "overlong": "a\xc0\xaf",
		"surrogate": "a\xed\xa0\x80", "space": "a b", "space first": " a", "space last": "a ",
		"no-break space": "a\u00a0b", "ideographic space": "a\u3000b", "newline": "a\n", "tab": "a\tb",
		"null": "a\x00", "escape": "a\x1b[31m", "C1": "a\u0085b", "line separator": "a\u2028b",
		"hyphen first": "-a", "point first": ".a", "parent": "..", "underscore first": "_a",
		"slash": "a/b", "backslash": `a\b`, "colon": "a:b", "comma": "a,b", "at": "a@b", "at first": "@a",
		"markup": "<b>", "less": "a<", "entity": "a&b", "quote": "a'b", "double quote": `a"b`,
		"dollar": "$a", "percent": "a%41", "hash": "#a", "star": "a*", "question": "a?", "pipe": "a|b",
		"plus": "a+b", "bracket": "a(b", "emoji": "a😀", "currency": "a€", "bullet": "a•b",
		"soft hyphen": "a\u00adb", "zero width space": "a\u200bb", "zero width joiner": "a\u200db",
		"left-to-right mark": "a\u200eb", "right-to-left override": "a\u202eb", "isolate": "a\u2066b",
		"byte order mark": "a\ufeff", "tag": "a\U000e0041", "Hangul filler": "\u3164",
		"choseong filler": "가\u115f", "halfwidth filler": "a\uffa0", "combining joiner": "a\u034fb",
		"variation selector": "a\ufe0f", "Mongolian selector": "ᠠ\u180bᠠ", "Khmer inherent vowel": "ក\u17b4",
		"private use": "a\ue000", "unassigned": "a\u0378", "noncharacter": "a\ufffe",
		"Cyrillic a in Latin": "\u0430dmin", "Cyrillic o in Latin": "b\u043eb", "Greek o in Latin": "b\u03bfb",
		"Latin o in Cyrillic": "б\u006fб", "Latin beside Han": "漢a", "Armenian in Latin": "b\u0585b",
		"Cherokee in Latin": "\u13aadam", "Hangul beside Katakana": "가カ", "Bopomofo beside kana": "ㄅあ",
		"three scripts of the East": "漢字ひら한글", "bold": "𝐚𝐝𝐦𝐢𝐧", "bold digit": "a𝟏", "wide": "ａｄｍｉｎ",
		"wide digit": "a１", "circled": "ⓐ", "superscript": "a²", "fraction": "a½", "ligature": "ﬁn",
		"double-struck": "ℂ", "ordinal": "1ª", "modifier letter": "ᴬ", "halfwidth katakana": "ｶ",
		"roman numeral": "Ⅳ", "mark alone": "\u0301", "mark first": "\u093fa", "foreign mark": "a\u093f",
		"stacked marks": "x\u0301\u0302", "enclosing mark": "a\u20dd", "long s": "\u017fam",
	} {
		t.Run(what, func(t *testing.T) {
			got, err := chat.CleanName("room", name)
			if err == nil {
				t.Fatalf("CleanName(%.80q) = %q", name, got)
			}
			wantKind(t, err, chat.Invalid)
			if e := asError(t, err); e.Field != "room" || !strings.HasPrefix(e.Message, "room: ") {
				t.Errorf("the error names field %q and says %q", e.Field, e.Message)
			}
		})
	}
}

// invisible are runes of which a reader sees nothing.
var invisible = []*unicode.RangeTable{
	unicode.Cf, unicode.Cc, unicode.Z, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point,
}

// No rune that shows nothing is in a name, whatever the name's script.
func TestCleanName_invisible(t *testing.T) {
	for _, table := range invisible {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if !unicode.Is(table, r) {
				continue
			}
			for _, letter := range []string{"a", "я", "가", "ᠠ", "ក", "ا"} {
				if name, err := chat.CleanName("name", letter+string(r)+letter); err == nil {
					t.Errorf("U+%04X is in the name %q", r, name)
				}
			}
		}
	}
}

// A letter that compatibility makes an ASCII one is refused inside an ASCII name, or the name is
// the ASCII one by NFC.
func TestCleanName_lookAlikes(t *testing.T) {
	tried := 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		plain := norm.NFKC.String(string(r))
		if len(plain) != 1 || !unicode.IsLetter(rune(plain[0])) && !unicode.IsDigit(rune(plain[0])) {
			continue
		}
		tried++
		got, err := chat.CleanName("name", "al"+string(r)+"ce")
		if err == nil && got != "al"+plain+"ce" {
			t.Errorf("U+%04X stands for %q in the name %q", r, plain, got)
		}
	}
	if tried < 13*52 { // the mathematical alphabets alone
		t.Errorf("only %d look-alikes", tried)
	}
}

func TestCleanName_naughtyStrings(t *testing.T) {
	accepted, refused := 0, 0
	for _, s := range tools.NaughtyStrings(t) {
		name, err := chat.CleanName("name", s)
		if err != nil {
			refused++
			continue
		}
		accepted++
		checkName(t, name)
		if again, err := chat.CleanName("name", name); err != nil || again != name {
			t.Errorf("%q is no name when it is written again: %q, %v", name, again, err)
		}
	}
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused", accepted, refused)
	}
}

// checkName checks what is promised of every accepted name.
func checkName(t *testing.T, name string) {
	t.Helper()
	if len(name) == 0 || len(name) > 64 || !norm.NFC.IsNormalString(name) {
		t.Errorf("%q has %d bytes, NFC %v", name, len(name), norm.NFC.IsNormalString(name))
	}
	if strings.ContainsAny(name, "<>&'\"/\\:;,@#$%^*()[]{}|?!`~=+ \t\r\n\x00\x1b") || name[0] == '.' || name[0] == '-' {
		t.Errorf("%q has a character of markup or paths", name)
	}
	scripts := map[string]bool{}
	for _, r := range name {
		if unicode.In(r, invisible...) || unicode.IsSymbol(r) || !unicode.IsPrint(r) {
			t.Errorf("%q has U+%04X", name, r)
		}
		for script, table := range unicode.Scripts {
			if unicode.Is(table, r) && script != "Common" {
				scripts[script] = true
			}
		}
	}
	if scripts["Han"] {
		delete(scripts, "Hiragana")
		delete(scripts, "Katakana")
	}
	japanese := scripts["Hiragana"] && scripts["Katakana"]
	if len(scripts) > 1 && !scripts["Han"] && !japanese {
		t.Errorf("%q mixes %v", name, scripts)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"alice", "Alice", "ALICE", "aLiCe"},
		{"straße", "STRASSE", "Strasse"},
		{"Ольга", "ОЛЬГА"},
		{"σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"é", "É", "e\u0301"},
		{"k", "K", "\u212a"},
		{"7-x", "7-X"},
		{"ﬀ", "FF"},
		{"\u1e9e", "ss"},
	} {
		for _, other := range same[1:] {
			if a, b := chat.Fold(same[0]), chat.Fold(other); a != b {
				t.Errorf("%q and %q are two: %q, %q", same[0], other, a, b)
			}
		}
	}
	for _, two := range [][2]string{
		{"alice", "alicе"}, {"ı", "i"}, {"a", "á"}, {"a-b", "a_b"}, {"a", "aa"}, {"は", "ハ"}, {"0", "O"},
	} {
		if a, b := chat.Fold(two[0]), chat.Fold(two[1]); a == b {
			t.Errorf("%q and %q are one: %q", two[0], two[1], a)
		}
	}
}

// Whatever Unicode takes for the cases of one letter is one, and folding twice is folding once.
func TestFold_everyLetter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		folded := chat.Fold(string(r))
		if again := chat.Fold(folded); again != folded {
			t.Errorf("U+%04X folds to %q and that to %q", r, folded, again)
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if f := chat.Fold(string(other)); f != folded {
				t.Errorf("U+%04X folds to %q, U+%04X to %q", r, folded, other, f)
			}
		}
	}
}
