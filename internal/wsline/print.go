package wsline

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/terminal"
)

// printer shows what happens on a connection. A program gets the frames byte for byte, a person
// gets them harmless.
type printer struct {
	console *terminal.Console
	json    bool
}

// event is a line of JSON.
type event struct {
	Type        string  `json:"type"` // open, text, binary, ping, pong, close
	Subprotocol *string `json:"subprotocol,omitempty"`
	Data        *string `json:"data,omitempty"`
	Hex         *string `json:"hex,omitempty"`
	Code        int     `json:"code,omitempty"`
	Reason      *string `json:"reason,omitempty"`
}

// line writes an event as JSON.
func (p printer) line(e event) error {
	text, err := terminal.JSON(e)
	if err == nil {
		_, err = p.console.Write(text)
	}
	return err
}

// opened says that there is a connection: to a person, or as an event.
func (p printer) opened(subprotocol string) {
	switch {
	case p.json:
		_ = p.line(event{Type: "open", Subprotocol: &subprotocol}) // the next line fails too
	case p.console.Interactive() && subprotocol != "":
		p.console.Notice("Connected, subprotocol %s. Ctrl-D ends.", terminal.CleanLine(subprotocol))
	case p.console.Interactive():
		p.console.Notice("Connected. Ctrl-D ends.")
	}
}

// frame prints a message: text as it is, bytes in hexadecimal.
func (p printer) frame(kind websocket.MessageType, frame []byte) error {
	text := string(frame)
	if kind == websocket.MessageBinary {
		text = hex.EncodeToString(frame)
	}
	switch {
	case p.json && kind == websocket.MessageBinary:
		return p.line(event{Type: "binary", Hex: &text})
	case p.json:
		return p.line(event{Type: "text", Data: &text})
	}
	_, err := p.console.Write([]byte(p.toRead("< ", text) + "\n"))
	return err
}

// toRead is a text for a person, or unchanged for a program.
func (p printer) toRead(mark, text string) string {
	if p.console.Style.Columns == 0 {
		return text
	}
	folded := terminal.Fold(mark+terminal.Clean(text), "  ", p.console.Columns())
	return p.console.Style.Faint(mark) + strings.TrimPrefix(folded, mark)
}

// control prints a ping or pong that has come.
func (p printer) control(kind string, payload []byte) {
	data := string(payload)
	if p.json {
		_ = p.line(event{Type: kind, Data: &data})
		return
	}
	if data != "" {
		kind += " " + terminal.CleanLine(data)
	}
	p.console.Notice("%s", kind)
}

// closed prints the server's code, where events are printed.
func (p printer) closed(code int, reason string) {
	if p.json {
		_ = p.line(event{Type: "close", Code: code, Reason: &reason})
	}
}

// ErrNotHex is a line that should be bytes in hexadecimal.
var ErrNotHex = errors.New("no hexadecimal: want two digits for each byte")

// fromHex reads bytes in hexadecimal, which spaces may set apart.
func fromHex(line string) ([]byte, error) {
	frame, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
	if err != nil {
		return nil, fmt.Errorf("%q is %w", line, ErrNotHex)
	}
	return frame, nil
}
