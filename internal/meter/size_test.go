package meter

import (
	"encoding/json"
	"testing"
)

// Sizes by the rules of the Developer Guide's page "DynamoDB item sizes and formats".
func TestSize(t *testing.T) {
	for name, test := range map[string]struct {
		item string
		want int
	}{
		"shirt":            {`{"shirt-color":{"S":"R"},"shirt-size":{"S":"M"}}`, 23},
		"bytes, not runes": {`{"ä":{"S":"€"}}`, 2 + 3},
		"empty string":     {`{"a":{"S":""}}`, 1},
		"one digit":        {`{"n":{"N":"7"}}`, 1 + 1 + 1},
		"two digits":       {`{"n":{"N":"27"}}`, 1 + 1 + 1},
		"three digits":     {`{"n":{"N":"271"}}`, 1 + 2 + 1},
		"zero":             {`{"n":{"N":"0"}}`, 1 + 0 + 1},
		"zeros behind":     {`{"n":{"N":"1200"}}`, 1 + 1 + 1},
		"zeros before":     {`{"n":{"N":"0.0012"}}`, 1 + 1 + 1},
		"zeros within":     {`{"n":{"N":"1001"}}`, 1 + 2 + 1},
		"point":            {`{"n":{"N":"-3.141"}}`, 1 + 2 + 1},
		"exponent":         {`{"n":{"N":"12E10"}}`, 1 + 1 + 1},
		"38 digits":        {`{"n":{"N":"12345678901234567890123456789012345678"}}`, 1 + 19 + 1},
		"binary":           {`{"b":{"B":"aGVsbG8="}}`, 1 + 5},
		"boolean":          {`{"yes":{"BOOL":true}}`, 3 + 1},
		"null":             {`{"no":{"NULL":true}}`, 2 + 1},
		"strings":          {`{"s":{"SS":["a","bcd"]}}`, 1 + 1 + 3},
		"numbers":          {`{"s":{"NS":["1","234"]}}`, 1 + 2 + 3},
		"binaries":         {`{"s":{"BS":["aGVsbG8=","YQ=="]}}`, 1 + 5 + 1},
		"empty list":       {`{"l":{"L":[]}}`, 1 + 3},
		"empty map":        {`{"m":{"M":{}}}`, 1 + 3},
		"list":             {`{"l":{"L":[{"S":"ab"},{"NULL":true}]}}`, 1 + 3 + (1 + 2) + (1 + 1)},
		"map":              {`{"m":{"M":{"key":{"S":"value"}}}}`, 1 + 3 + (1 + 3 + 5)},
		"map in a list":    {`{"l":{"L":[{"M":{"k":{"N":"1"}}}]}}`, 1 + 3 + 1 + 3 + (1 + 1 + 2)},
		"nothing":          {`{}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var item map[string]any
			if err := json.Unmarshal([]byte(test.item), &item); err != nil {
				t.Fatal(err)
			}
			if got := Size(item); got != test.want {
				t.Errorf("%d bytes, want %d", got, test.want)
			}
		})
	}
}

// The examples of the Developer Guide's page "DynamoDB read and write operations".
func TestReadUnits(t *testing.T) {
	const kb = 1024
	for _, test := range []struct {
		bytes          int
		strong, weaker float64
	}{
		{0, 1, 0.5}, // an item that is not there
		{3500, 1, 0.5},
		{4 * kb, 1, 0.5},
		{4*kb + 1, 2, 1},
		{8 * kb, 2, 1},
		{10 * kb, 3, 1.5}, // "rounds the item size to 12 KB"
		{408 * kb / 10, 11, 5.5},
		{1500 * 64, 24, 12}, // "the cumulative size is 96 KB"
		{1 << 20, 256, 128}, // a whole page of a Scan
	} {
		if got := ReadUnits(test.bytes, true); got != test.strong {
			t.Errorf("%d bytes, consistent: %v units, want %v", test.bytes, got, test.strong)
		}
		if got := ReadUnits(test.bytes, false); got != test.weaker {
			t.Errorf("%d bytes: %v units, want %v", test.bytes, got, test.weaker)
		}
	}
}

func TestWriteUnits(t *testing.T) {
	for _, test := range []struct {
		before, after int
		want          float64
	}{
		{0, 0, 1}, // of what is not there
		{0, 500, 1},
		{0, 512, 1},
		{0, 1024, 1},
		{0, 1025, 2},
		{0, 3584, 4}, // 3.5 KB
		{2048, 100, 2},
		{100, 2048, 2},
		{2048, 0, 2}, // deleted
	} {
		if got := WriteUnits(test.before, test.after); got != test.want {
			t.Errorf("%d to %d bytes: %v units, want %v", test.before, test.after, got, test.want)
		}
	}
}
