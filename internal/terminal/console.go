package terminal

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Console is a dialogue: lines in, text out. Where both ends are a terminal a person edits lines
// while text comes in above; else lines are read as they are.
type Console struct {
	Style Style // of the output

	edit    *editor       // nil where no person types
	lines   *bufio.Reader // nil where one does
	out     io.Writer
	notices io.Writer // what is said beside the matter
	restore func()
}

// bracketed turns a terminal's marks around pasted text on and off.
const bracketedOn, bracketedOff = "\x1b[?2004h", "\x1b[?2004l"

// OpenConsole begins a dialogue. [Console.Close] gives the terminal back. With keep the lines that
// a person enters stay on the screen, else they are the caller's to show.
func OpenConsole(in io.Reader, out, notices *os.File, prompt string, keep bool) (*Console, error) {
	c := &Console{Style: StyleOf(out), out: out, notices: notices, restore: func() {}}
	file, ok := in.(*os.File)
	if !ok || !IsTerminal(file) || !IsTerminal(out) || !understandsEscapes(out) {
		c.lines = bufio.NewReader(in)
		return c, nil
	}
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	columns := func() int { return columnsOf(out) }
	c.edit = newEditor(file, out, columns, prompt)
	c.edit.keep, c.out = keep, c.edit
	if IsTerminal(notices) {
		c.notices = c.edit
	}
	fmt.Fprint(out, bracketedOn)
	c.restore = func() {
		c.edit.mu.Lock()
		c.edit.hide(false)
		c.edit.mu.Unlock()
		fmt.Fprint(out, bracketedOff)
		_ = term.Restore(int(file.Fd()), before) // the terminal is gone
	}
	return c, nil
}

// Interactive tells whether a person types.
func (c *Console) Interactive() bool { return c.edit != nil }

// ReadLine gives the next line without its end: io.EOF at the end of the input or on Ctrl-D,
// [ErrInterrupt] on Ctrl-C.
func (c *Console) ReadLine() (string, error) {
	if c.edit != nil {
		return c.edit.readLine()
	}
	line, err := c.lines.ReadString('\n')
	if line == "" && err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// Write prints text that ends with a line break. Text of others must be clean.
func (c *Console) Write(text []byte) (int, error) { return c.out.Write(text) }

// Notice says something beside the matter, as that a connection is lost: on standard error where
// that is no terminal.
func (c *Console) Notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.edit != nil && c.notices == io.Writer(c.edit) {
		text = c.Style.Faint(Fold(text, "    ", c.Columns()))
	}
	fmt.Fprintln(c.notices, text)
}

// SetPrompt changes what stands before the line that is typed.
func (c *Console) SetPrompt(prompt string) {
	if c.edit != nil {
		c.edit.setPrompt(prompt)
	}
}

// Columns is the width of the terminal as it is now, 0 where there is none.
func (c *Console) Columns() int {
	if c.edit != nil {
		return c.edit.columns()
	}
	return c.Style.Columns
}

// Close gives the terminal back as it was.
func (c *Console) Close() { c.restore() }
