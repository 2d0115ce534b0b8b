package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a text of somebody else harmless to a terminal: what would move the cursor, reverse
// the direction of writing or be invisible is written out, as ^[ or <U+202E>, and a byte that is no
// UTF-8 as <FF>. Line breaks and tabs stay.
func Clean(text string) string {
	if !needsCleaning(text) {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "<%02X>", rest[0])
		case r == '\n' || r == '\t' || !isHidden(r):
			b.WriteRune(r)
		default:
			b.WriteString(writtenOut(r))
		}
		rest = rest[size:]
	}
	return b.String()
}

// CleanLine is Clean for what has to stay on one line, as a name: line breaks and tabs are written
// out too.
func CleanLine(text string) string {
	return strings.NewReplacer("\n", "^J", "\t", "^I").Replace(Clean(text))
}

func needsCleaning(text string) bool {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return true
			}
		}
		if r != '\n' && r != '\t' && isHidden(r) {
			return true
		}
	}
	return false
}

// The joiners that emoji and many scripts are written with.
const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// isHidden tells whether a character acts instead of showing: controls (Cc), separators of lines
// and paragraphs, and format characters (Cf), the bidirectional ones among them. Not the joiners,
// and not the signs of Arabic numbers, which are Cf and show.
func isHidden(r rune) bool {
	if r == joiner || r == nonJoiner || unicode.Is(unicode.Prepended_Concatenation_Mark, r) {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// writtenOut is a hidden character as people can see it: ^[ for escape, as cat -v does, and its
// code point where there is no such form.
func writtenOut(r rune) string {
	if r < ' ' || r == 0x7f {
		return "^" + string(r^0x40)
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// Plain is what programs write for a terminal as a text for others: without escape sequences and
// control characters, and of a line that is overwritten by carriage returns, as a progress bar is,
// the last state. Line breaks and tabs stay; a byte that is no UTF-8 becomes U+FFFD.
func Plain(text string) string {
	lines := strings.Split(strings.ToValidUTF8(text, "\ufffd"), "\n")
	for i, line := range lines {
		line = withoutEscapes(line)
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		lines[i] = strings.Map(func(r rune) rune {
			if r != '\t' && unicode.Is(unicode.Cc, r) {
				return -1
			}
			return r
		}, line)
	}
	return strings.Join(lines, "\n")
}

// withoutEscapes leaves out the escape sequences of a line (ECMA-48, 5.3 to 5.6).
func withoutEscapes(line string) string {
	const escape = "\x1b"
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, escape)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		line = rest[escapeLength(rest):]
	}
}

// escapeLength is how much of the text behind an escape character belongs to its sequence.
func escapeLength(s string) int {
	switch {
	case s == "":
		return 0
	case s[0] == '[': // parameters and intermediates, then the final byte
		for i := 1; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case strings.ContainsRune("]P_^X", rune(s[0])): // a string, up to BEL or ESC \
		end := strings.IndexAny(s, "\a\x1b")
		switch {
		case end < 0:
			return len(s)
		case s[end] == '\x1b' && end+1 < len(s):
			return end + 2
		}
		return end + 1
	case s[0] >= ' ' && s[0] <= '/' && len(s) > 1: // as ESC ( B
		return 2
	case s[0] > '/' && s[0] <= '~':
		return 1
	}
	return 0
}
