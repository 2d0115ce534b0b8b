package meter

import (
	"encoding/base64"
	"strings"
)

// Overheads in bytes: the page on item sizes.
const (
	documentOverhead = 3 // of a list or a map
	elementOverhead  = 1 // of each element of one
)

// Size gives the bytes of an item, or of some of its attributes, in DynamoDB's JSON as
// encoding/json decodes it: {"name": {"S": "value"}}.
func Size(item map[string]any) (bytes int) {
	for name, value := range item {
		bytes += len(name) + sizeOf(value)
	}
	return bytes
}

// sizeOf gives the bytes of a value: {"S": "text"}.
func sizeOf(value any) (bytes int) {
	typed, _ := value.(map[string]any)
	for kind, v := range typed {
		switch kind {
		case "S":
			bytes += len(text(v))
		case "N":
			bytes += sizeOfNumber(text(v))
		case "B":
			bytes += sizeOfBinary(text(v))
		case "BOOL", "NULL":
			bytes++
		case "SS", "NS", "BS":
			for _, element := range list(v) {
				bytes += sizeOf(map[string]any{kind[:1]: element})
			}
		case "L":
			bytes += documentOverhead
			for _, element := range list(v) {
				bytes += elementOverhead + sizeOf(element)
			}
		case "M":
			members := object(v)
			bytes += documentOverhead + len(members)*elementOverhead + Size(members)
		}
	}
	return bytes
}

// sizeOfNumber gives a byte for every two significant digits and one more. Zeros before and behind
// the digits are not significant; AWS calls the figure approximate.
func sizeOfNumber(number string) int {
	digits, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits = strings.Trim(strings.Replace(strings.TrimLeft(digits, "+-"), ".", "", 1), "0")
	return (len(digits)+1)/2 + 1
}

// sizeOfBinary gives the bytes that base64 stands for.
func sizeOfBinary(encoded string) int {
	return base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(encoded, "=")))
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
