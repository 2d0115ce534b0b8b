package gateway

import (
	"fmt"
	"strconv"
	"strings"
)

// selection is a parsed route selection expression: literal texts and paths into the message.
type selection struct {
	parts []part
	first bool // of a message's equal keys the first one counts, not the last
}

// part is a literal, or a path where that is not nil.
type part struct {
	literal string
	path    []step
}

// step goes to a member, or to an element where the name is "".
type step struct {
	name  string
	index int
}

const bodyVariable = "request.body"

// parseSelection reads a route selection expression: $request.body.path, ${request.body.path},
// concatenations of both with static text, and \$ for a dollar sign.
func parseSelection(expression string) (*selection, error) {
	s := &selection{}
	literal := ""
	for rest := expression; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal, rest = literal+"$", rest[2:]
			continue
		case rest[0] != '$':
			literal, rest = literal+rest[:1], rest[1:]
			continue
		}
		variable, after, err := cutVariable(rest)
		if err != nil {
			return nil, fmt.Errorf("gateway: route selection %q: %w", expression, err)
		}
		path, err := parsePath(variable)
		if err != nil {
			return nil, fmt.Errorf("gateway: route selection %q: %w", expression, err)
		}
		s.literal(literal)
		s.parts = append(s.parts, part{path: path})
		literal, rest = "", after
	}
	s.literal(literal)
	return s, nil
}

func (s *selection) literal(text string) {
	if text != "" {
		s.parts = append(s.parts, part{literal: text})
	}
}

// cutVariable splits the variable at the start of rest from what follows it.
func cutVariable(rest string) (variable, after string, err error) {
	if inner, ok := strings.CutPrefix(rest, "${"); ok {
		variable, after, ok = strings.Cut(inner, "}")
		if !ok {
			return "", "", fmt.Errorf("%q has no closing brace", rest)
		}
		return variable, after, nil
	}
	end := strings.IndexFunc(rest[1:], func(r rune) bool {
		return !strings.ContainsRune("_.[]-", r) && (r < '0' || r > '9') &&
			(r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		return rest[1:], "", nil
	}
	return rest[1 : 1+end], rest[1+end:], nil
}

// parsePath reads request.body.a.b[0].
func parsePath(variable string) ([]step, error) {
	rest, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok || rest == "" {
		return nil, fmt.Errorf("%q: only $request.body.{path} and static text select routes",
			variable)
	}
	var path []step
	for rest != "" {
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, fmt.Errorf("%q has an empty name", variable)
			}
			path, rest = append(path, step{name: rest[1 : 1+end]}), rest[1+end:]
		case '[':
			digits, after, ok := strings.Cut(rest[1:], "]")
			index, err := strconv.ParseUint(digits, 10, 31)
			if !ok || err != nil {
				return nil, fmt.Errorf("%q has a bad index", variable)
			}
			path, rest = append(path, step{index: int(index)}), after
		default:
			return nil, fmt.Errorf("%q: %q is neither .name nor [index]", variable, rest)
		}
	}
	return path, nil
}

// eval appends the route key that the message selects to dst. It fails where the message is not
// JSON and where a lone path leads nowhere; in a concatenation that is the empty string.
func (s *selection) eval(body string, dst []byte) ([]byte, bool) {
	checked := false
	for _, p := range s.parts {
		if p.path == nil {
			dst = append(dst, p.literal...)
			continue
		}
		if !checked {
			end, ok := scan(body, skipSpace(body, 0), 0, nil)
			if !ok || skipSpace(body, end) != len(body) {
				return nil, false
			}
			checked = true
		}
		value, found := find(body, p.path, s.first)
		if !found && len(s.parts) == 1 {
			return nil, false
		}
		if found {
			dst = appendText(dst, value)
		}
	}
	return dst, true
}
