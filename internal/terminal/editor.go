package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Limits of what is typed.
const (
	maxLine    = 16_384 // characters: no message is longer
	maxHistory = 100    // lines that the arrow keys bring back
)

// ErrInterrupt is the end of a dialogue by Ctrl-C.
var ErrInterrupt = errors.New("interrupted")

// editor is a line that a person types on a terminal in raw mode, below everything that is written
// meanwhile.
type editor struct {
	in      *bufio.Reader
	columns func() int
	keep    bool // lines stay on the screen after Enter

	mu       sync.Mutex // of everything below
	out      io.Writer
	prompt   string
	line     []rune
	at       int  // the cursor is before line[at]
	reading  bool // the prompt is on the screen
	below    int  // rows of the screen from the prompt's to the cursor's
	history  []string
	recalled int // index into history, its length for the line that is new
	draft    []rune
}

func newEditor(in io.Reader, out io.Writer, columns func() int, prompt string) *editor {
	return &editor{in: bufio.NewReader(in), out: out, columns: columns, prompt: prompt}
}

// readLine lets a line be typed and gives it: io.EOF on Ctrl-D in an empty line, [ErrInterrupt] on
// Ctrl-C. A pasted text stays one line, with its breaks.
func (e *editor) readLine() (string, error) {
	e.mu.Lock()
	e.reading = true
	e.line, e.at, e.recalled = nil, 0, len(e.history)
	_ = e.draw("") // as above
	e.mu.Unlock()
	for {
		k, err := readKey(e.in)
		var pasted string
		if err == nil && k == keyPaste {
			pasted, err = readPaste(e.in)
		}
		e.mu.Lock()
		done := true
		if err == nil {
			done, err = e.take(k, pasted)
		}
		if err != nil || done {
			line := e.finish()
			e.mu.Unlock()
			return line, err
		}
		e.mu.Unlock()
	}
}

// take does what a key means, and tells whether the line is done.
func (e *editor) take(k key, pasted string) (done bool, err error) {
	switch {
	case k == '\r' || k == '\n':
		return true, nil
	case k == ctrlC:
		return false, ErrInterrupt
	case k == ctrlD && len(e.line) == 0:
		return false, io.EOF
	case k == keyPaste:
		e.insert([]rune(pasted))
	case k >= ' ' && k != del:
		e.insert([]rune{rune(k)})
	case k == ctrlL:
		e.below = 0
		_ = e.draw("\x1b[H\x1b[2J")
		return false, nil
	default:
		e.edit(k)
	}
	_ = e.draw("") // as above
	return false, nil
}

// edit does what a key without a character means.
func (e *editor) edit(k key) {
	switch k {
	case keyLeft, ctrlB:
		e.at = e.before(e.at)
	case keyRight, ctrlF:
		e.at = e.after(e.at)
	case keyHome, ctrlA:
		e.at = 0
	case keyEnd, ctrlE:
		e.at = len(e.line)
	case del, ctrlH:
		e.cut(e.before(e.at), e.at)
	case keyDelete, ctrlD:
		e.cut(e.at, e.after(e.at))
	case ctrlU:
		e.cut(0, e.at)
	case ctrlK:
		e.cut(e.at, len(e.line))
	case ctrlW:
		text := strings.TrimRight(string(e.line[:e.at]), " ")
		e.cut(len([]rune(text[:strings.LastIndexByte(text, ' ')+1])), e.at)
	case keyUp, ctrlP:
		e.recall(e.recalled - 1)
	case keyDown, ctrlN:
		e.recall(e.recalled + 1)
	}
}

// before is the place one character to the left; marks and joiners belong to what they follow.
func (e *editor) before(at int) int {
	for at > 0 {
		at--
		if runeWidth(e.line[at]) > 0 {
			break
		}
	}
	return at
}

// after is the place one character to the right.
func (e *editor) after(at int) int {
	for at < len(e.line) {
		at++
		if at < len(e.line) && runeWidth(e.line[at]) > 0 {
			break
		}
	}
	return at
}

