package gateway

import (
	"encoding/json"
	"strings"
)

// maxDepth is how deep JSON may nest before a message counts as not evaluable.
const maxDepth = 1000

// visit sees each member of an object (or element of an array, with the name "") as JSON text.
type visit func(name string, index int, value string)

// scan checks the JSON value at s[i:], which must not begin with space, and gives its end. visit,
// where not nil, sees the value's own members. Strings may hold any bytes from 0x20 on, as with
// encoding/json.
func scan(s string, i, depth int, see visit) (end int, ok bool) {
	if i >= len(s) {
		return i, false
	}
	switch c := s[i]; {
	case c == '"':
		return scanString(s, i)
	case c == '{':
		return scanMembers(s, i, depth, '}', see)
	case c == '[':
		return scanMembers(s, i, depth, ']', see)
	case c == '-' || c >= '0' && c <= '9':
		return scanNumber(s, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s[i:], word) {
			return i + len(word), true
		}
	}
	return i, false
}

// scanMembers scans an object or an array.
func scanMembers(s string, i, depth int, last byte, see visit) (end int, ok bool) {
	if depth >= maxDepth {
		return i, false
	}
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == last {
		return i + 1, true
	}
	for index := 0; ; index++ {
		name := ""
		if last == '}' {
			start := i
			if i, ok = scanString(s, i); !ok {
				return i, false
			}
			name = s[start:i]
			if i = skipSpace(s, i); i >= len(s) || s[i] != ':' {
				return i, false
			}
			i = skipSpace(s, i+1)
		}
		start := i
		if i, ok = scan(s, i, depth+1, nil); !ok {
			return i, false
		}
		if see != nil {
			see(name, index, s[start:i])
		}
		i = skipSpace(s, i)
		switch {
		case i >= len(s):
			return i, false
		case s[i] == last:
			return i + 1, true
		case s[i] != ',':
			return i, false
		}
		i = skipSpace(s, i+1)
	}
}

func scanString(s string, i int) (end int, ok bool) {
	if i >= len(s) || s[i] != '"' {
		return i, false
	}
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, true
		case c < 0x20:
			return i, false
		case c == '\\':
			if i++; i >= len(s) {
				return i, false
			}
			if s[i] == 'u' {
				if !fourHex(s[i+1:]) {
					return i, false
				}
				i += 4
			} else if strings.IndexByte(`"\/bfnrt`, s[i]) < 0 {
				return i, false
			}
		}
	}
	return i, false
}

func fourHex(s string) bool {
	if len(s) < 4 {
		return false
	}
	for _, c := range []byte(s[:4]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// scanNumber scans by the grammar of RFC 8259 section 6.
func scanNumber(s string, i int) (end int, ok bool) {
	if s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if i, ok = digits(s, i); !ok {
		return i, false
	}
	if i < len(s) && s[i] == '.' {
		if i, ok = digits(s, i+1); !ok {
			return i, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return digits(s, i)
	}
	return i, true
}

func digits(s string, i int) (end int, ok bool) {
	start := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i, i > start
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// find follows a path in valid JSON; of equal members the last one counts, or the first. null is
// nothing.
func find(s string, path []step, first bool) (value string, found bool) {
	value = s[skipSpace(s, 0):]
	for _, want := range path {
		open := byte('{')
		if want.name == "" {
			open = '['
		}
		if value == "" || value[0] != open {
			return "", false
		}
		inner := value
		value, found = "", false
		scan(inner, 0, 0, func(name string, index int, v string) {
			if found && first {
				return
			}
			if want.name == "" && index == want.index || want.name != "" && named(name, want.name) {
				value, found = v, true
			}
		})
		if !found {
			return "", false
		}
	}
	return value, value != "null"
}

// named compares a member's quoted name.
func named(quoted, name string) bool {
	inner := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner == name
	}
	return unquote(quoted) == name
}

func unquote(quoted string) (text string) {
	if json.Unmarshal([]byte(quoted), &text) != nil {
		return ""
	}
	return text
}

// appendText appends a JSON value as text: strings without quotes, arrays as [item1, item2].
func appendText(dst []byte, value string) []byte {
	switch value[0] {
	case '"':
		if strings.IndexByte(value, '\\') >= 0 {
			return append(dst, unquote(value)...)
		}
		return append(dst, value[1:len(value)-1]...)
	case '[':
		dst = append(dst, '[')
		scan(value, 0, 0, func(_ string, index int, item string) {
			if index > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendText(dst, item)
		})
		return append(dst, ']')
	}
	return append(dst, value...)
}
