package shell

import (
	"bufio"
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/confab-chat/confab/internal/terminal"
)

const (
	maxText = 16_384    // bytes of a message: docs/protocol.md, "Limits"
	maxRead = 128 << 10 // bytes of a line that are taken at a time
)

// readLines gives the messages of an input, a line each, until it ends: without what is meant for
// terminals, without empty lines, and longer ones in parts.
func readLines(ctx context.Context, input io.Reader, texts chan<- string) {
	defer close(texts)
	in := bufio.NewReaderSize(input, maxRead)
	var begun string // a character whose end was not read yet
	for {
		read, err := in.ReadSlice('\n')
		line := begun + string(read)
		begun = ""
		if err == bufio.ErrBufferFull { //nolint:errorlint // bufio gives it as it is
			line, begun = cutBegun(line)
		}
		for _, text := range parts(terminal.Plain(strings.TrimSuffix(line, "\n"))) {
			select {
			case texts <- text:
			case <-ctx.Done():
				return
			}
		}
		if err != nil && err != bufio.ErrBufferFull { //nolint:errorlint // bufio gives it as it is
			return
		}
	}
}

// cutBegun takes the beginning of a character off the end of a text.
func cutBegun(text string) (whole, begun string) {
	for i := len(text) - 1; i >= 0 && len(text)-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRuneInString(text[i:]) {
				return text[:i], text[i:]
			}
			break
		}
	}
	return text, ""
}

// parts breaks a line into messages, none in a line that is blank.
func parts(line string) []string {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	var all []string
	for len(line) > maxText {
		end := maxText
		for !utf8.RuneStart(line[end]) {
			end--
		}
		all = append(all, line[:end])
		line = line[end:]
	}
	return append(all, line)
}
