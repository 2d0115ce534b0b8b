package wire

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Eight bytes at a time: each constant has its byte in every place.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// load gives eight bytes from i, the first one lowest.
func load[T string | []byte](s T, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// equals marks the bytes of w that are c; of the marks only the lowest is exact.
func equals(w uint64, c uint64) uint64 {
	w ^= ones * c
	return (w - ones) &^ w & highs
}

// below marks the bytes of w that are below c, at most 128; of the marks only the lowest is exact.
func below(w uint64, c uint64) uint64 { return (w - ones*c) &^ w & highs }

// special gives the index, from i, of the first byte that a JSON string cannot hold as it is: a
// quote, a backslash or a control character; len(s) where there is none.
func special[T string | []byte](s T, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := load(s, i)
		if marks := equals(w, '"') | equals(w, '\\') | below(w, 0x20); marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// appendString appends s as a JSON string. Only what RFC 8259 section 7 demands is escaped, so
// that every other byte is handed on as it came.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for start := 0; ; start++ {
		end := special(s, start)
		dst = append(dst, s[start:end]...)
		if end == len(s) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, s[end])
		start = end
	}
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// unquote decodes the inside of a JSON string that the scanner has accepted.
func unquote(s []byte) string {
	var text strings.Builder
	text.Grow(len(s))
	for i := 0; i < len(s); {
		end := special(s, i)
		text.Write(s[i:end])
		if end == len(s) {
			break
		}
		r, size := escaped(s[end:])
		text.WriteRune(r)
		i = end + size
	}
	return text.String()
}

// escaped decodes the escape that s begins with and gives its length. A surrogate without its
// other half becomes U+FFFD, which the caller never shows: such a frame is refused.
func escaped(s []byte) (r rune, size int) {
	switch s[1] {
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		r, _ = hex4(s[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if low, ok := escapedUnit(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	}
	return rune(s[1]), 2
}

// escapedUnit gives the UTF-16 unit of a \uXXXX that s begins with.
func escapedUnit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	return hex4(s[2:])
}

// hex4 reads four hexadecimal digits.
func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// fold appends a member's name in the form in which names that readers of JSON may take for one
// another are equal: ASCII letters in lower case, and U+017F, whose Unicode case folding is s. The
// other such letter, U+212A, folds to k, which no known name has.
func fold(dst, name []byte) []byte {
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == 0xC5 && i+1 < len(name) && name[i+1] == 0xBF:
			c, i = 's', i+1
		}
		dst = append(dst, c)
	}
	return dst
}

// show quotes a client's word for an error message, cut to a bearable length.
func show[T string | []byte](word T) string {
	const most = 64
	if len(word) <= most {
		return strconv.Quote(string(word))
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(word[cut]) {
		cut--
	}
	return strconv.Quote(string(word[:cut]) + "…")
}
