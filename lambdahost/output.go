package lambdahost

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
)

// output reads what a process writes, standard output and error in one order, line by line. Both
// ends of the pipe are held: a mark that is written behind the process's own output tells, when it
// is read, that all before it has been seen.
type output struct {
	r, w   *os.File
	mark   []byte
	marked chan struct{} // gets a value for each mark read
	line   func(string)
	mu     sync.Mutex // one mark at a time
}

// newOutput makes a pipe and reads it until it is closed.
func newOutput(line func(string)) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{r: r, w: w, marked: make(chan struct{}, 1), line: line}
	o.mark = []byte("\x00" + randomHex(16) + "\x00\n")
	go o.read()
	return o, nil
}

// read cuts the output into lines.
func (o *output) read() {
	defer close(o.marked)
	var pending []byte
	for r := bufio.NewReaderSize(o.r, 16<<10); ; {
		piece, err := r.ReadSlice('\n')
		pending = append(pending, piece...)
		rest, marked := bytes.CutSuffix(pending, o.mark)
		switch {
		case marked:
			o.unfinished(rest)
			pending = pending[:0]
			o.marked <- struct{}{}
		case err == nil:
			o.emit(pending[:len(pending)-1])
			pending = pending[:0]
		case !errors.Is(err, bufio.ErrBufferFull):
			o.unfinished(pending)
			return
		case len(pending) >= maxLine+len(o.mark):
			n := o.piece(pending)
			pending = append(pending[:0], pending[n:]...)
		}
	}
}

// piece gives on as much of a long line as a record may have, and tells how much that was.
func (o *output) piece(line []byte) (n int) {
	n = maxLine
	for n > maxLine-utf8.UTFMax && !utf8.RuneStart(line[n]) {
		n--
	}
	o.emit(line[:n])
	return n
}

// emit gives a line on.
func (o *output) emit(line []byte) {
	for len(line) > maxLine {
		line = line[o.piece(line):]
	}
	o.line(strings.ToValidUTF8(strings.TrimSuffix(string(line), "\r"), "\uFFFD"))
}

// unfinished gives on what has no line break, if there is any.
func (o *output) unfinished(line []byte) {
	if len(line) > 0 {
		o.emit(line)
	}
}

// flush waits until everything that has been written so far is read.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(o.mark); err == nil {
		<-o.marked
	}
}

// close ends the reading.
func (o *output) close() {
	o.w.Close()
	o.r.Close()
}

// tail is the end of an invocation's log; nil keeps nothing.
type tail struct{ text []byte }

// tailSize is how much of a log Invoke answers (API Reference, Invoke, LogType).
const tailSize = 4 << 10

// add adds a line.
func (t *tail) add(line string) {
	if t == nil {
		return
	}
	t.text = append(append(t.text, line...), '\n')
	if over := len(t.text) - tailSize; over > tailSize {
		t.text = append(t.text[:0], t.text[over:]...)
	}
}

// last gives the last 4 KB.
func (t *tail) last() []byte {
	if t == nil {
		return nil
	}
	return t.text[max(0, len(t.text)-tailSize):]
}

// randomHex gives n random bytes as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
