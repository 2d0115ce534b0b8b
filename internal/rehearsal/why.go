package rehearsal

import (
	"fmt"
	"net/http"
	"strings"
)

// report tells all that is known of an entry.
func (e *Entry) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s, %s\n", e.ID, e.Kind, e.At.Format("2006-01-02 15:04:05.000"))
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-11s %s\n", name, clean(value))
		}
	}
	if e.API != "" {
		field("route", fmt.Sprintf("%s of %s/%s", e.Route, e.API, e.Stage))
	}
	field("connection", e.Connection)
	field("authorizer", e.Verdict)
	if e.Status == "" {
		field("result", "it is still under way")
	} else {
		field("result", fmt.Sprintf("%s in %s", e.Status, shortly(e.Took)))
	}
	field("because", e.Reason)
	for _, c := range e.Calls {
		c.report(&b)
	}
	for _, p := range e.Pushes {
		p.report(&b)
	}
	return b.String()
}

// report tells of an invocation.
func (c *Call) report(b *strings.Builder) {
	fmt.Fprintf(b, "\n  %s %s, Lambda's request %s\n", c.Role, c.Function, c.ID)
	switch {
	case c.Error != "":
		fmt.Fprintf(b, "    failed: %s\n", clean(c.Error))
	case !c.Ended:
		fmt.Fprintf(b, "    it is still under way\n")
	}
	if c.Figures != "" {
		fmt.Fprintf(b, "    %s\n", c.Figures)
	}
	for _, line := range c.Log {
		fmt.Fprintf(b, "    | %s\n", clean(line))
	}
	for _, p := range c.Pushes {
		p.report(b)
	}
	if c.more > 0 {
		fmt.Fprintf(b, "    and %s more\n", count(c.more, "push", "pushes"))
	}
}

// report tells of a push, and what its error means.
func (p Push) report(b *strings.Builder) {
	fmt.Fprintf(b, "    %s %s\n", p.At.Format("15:04:05.000"), pushLine(p))
	if why := p.meaning(); why != "" {
		fmt.Fprintf(b, "      %s\n", why)
	}
}

// meaning says what to do about a push that failed.
func (p Push) meaning() string {
	switch p.Status {
	case http.StatusGone:
		return "the connection is closed, or its $connect has not returned yet: on AWS too " +
			"nothing can be posted before that"
	case http.StatusBadRequest:
		return "this id was never given to a connection: is it cut off, or of another run?"
	case http.StatusForbidden:
		return "the call is not signed with the function's credentials for this region, or has " +
			"the wrong stage"
	case http.StatusRequestEntityTooLarge:
		return "a message has at most 128 KB"
	case http.StatusTooManyRequests:
		return "the client does not read, or there are too many calls a second"
	}
	return ""
}
