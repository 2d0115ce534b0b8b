package wire

import "fmt"

// value is where a JSON value stands in the frame.
type value struct {
	start, end int
	kind       byte // its first byte, '0' for every number; 0: there is no value
	escaped    bool // a string with a backslash
	lone       bool // a string with an escaped surrogate that has no other half
}

// scanner reads a JSON text (RFC 8259) once, from front to end. A fault of syntax stops it; what
// breaks only a rule of the protocol is remembered, and it reads on, so that the id is found.
type scanner struct {
	text    []byte
	pos     int
	stopped bool
	err     *Error // the fault of syntax, or the first broken rule
}

// stop ends the scan.
func (s *scanner) stop(format string, args ...any) {
	if !s.stopped {
		s.stopped = true
		s.err = &Error{
			Code:    BadJSON,
			Message: "the frame is not a JSON object: " + fmt.Sprintf(format, args...),
		}
	}
}

// refuse remembers a broken rule.
func (s *scanner) refuse(code Code, field, message string) {
	if s.err == nil {
		s.err = &Error{Code: code, Field: field, Message: message}
	}
}

// unexpected stops at a byte that cannot stand there.
func (s *scanner) unexpected(wanted string) {
	if s.pos >= len(s.text) {
		s.stop("it ends where %s should be", wanted)
		return
	}
	s.stop("at byte %d there is no %s", s.pos, wanted)
}

// peek skips white space and gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// value reads a value that stands inside depth objects and arrays.
func (s *scanner) value(depth int) value {
	c := s.peek()
	v := value{start: s.pos, kind: c}
	switch {
	case c == '"':
		v = s.string()
	case c == '{':
		s.object(depth + 1)
	case c == '[':
		s.array(depth + 1)
	case c == '-' || isDigit(c):
		v.kind = '0'
		s.number()
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	case c == 'n':
		s.literal("null")
	default:
		s.unexpected("value")
	}
	v.end = s.pos
	return v
}

// object reads an object that is the depth-th level.
func (s *scanner) object(depth int) {
	if s.tooDeep(depth) {
		return
	}
	var seen keys
	s.pos++
	for first := true; ; first = false {
		key, more := s.member(first)
		if !more {
			return
		}
		if !seen.add(key) {
			s.duplicate(key)
		}
		if s.value(depth); s.stopped {
			return
		}
	}
}

// array reads an array that is the depth-th level.
func (s *scanner) array(depth int) {
	if s.tooDeep(depth) {
		return
	}
	s.pos++
	if s.peek() == ']' {
		s.pos++
		return
	}
	for {
		if s.value(depth); s.stopped {
			return
		}
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return
		default:
			s.unexpected("comma or ]")
			return
		}
	}
}

// member reads up to the value of an object's next member and gives its key. more is false at
// the end of the object and where the scan has stopped.
func (s *scanner) member(first bool) (key []byte, more bool) {
	c := s.peek()
	if c == '}' {
		s.pos++
		return nil, false
	}
	if !first {
		if c != ',' {
			s.unexpected("comma or }")
			return nil, false
		}
		s.pos++
		c = s.peek()
	}
	if c != '"' {
		s.unexpected("key in quotes")
		return nil, false
	}
	v := s.string()
	if s.stopped {
		return nil, false
	}
	if s.peek() != ':' {
		s.unexpected("colon")
		return nil, false
	}
	s.pos++
	key = s.text[v.start+1 : v.end-1]
	if v.escaped {
		key = []byte(unquote(key))
	}
	return key, true
}

// string reads a string from its opening quote.
func (s *scanner) string() value {
	v := value{start: s.pos, kind: '"'}
	s.pos++
	for {
		s.pos = special(s.text, s.pos)
		switch {
		case s.pos == len(s.text):
			s.unexpected("closing quote")
			return v
		case s.text[s.pos] == '"':
			s.pos++
			v.end = s.pos
			if v.lone {
				s.refuse(BadJSON, "", "the frame's JSON has an escaped surrogate without its other half")
			}
			return v
		case s.text[s.pos] == '\\':
			v.escaped = true
			if s.escape() {
				v.lone = true
			}
			if s.stopped {
				return v
			}
		default:
			s.stop("at byte %d there is a control character that is not escaped", s.pos)
			return v
		}
	}
}

// escape reads one escape and tells whether it is a surrogate without its other half.
func (s *scanner) escape() (lone bool) {
	rest := s.text[s.pos:]
	if len(rest) < 2 {
		s.pos = len(s.text)
		s.unexpected("escaped character")
		return false
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return false
	case 'u':
		if _, ok := hex4(rest[2:]); ok {
			r, size := escaped(rest)
			s.pos += size
			return r == '\uFFFD' && rest[2]|0x20 == 'd'
		}
	}
	s.stop("at byte %d there is an escape that JSON does not know", s.pos)
	return false
}

// number reads a number.
func (s *scanner) number() {
	if s.text[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.text) && s.text[s.pos] == '0' {
		s.pos++
	} else {
		s.digits()
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		s.digits()
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		s.digits()
	}
}

// digits reads one digit or more.
func (s *scanner) digits() {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.unexpected("digit")
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// literal reads true, false or null.
func (s *scanner) literal(word string) {
	if len(s.text)-s.pos < len(word) || string(s.text[s.pos:s.pos+len(word)]) != word {
		s.unexpected("value")
		return
	}
	s.pos += len(word)
}

// tooDeep stops at a level that is over the limit.
func (s *scanner) tooDeep(depth int) bool {
	if depth > MaxDepth {
		s.stop("it has more than %d levels of objects and arrays", MaxDepth)
		return true
	}
	return false
}

// duplicate refuses a key that its object has already.
func (s *scanner) duplicate(key []byte) {
	s.refuse(BadJSON, string(key), "the frame's JSON has the key "+show(key)+" twice in one object")
}
