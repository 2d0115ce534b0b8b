package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// JSON is a value as one line of JSON with a line break, which keeps everything and is harmless to
// a terminal: hidden characters are escapes.
func JSON(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if !strings.ContainsFunc(text, isHidden) {
		return b.Bytes(), nil
	}
	var safe strings.Builder
	for _, r := range text {
		switch {
		case !isHidden(r):
			safe.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&safe, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&safe, `\u%04x`, r)
		}
	}
	safe.WriteByte('\n')
	return []byte(safe.String()), nil
}
