package wire

import (
	"testing"
	"unicode"
)

// Every spelling that Unicode case folding, and so encoding/json, takes for a known name is found.
func TestFold_KnownNames(t *testing.T) {
	for f, name := range fieldNames {
		for i, letter := range name {
			for r := unicode.SimpleFold(letter); r != letter; r = unicode.SimpleFold(r) {
				other := name[:i] + string(r) + name[i+1:]
				if got, ok := foldedField[string(fold(nil, []byte(other)))]; !ok || got != field(f) {
					t.Errorf("%q is not taken for %q", other, name)
				}
				s := scanner{}
				if s.checkCase([]byte(other)); s.err == nil || s.err.Code != BadField {
					t.Errorf("%q is accepted beside %q", other, name)
				}
			}
		}
	}
}
