package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// AccessLog writes a line for each handshake, message, disconnect and @connections call of a stage.
// As on AWS, calls with a body over the limit have none; neither have handshakes that are malformed
// or too many.
type AccessLog struct {
	// Format is the line: text with variables like $context.requestId, which it must have; at most
	// 3 KB. Variables are those of the Developer Guide, "Monitor WebSocket API execution with
	// CloudWatch metrics"; one that is not set prints -, as those of authenticate, authorize,
	// integration and waf always do, error.messageString "-". Values are escaped as in a JSON string, so
	// that a line stays one line and "$context.identity.userAgent" one string.
	Format string
	// Writer gets each line in one call, one call at a time of the whole API; events wait for it.
	Writer io.Writer
}

// maxFormat is the most bytes of a format (Developer Guide, "Amazon API Gateway quotas").
const maxFormat = 3 << 10

// contextVariable is a reference in a format. Full stops at its end belong to the text.
var contextVariable = regexp.MustCompile(`\$context((?:\.[A-Za-z0-9_-]+)+)`)

// accessLog is an AccessLog at work: literal texts and variables by turns, a text first.
type accessLog struct {
	parts []string
	w     io.Writer
}

// parse reads the format; nil where there is none.
func (l AccessLog) parse() (*accessLog, error) {
	switch {
	case l.Format == "" && l.Writer == nil:
		return nil, nil
	case l.Writer == nil:
		return nil, errors.New("access log without a writer")
	case len(l.Format) > maxFormat:
		return nil, fmt.Errorf("access log format of %d bytes, at most %d", len(l.Format), maxFormat)
	case strings.ContainsAny(l.Format, "\r\n"):
		return nil, errors.New("access log format of several lines")
	}
	log := &accessLog{w: l.Writer}
	at, identified := 0, false
	for _, m := range contextVariable.FindAllStringSubmatchIndex(l.Format, -1) {
		name := l.Format[m[2]+1 : m[3]]
		log.parts = append(log.parts, l.Format[at:m[0]], name)
		at = m[1]
		identified = identified || name == "requestId"
	}
	if !identified {
		return nil, errors.New("access log format must contain $context.requestId")
	}
	log.parts = append(log.parts, l.Format[at:])
	return log, nil
}

// record is what an event has to tell: the values of $context's variables by name.
type record map[string]string

// write writes the line of an event. API.logging is held.
func (l *accessLog) write(e record) error {
	var line bytes.Buffer
	for i, part := range l.parts {
		if i%2 == 0 {
			line.WriteString(part)
			continue
		}
		line.WriteString(e.print(part))
	}
	line.WriteByte('\n')
	_, err := l.w.Write(line.Bytes())
	return err
}

// print gives a variable's value as it stands in a line. error.messageString is the quoted value
// of error.message, whatever that is.
func (e record) print(name string) string {
	if name == "error.messageString" {
		return `"` + e.print("error.message") + `"`
	}
	if value := e[name]; value != "" {
		return escape(value)
	}
	return "-"
}

// escape escapes s as in a JSON string.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
