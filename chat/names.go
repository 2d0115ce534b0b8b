package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// NameRule is the rule for names of users and rooms, for people.
const NameRule = "1 to 64 bytes of letters, digits, '-', '_' and '.', all letters of one script"

// CleanName gives a user's or room's name in NFC, or Invalid with the field.
//
// A name is 1 to MaxName bytes of letters, digits, '-', '_' and '.', and starts with a letter or
// digit. Its letters are of one script; Han may stand with Hiragana and Katakana, with Hangul, or
// with Bopomofo (Unicode TS 39, section 5.2, without its Latin). Marks are those of the name's own
// script, and nothing is invisible.
func CleanName(field, name string) (string, error) {
	if isPlain(name) {
		return name, nil // every message names a room: most names need no tables
	}
	if !utf8.ValidString(name) || len(name) > 4*MaxName {
		return "", BadField(field, "%s: want %s", field, NameRule)
	}
	name = norm.NFC.String(name)
	if name == "" || len(name) > MaxName || !onlyNameRunes(name) || mixesScripts(name) {
		return "", BadField(field, "%s: want %s", field, NameRule)
	}
	return name, nil
}

// isPlain tells whether a name is one by ASCII alone.
func isPlain(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '-' || c == '_' || c == '.'):
		default:
			return false
		}
	}
	return true
}

// Fold gives the key under which a name is one with its other spellings.
func Fold(name string) string {
	if isLowerASCII(name) {
		return name
	}
	return norm.NFC.String(cases.Fold().String(strings.Map(upperCherokee, norm.NFC.String(name))))
}

// upperCherokee gives Cherokee letters in upper case: package cases swaps the two cases of this
// script, and so folds them to two keys.
func upperCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

func isLowerASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

func onlyNameRunes(name string) bool {
	for i, r := range name {
		switch {
		case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return false // shows nothing
		case isStyled(r):
			return false
		case unicode.IsLetter(r), unicode.Is(unicode.Nd, r):
		case i > 0 && (r == '-' || r == '_' || r == '.'):
		case i > 0 && unicode.Is(unicode.M, r) && !unicode.Is(unicode.Inherited, r):
		default:
			return false
		}
	}
	return true
}

// isStyled tells whether a letter or digit is another one in other clothes, as a bold, a wide or a
// joined one. Thai and Lao write a vowel that is made of two and looks like no other.
func isStyled(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.In(r, unicode.Thai, unicode.Lao) &&
		!norm.NFKC.IsNormalString(string(r))
}

// cjk are the sets of scripts that one language writes together.
var cjk = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Han, unicode.Hangul},
	{unicode.Han, unicode.Bopomofo},
}

func mixesScripts(name string) bool {
	var first *unicode.RangeTable
	var rest []*unicode.RangeTable
	for _, r := range name {
		if unicode.Is(unicode.Common, r) || first != nil && unicode.Is(first, r) {
			continue
		}
		script := scriptOf(r)
		if first == nil {
			first = script
		}
		rest = append(rest, script)
	}
	return first != nil && !oneScript(rest)
}

func oneScript(scripts []*unicode.RangeTable) bool {
	for _, set := range append(cjk, scripts[:1]) {
		if within(scripts, set) {
			return true
		}
	}
	return false
}

func within(scripts, set []*unicode.RangeTable) bool {
	for _, s := range scripts {
		found := false
		for _, of := range set {
			found = found || s == of
		}
		if !found {
			return false
		}
	}
	return true
}

func scriptOf(r rune) *unicode.RangeTable {
	if r < utf8.RuneSelf {
		return unicode.Latin
	}
	for _, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return nil
}
