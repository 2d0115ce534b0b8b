package rehearsal

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// print writes a line: when, which request, what. j.mu is held, so that lines stay whole.
func (j *Journal) print(id, text string) {
	fmt.Fprintf(j.out, "%s %-16s %s\n", j.now().Format("15:04:05.000"), id, clean(text))
}

// clean makes what others wrote harmless on a terminal: no escape sequences, no second line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= ' ' && r <= '~':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// eventLine tells what became of an event of an API.
func eventLine(e *Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Kind, e.Route)
	for _, c := range e.Calls {
		b.WriteString(" → " + c.Function)
	}
	fmt.Fprintf(&b, ": %s in %s, connection %s", e.Status, shortly(e.Took), e.Connection)
	if pushes, failed := e.pushes(); pushes > 0 {
		fmt.Fprintf(&b, ", %s", count(pushes, "push", "pushes"))
		if failed > 0 {
			fmt.Fprintf(&b, " (%d failed)", failed)
		}
	}
	if e.Reason != "" {
		b.WriteString("; " + e.Reason)
	}
	return b.String()
}

// invokeLine tells what became of an invocation that no API has made.
func invokeLine(e *Entry, c *Call) string {
	line := fmt.Sprintf("INVOKE %s: %s in %s", c.Function, e.Status, shortly(e.Took))
	if e.Reason != "" {
		line += "; " + e.Reason
	}
	return line
}

// pushLine tells of a call of @connections. What it carries is nobody's business.
func pushLine(p Push) string {
	what := p.Method
	if p.Method == http.MethodPost {
		what = fmt.Sprintf("POST of %s", count(int(p.Bytes), "byte", "bytes"))
	}
	return fmt.Sprintf("%s to connection %s: %s", what, p.Connection, pushResult(p))
}

// pushResult is the status of a push, with the type of its error.
func pushResult(p Push) string {
	if p.Error == "" {
		return strconv.Itoa(p.Status)
	}
	return fmt.Sprintf("%d %s", p.Status, p.Error)
}

// pushes counts the pushes of an entry, and those that failed.
func (e *Entry) pushes() (all, failed int) {
	for _, c := range e.Calls {
		all += len(c.Pushes) + c.more
		for _, p := range c.Pushes {
			if p.Status >= http.StatusBadRequest {
				failed++
			}
		}
	}
	return all, failed
}

// shortly writes a duration as people read it.
func shortly(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
