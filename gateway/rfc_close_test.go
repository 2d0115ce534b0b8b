package gateway

import (
	"fmt"
	"strings"
	"testing"
)

// Sections 5.5.1 and 7: a close frame is answered with its code, and nothing is taken after it.
func TestRFC6455_Close(t *testing.T) {
	reason := strings.Repeat("*", 123)
	closed := []string{"close 1000"}
	checkExchanges(t, []exchange{
		{"without status", frame(closeFrame, ""), []string{"close"}},
		{"of one byte", frame(closeFrame, "\x03"), []string{"close 1002"}},
		{"with a code", closeWith(1000, ""), closed},
		{"with a reason", closeWith(1000, "Hello World!"), closed},
		{"with 123 bytes of reason", closeWith(1000, reason), closed},
		{"with 124 bytes of reason", closeWith(1000, reason+"*"), []string{"close 1002"}},
		{"with a reason in other letters", closeWith(1000, "κόσμε"), closed},
		{"message before", concat(frame(textFrame, "a"), closeWith(1000, "")), []string{`text "a"`, "close 1000"}},
		{"message after", concat(closeWith(1000, ""), frame(textFrame, "a")), closed},
		{"ping after", concat(closeWith(1000, ""), frame(pingFrame, "a")), closed},
		{"close after", concat(closeWith(1000, ""), closeWith(1001, "")), closed},
		{"fault after", concat(closeWith(1000, ""), frame(textFrame|bitReserved, "a")), closed},
		{"half a frame after", concat(closeWith(1000, ""), frame(textFrame, "abc")[:7]), closed},
		{"much after", concat(closeWith(1000, ""), frame(textFrame, strings.Repeat("a", 1<<20))), closed},
	})
}

// Section 7.4 and the registry that section 11.7 sets up.
func TestRFC6455_CloseCodes(t *testing.T) {
	var all []exchange
	for _, code := range []int{
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
	} {
		all = append(all, exchange{fmt.Sprint(code), closeWith(code, "why"), []string{fmt.Sprint("close ", code)}})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		all = append(all, exchange{fmt.Sprint(code, " is none"), closeWith(code, "why"), []string{"close 1002"}})
	}
	checkExchanges(t, all)
}

// Section 5.5.1: the reason is UTF-8.
func TestRFC6455_CloseReasons(t *testing.T) {
	var all []exchange
	for _, bad := range badUTF8 {
		all = append(all, exchange{fmt.Sprintf("%+q", bad.bytes), closeWith(1000, "why"+bad.bytes), []string{"close 1007"}})
	}
	all = append(all, exchange{"an unfinished character", closeWith(1000, "\xe2\x82"), []string{"close 1007"}})
	checkExchanges(t, all)
}

// Section 7.1.6: what the route of $disconnect gets is what the client said, or what it did wrong.
func TestRFC6455_CloseIsReported(t *testing.T) {
	for name, test := range map[string]struct {
		send   []byte
		code   float64
		reason string
	}{
		"with all":         {closeWith(4321, "κόσμε"), 4321, "κόσμε"},
		"without reason":   {closeWith(1001, ""), 1001, ""},
		"without status":   {frame(closeFrame, ""), 1005, "Client-side close frame status not set"},
		"wrong code":       {closeWith(1005, ""), 1002, "Invalid close code"},
		"wrong reason":     {closeWith(1000, "\xff"), 1007, "Invalid UTF-8"},
		"wrong length":     {frame(closeFrame, "\x03"), 1002, "Invalid close frame"},
		"lying length":     {[]byte{textFrame, 0x80 | 126, 0, 1, 0, 0, 0, 0}, 1002, "Invalid frame length"},
		"invalid text":     {frame(textPart, "\xff"), 1007, "Invalid UTF-8"},
		"not masked":       {[]byte("\x81\x01a"), 1002, "frames from client to server must be masked"},
		"a reserved frame": {frame(0x3|bitFin, ""), 1002, "use of reserved op code"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newRecorder()
			r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
			r.dial(t).raw(test.send)
			_, e := h.next(t)
			if got := contextOf(e); got["disconnectStatusCode"] != test.code || got["disconnectReason"] != test.reason {
				t.Errorf("%v %q, want %v %q", got["disconnectStatusCode"], got["disconnectReason"], test.code, test.reason)
			}
		})
	}
}
