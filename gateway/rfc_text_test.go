package gateway

import (
	"fmt"
	"testing"
)

// Characters at the borders of each length of UTF-8 and around the surrogates (RFC 3629 sections 3
// and 4); noncharacters as U+FFFE are characters for UTF-8.
var goodUTF8 = []string{
	"\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff",
	"\U00010000", "\U0001fffe", "\U0010ffff",
	"\ufeff", // a byte order mark
	"κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
}

// badUTF8 are bytes that no UTF-8 has: at is after how many of them that is certain.
var badUTF8 = []struct {
	bytes string
	at    int
}{
	{"\x80", 1},
	{"\xbf", 1},
	{"\xc0\xaf", 1}, // "/" in more bytes than it takes
	{"\xc1\xbf", 1},
	{"\xe0\x80\xaf", 2},
	{"\xe0\x9f\xbf", 2},
	{"\xf0\x80\x80\xaf", 2},
	{"\xf0\x8f\xbf\xbf", 2},
	{"\xed\xa0\x80", 2}, // U+D800, the first surrogate
	{"\xed\xbf\xbf", 2}, // U+DFFF, the last one
	{"\xed\xa0\x81\xed\xb0\x80", 2},
	{"\xf4\x90\x80\x80", 2}, // U+110000, past the last character
	{"\xf5\x80\x80\x80", 1},
	{"\xf8\x88\x80\x80\x80", 1},
	{"\xfc\x84\x80\x80\x80\x80", 1},
	{"\xfe", 1},
	{"\xff", 1},
	{"\xc3(", 2}, // a lead byte and what does not continue it
	{"\xe2\x82(", 3},
	{"\xf0\x9f\x92(", 4},
	{"\xf0\x9f(", 3},
}

// Section 5.6 and 8.1: text is UTF-8, over all of its fragments.
func TestRFC6455_TextIsUTF8(t *testing.T) {
	var all []exchange
	for _, s := range goodUTF8 {
		want := []string{said("text", "a"+s+"b")}
		all = append(all, exchange{fmt.Sprintf("%+q", s), frame(textFrame, "a"+s+"b"), want})
		for i := 1; i < len(s); i++ {
			all = append(all, exchange{
				fmt.Sprintf("%+q cut after %d", s, i),
				concat(frame(textPart, "a"+s[:i]), frame(pongFrame, "\xff"), frame(contPart, ""), frame(contEnd, s[i:]+"b")),
				want,
			})
		}
	}
	checkExchanges(t, all)
}

// Section 8.1: whoever finds bytes that are no UTF-8 must fail the connection; 1007 of section 7.4.1
// says so. It is found as soon as it is there: the frame, and the message, go on for ever.
func TestRFC6455_InvalidUTF8FailsFast(t *testing.T) {
	fault := []string{"close 1007"}
	var all []exchange
	for _, bad := range badUTF8 {
		unfinished := frame(textFrame, "κόσμε"+bad.bytes+"and what never comes")
		all = append(
			all,
			exchange{fmt.Sprintf("%+q", bad.bytes), frame(textFrame, bad.bytes), fault},
			exchange{
				fmt.Sprintf("%+q in a frame under way", bad.bytes),
				unfinished[:6+len("κόσμε")+bad.at],
				fault,
			},
			exchange{
				fmt.Sprintf("%+q in a message under way", bad.bytes),
				concat(frame(textPart, "κόσμε"+bad.bytes[:bad.at-1]), frame(contPart, bad.bytes[bad.at-1:bad.at])),
				fault,
			},
		)
	}
	for _, cut := range []string{"\xc3", "\xe2\x82", "\xf0\x9f", "\xf0\x9f\x92"} {
		all = append(
			all,
			exchange{fmt.Sprintf("%+q at the end", cut), frame(textFrame, "a"+cut), fault},
			exchange{
				fmt.Sprintf("%+q at the end of parts", cut),
				concat(frame(textPart, "a"), frame(contPart, cut), frame(contEnd, "")), fault,
			},
			exchange{
				fmt.Sprintf("%+q and another character", cut),
				concat(frame(textPart, "a"+cut), frame(contPart, "κ")), fault,
			},
		)
	}
	checkExchanges(t, all)
}

// Bytes that are no UTF-8 are nothing special in binary messages, nor after one in the next text.
func TestRFC6455_BinaryIsAnything(t *testing.T) {
	checkExchanges(t, []exchange{
		{
			"binary, then text",
			concat(frame(binaryPart, "\xf0\x9f"), frame(contEnd, "\xff"), frame(textFrame, "κ")),
			[]string{said("binary", "\xf0\x9f\xff"), `text "κ"`},
		},
		{
			"text in parts, then text",
			concat(frame(textPart, "\xce"), frame(contEnd, "\xba"), frame(textFrame, "\xce\xba")),
			[]string{`text "κ"`, `text "κ"`},
		},
	})
}
