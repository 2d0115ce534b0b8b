package terminal

import (
	"iter"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// tabStop is how far apart the columns are that a tab leads to.
const tabStop = 8

// Width is how many columns of a terminal a clean text takes: two for wide characters (Unicode
// Standard Annex 11) and for emoji, none for marks, joiners and the colours of a [Style].
func Width(text string) int {
	total := 0
	for _, w := range widths(text) {
		total += w
	}
	return total
}

// widths gives where each character of a text begins and how many columns it takes.
func widths(text string) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		colour, last := false, 0
		for i, r := range text {
			w := runeWidth(r)
			switch {
			case colour || r == '\x1b':
				colour, w = r != 'm', 0
			case r == '\ufe0f': // shows what stands before it as an emoji
				w = 2 - last
			}
			if w > 0 {
				last = w
			}
			if !yield(i, w) {
				return
			}
		}
	}
}

func runeWidth(r rune) int {
	switch {
	case r >= ' ' && r < 0x7f:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) || r >= 0x1160 && r <= 0x11ff:
		return 0 // the latter are the vowels and finals of Hangul
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Fold breaks a clean text into lines of at most so many columns, where its own breaks are and else
// between words where that is possible. All lines but the first begin with the indent, so that
// nobody can write a line that looks as if another had said it. Columns of 0 mean without limit.
func Fold(text, indent string, columns int) string {
	room := columns - 1 // in the last one some terminals wrap already
	if room < 2*Width(indent)+2 {
		room = 0
	}
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		prefix := ""
		if i > 0 {
			b.WriteByte('\n')
			prefix = indent
		}
		foldLine(&b, expandTabs(prefix+line, columns > 0), indent, room)
	}
	return b.String()
}

// foldLine writes one line, broken where it has no room.
func foldLine(b *strings.Builder, line, indent string, room int) {
	for room > 0 && Width(line) > room {
		end, next := breakAt(line, room)
		b.WriteString(line[:end])
		b.WriteByte('\n')
		line = indent + line[next:]
	}
	b.WriteString(line)
}

// breakAt is where a line ends that is too long, and where the next one begins.
func breakAt(line string, room int) (end, next int) {
	used, space := 0, -1
	for i, w := range widths(line) {
		if used += w; used > room && i > 0 {
			if line[i] == ' ' {
				return i, i + 1
			}
			if space > len(line[:i])/2 { // a word that is most of the line is cut
				return space, space + 1
			}
			return i, i
		}
		if line[i] == ' ' {
			space = i
		}
	}
	return len(line), len(line)
}

// expandTabs puts spaces for tabs, where the width counts.
func expandTabs(line string, counts bool) string {
	if !counts || !strings.Contains(line, "\t") {
		return line
	}
	var b strings.Builder
	column := 0
	for i, part := range strings.Split(line, "\t") {
		if i > 0 {
			gap := tabStop - column%tabStop
			b.WriteString(strings.Repeat(" ", gap))
			column += gap
		}
		b.WriteString(part)
		column += Width(part)
	}
	return b.String()
}