func (e *editor) insert(text []rune) {
	text = text[:min(len(text), maxLine-len(e.line))]
	e.line = slices.Insert(e.line, e.at, text...)
	e.at += len(text)
}

func (e *editor) cut(from, to int) {
	e.line = slices.Delete(e.line, from, to)
	e.at = from
}

// recall brings a line of the history back, or the one that was being typed.
func (e *editor) recall(index int) {
	if index < 0 || index > len(e.history) || index == e.recalled {
		return
	}
	if e.recalled == len(e.history) {
		e.draft = e.line
	}
	e.recalled, e.line = index, e.draft
	if index < len(e.history) {
		e.line = []rune(e.history[index])
	}
	e.at = len(e.line)
}

// finish takes the line off the screen, or leaves it there, and keeps it for the arrow keys.
func (e *editor) finish() string {
	e.hide(e.keep)
	line := string(e.line)
	if line != "" && (len(e.history) == 0 || e.history[len(e.history)-1] != line) {
		e.history = append(e.history, line)
		e.history = e.history[max(0, len(e.history)-maxHistory):]
	}
	return line
}

// hide ends the reading on the screen.
func (e *editor) hide(keep bool) {
	if !e.reading {
		return
	}
	if keep {
		e.at = len(e.line)
		_ = e.draw("") // a terminal that is gone ends the reading too
		fmt.Fprint(e.out, "\r\n")
	} else {
		fmt.Fprint(e.out, e.erased())
	}
	e.reading, e.below = false, 0
}

// Write prints above the line that is being typed. The text should end with a line break.
func (e *editor) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	printed := strings.ReplaceAll(string(text), "\n", "\r\n")
	if !e.reading {
		_, err := io.WriteString(e.out, printed)
		return len(text), err
	}
	return len(text), e.draw(e.erased() + printed)
}

// setPrompt changes what stands before the line.
func (e *editor) setPrompt(prompt string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prompt = prompt
	if e.reading {
		_ = e.draw("") // as above
	}
}

// erased is what takes the prompt and the line from the screen.
func (e *editor) erased() string {
	up := ""
	if e.below > 0 {
		up = fmt.Sprintf("\x1b[%dA", e.below)
	}
	e.below = 0
	return up + "\r\x1b[J"
}

// draw puts prompt and line on the screen, in one write. What stands first goes before them; where
// it is empty, they replace what is there.
func (e *editor) draw(first string) error {
	if first == "" {
		first = e.erased()
	}
	var b strings.Builder
	b.WriteString(first)
	p := pen{out: &b, columns: max(e.columns(), 8)}
	p.put(e.prompt)
	for _, r := range e.line[:e.at] {
		p.put(shown(r))
	}
	next := 1 // the cursor stands where the next character will
	if e.at < len(e.line) {
		next = max(1, Width(shown(e.line[e.at])))
	}
	p.wrap(min(next, 2))
	here := p
	for _, r := range e.line[e.at:] {
		p.put(shown(r))
	}
	p.wrap(1)
	if up := p.row - here.row; up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteString("\r")
	if here.column > 0 {
		fmt.Fprintf(&b, "\x1b[%dC", here.column)
	}
	e.below = here.row
	_, err := io.WriteString(e.out, b.String())
	return err
}

// shown is how a character of the line looks on the screen.
func shown(r rune) string {
	switch r {
	case '\n':
		return "⏎"
	case '\t':
		return "⇥"
	}
	return Clean(string(r))
}

// pen writes text and knows where on the screen it is.
type pen struct {
	out                  *strings.Builder
	columns, row, column int
}

// put writes a text, broken where a row is full.
func (p *pen) put(text string) {
	for i, w := range widths(text) {
		p.wrap(w)
		r, _ := utf8.DecodeRuneInString(text[i:])
		p.out.WriteRune(r)
		p.column += w
	}
}

// wrap goes to the next row where so many columns have no room.
func (p *pen) wrap(w int) {
	if p.column+w > p.columns {
		p.out.WriteString("\r\n")
		p.row, p.column = p.row+1, 0
	}
}
