package terminal

import (
	"hash/fnv"
	"os"

	"golang.org/x/term"
)

// Style is how an output looks: a terminal has a width, and colours unless they are not wanted.
type Style struct {
	Columns int  // 0: no terminal, nothing is folded
	Colours bool // escape sequences for colours may be written
}

// StyleOf finds the style of an output. There are no colours where NO_COLOR is set to anything, or
// TERM is dumb.
func StyleOf(out *os.File) Style {
	if !IsTerminal(out) {
		return Style{}
	}
	wanted := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return Style{Columns: columnsOf(out), Colours: wanted && understandsEscapes(out)}
}

// IsTerminal tells whether a person sits at the other end.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// defaultColumns is the width of a terminal that does not tell.
const defaultColumns = 80

// columnsOf gives the width of a terminal as it is now.
func columnsOf(f *os.File) int {
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return defaultColumns
}

// nameColours are readable on dark and on light: no blue, no yellow.
var nameColours = []string{
	"\x1b[1;32m", "\x1b[1;35m", "\x1b[1;36m", "\x1b[1;31m", "\x1b[32m", "\x1b[35m", "\x1b[36m",
}

// Name is a user's name, harmless, in a colour that stays the user's.
func (s Style) Name(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return s.in(nameColours[int(h.Sum32()%uint32(len(nameColours)))], CleanLine(name))
}

// Faint is a text beside the matter, as a time. The text must be clean.
func (s Style) Faint(text string) string { return s.in("\x1b[2m", text) }

func (s Style) in(colour, text string) string {
	if !s.Colours || text == "" {
		return text
	}
	return colour + text + "\x1b[0m"
}
