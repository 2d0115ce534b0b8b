package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"
)

// The families of cases that Autobahn has, as tables of our own. What is expected is RFC 6455's; the
// sections stand with each table. `make autobahn` runs Autobahn itself.

// exchange is what a client sends to the echo server and what comes back.
type exchange struct {
	name string
	send []byte
	// want are the frames that come back: `text "x"`, `pong "x"`, and at last the close frame as
	// `close 1002`, where the server closes. Otherwise the connection must still work.
	want []string
}

// maskKey is that of the RFC's examples (section 5.7).
var maskKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// First bytes of frames.
const (
	bitFin      = 0x80
	bitReserved = 0x40 // the first of three
	contPart    = 0x0
	contEnd     = contPart | bitFin
	textPart    = 0x1
	textFrame   = textPart | bitFin
	binaryPart  = 0x2
	binaryFrame = binaryPart | bitFin
	closeFrame  = 0x8 | bitFin
	pingFrame   = 0x9 | bitFin
	pongFrame   = 0xa | bitFin
)

// frame gives a masked frame.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, maskKey[:]...), masked(payload)...)
}

func masked(payload string) []byte {
	b := []byte(payload)
	for i := range b {
		b[i] ^= maskKey[i%4]
	}
	return b
}

// closeWith gives a close frame with a code and a reason.
func closeWith(code int, reason string) []byte {
	return frame(closeFrame, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// concat gives frames one after the other.
func concat(frames ...[]byte) (all []byte) {
	for _, f := range frames {
		all = append(all, f...)
	}
	return all
}

func repeated(n int, f []byte) []byte { return []byte(strings.Repeat(string(f), n)) }

// times gives n equal wants.
func times(n int, want string) (all []string) {
	for range n {
		all = append(all, want)
	}
	return all
}

func said(kind, payload string) string { return fmt.Sprintf("%s %q", kind, payload) }

// describe gives a frame of the server as an exchange wants it.
func describe(f ws.Frame) string {
	kinds := map[ws.OpCode]string{ws.OpText: "text", ws.OpBinary: "binary", ws.OpPong: "pong"}
	switch kind, ok := kinds[f.Header.OpCode]; {
	case f.Header.Masked || f.Header.Rsv != 0 || !f.Header.Fin:
		return fmt.Sprintf("frame %+v", f.Header) // section 5.1: a server masks nothing
	case ok:
		return said(kind, string(f.Payload))
	case f.Header.OpCode == ws.OpClose && len(f.Payload) == 0:
		return "close"
	case f.Header.OpCode == ws.OpClose && len(f.Payload) >= 2:
		return fmt.Sprint("close ", binary.BigEndian.Uint16(f.Payload))
	}
	return fmt.Sprintf("frame %+v %q", f.Header, f.Payload)
}

// checkExchanges plays exchanges on the echo server: sent at once, and one byte at a time. What AWS's terms
// answer differs only in the data; the close frame must be the same.
func checkExchanges(t *testing.T, all []exchange) {
	t.Helper()
	echo, aws := runEcho(t), run(t, Config{})
	for _, e := range all {
		t.Run(e.name, func(t *testing.T) {
			if diff := cmp.Diff(e.want, echo.play(t, e, len(e.send))); diff != "" {
				t.Errorf("sent at once: %s", diff)
			}
			if len(e.send) < 2000 {
				if diff := cmp.Diff(e.want, echo.play(t, e, 1)); diff != "" {
					t.Errorf("sent byte by byte: %s", diff)
				}
			}
			if got, want := last(aws.play(t, e, len(e.send))), last(e.want); got != want && !binaryOrLong(e) {
				t.Errorf("as on AWS: %q, want %q", got, want)
			}
		})
	}
}

// last gives the close frame, "" where there is none.
func last(frames []string) string {
	if len(frames) == 0 || !strings.HasPrefix(frames[len(frames)-1], "close") {
		return ""
	}
	return frames[len(frames)-1]
}

// binaryOrLong tells whether an exchange meets limits that only AWS's terms have.
func binaryOrLong(e exchange) bool {
	return len(e.send) > MaxFrame || len(e.send) > 0 && e.send[0]&^bitFin == binaryPart
}

// play sends and gives what comes back. Where the server does not close, the client does, and then
// the server must answer and end TCP.
func (r *rig) play(t *testing.T, e exchange, size int) (got []string) {
	t.Helper()
	c := r.dial(t)
	defer c.conn.Close()
	farewell := closeWith(1000, "")
	if strings.HasPrefix(last(e.want), "close") {
		farewell = nil
	}
	go func() {
		for b := e.send; len(b) > 0; b = b[min(size, len(b)):] {
			if _, err := c.conn.Write(b[:min(size, len(b))]); err != nil {
				return // the server has closed meanwhile
			}
		}
		c.conn.Write(farewell)
	}()
	got = []string{}
	for {
		f, err := c.read()
		if err != nil {
			t.Fatalf("no close frame after %q: %v", got, err)
		}
		got = append(got, describe(f))
		if f.Header.OpCode == ws.OpClose {
			break
		}
	}
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if rest, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the close frame: %#x, %v, want the end", rest, err)
	}
	if farewell != nil && got[len(got)-1] == "close 1000" {
		got = got[:len(got)-1]
	}
	return got
}

// Sections 5.2 and 5.6: every form of length, of both kinds of data.
func TestRFC6455_Framing(t *testing.T) {
	var all []exchange
	for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536} {
		payload := strings.Repeat("*", n)
		all = append(all,
			exchange{fmt.Sprint("text of ", n), frame(textFrame, payload), []string{said("text", payload)}},
			exchange{
				fmt.Sprint("binary of ", n),
				frame(binaryFrame, strings.Repeat("\xfe", n)),
				[]string{said("binary", strings.Repeat("\xfe", n))},
			})
	}
	all = append(all,
		exchange{ // section 5.7 has these bytes
			"example of the RFC",
			[]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58},
			[]string{`text "Hello"`},
		},
		exchange{
			"not masked, section 5.1", []byte("\x81\x05Hello"), []string{"close 1002"},
		},
		exchange{
			"ping not masked", []byte("\x89\x00"), []string{"close 1002"},
		},
		exchange{
			"masked with zeros", []byte("\x81\x85\x00\x00\x00\x00Hello"), []string{`text "Hello"`},
		},
		exchange{
			"two messages at once", concat(frame(textFrame, "a"), frame(textFrame, "b")),
			[]string{`text "a"`, `text "b"`},
		})
	checkExchanges(t, all)
}

// Section 5.2: lengths take the fewest bytes, and the most significant bit of 64 is 0.
func TestRFC6455_Lengths(t *testing.T) {
	head := func(size byte, length ...byte) []byte {
		return append(append([]byte{textFrame, 0x80 | size}, length...), maskKey[:]...)
	}
	fault := []string{"close 1002"}
	checkExchanges(t, []exchange{
		{"0 in 16 bits", head(126, 0, 0), fault},
		{"125 in 16 bits", head(126, 0, 125), fault},
		{"125 in 64 bits", head(127, 0, 0, 0, 0, 0, 0, 0, 125), fault},
		{"65535 in 64 bits", head(127, 0, 0, 0, 0, 0, 0, 0xff, 0xff), fault},
		{"2^63", head(127, 0x80, 0, 0, 0, 0, 0, 0, 0), fault},
		{"2^64-1", head(127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), fault},
		{"2^63-1", head(127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), []string{"close 1009"}},
		{"2^32", head(127, 0, 0, 0, 1, 0, 0, 0, 0), []string{"close 1009"}},
		{"a ping of 126", frame(pingFrame, strings.Repeat("x", 126)), fault}, // section 5.5
		{"a ping of 64 bits", append([]byte{pingFrame}, head(127, 0, 0, 0, 0, 0, 1, 0, 0)[1:]...), fault},
	})
}

// Sections 5.5.2 and 5.5.3.
func TestRFC6455_Pings(t *testing.T) {
	most := strings.Repeat("\xfe", 125)
	checkExchanges(t, []exchange{
		{"without payload", frame(pingFrame, ""), []string{`pong ""`}},
		{"with payload", frame(pingFrame, "Hello, world!"), []string{`pong "Hello, world!"`}},
		{"no UTF-8", frame(pingFrame, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), []string{said("pong", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}},
		{"125 bytes", frame(pingFrame, most), []string{said("pong", most)}},
		{"126 bytes", frame(pingFrame, most+"x"), []string{"close 1002"}},
		{"unsolicited pong", frame(pongFrame, ""), []string{}},
		{"unsolicited pong with payload", frame(pongFrame, "unsolicited"), []string{}},
		{
			"pong, then ping", concat(frame(pongFrame, "unsolicited"), frame(pingFrame, "payload")),
			[]string{`pong "payload"`},
		},
		{
			"ten pings", repeated(10, frame(pingFrame, "payload")), times(10, `pong "payload"`),
		},
		{
			"ping, message, ping", concat(frame(pingFrame, "1"), frame(textFrame, "m"), frame(pingFrame, "2")),
			[]string{`pong "1"`, `text "m"`, `pong "2"`},
		},
	})
}

// Section 5.2: bits that no extension gives a meaning fail the connection, whatever the frame.
func TestRFC6455_ReservedBits(t *testing.T) {
	var all []exchange
	for bits := byte(1); bits < 8; bits++ {
		for name, first := range map[string]byte{"text": textFrame, "text part": textPart, "ping": pingFrame, "close": closeFrame} {
			all = append(all, exchange{
				fmt.Sprintf("%03b on %s", bits, name),
				concat(frame(textFrame, "before"), frame(first|bits<<4, ""), frame(pingFrame, "after")),
				[]string{`text "before"`, "close 1002"},
			})
		}
	}
	all = append(all, exchange{
		"on a continuation", concat(frame(textPart, "a"), frame(contEnd|bitReserved, "b")), []string{"close 1002"},
	})
	checkExchanges(t, all)
}

// Section 5.2: opcodes 3 to 7 and 11 to 15 are reserved.
func TestRFC6455_Opcodes(t *testing.T) {
	var all []exchange
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		for _, payload := range []string{"", "payload"} {
			all = append(all, exchange{
				fmt.Sprintf("%d with %d bytes", op, len(payload)),
				concat(frame(textFrame, "before"), frame(op|bitFin, payload), frame(pingFrame, "after")),
				[]string{`text "before"`, "close 1002"},
			})
		}
	}
	checkExchanges(t, all)
}

// Section 5.4.
func TestRFC6455_Fragmentation(t *testing.T) {
	fault := []string{"close 1002"}
	checkExchanges(t, []exchange{
		{"ping in fragments", concat(frame(pingFrame&^bitFin, "a"), frame(contEnd, "b")), fault},
		{"pong in fragments", concat(frame(pongFrame&^bitFin, "a"), frame(contEnd, "b")), fault},
		{"close in fragments", frame(closeFrame&^bitFin, ""), fault},
		{"text in two", concat(frame(textPart, "frag1"), frame(contEnd, "ment2")), []string{`text "frag1ment2"`}},
		{"binary in two", concat(frame(binaryPart, "\xff"), frame(contEnd, "\xfe")), []string{said("binary", "\xff\xfe")}},
		{
			"ping between", concat(frame(textPart, "a"), frame(pingFrame, "p"), frame(contEnd, "b")),
			[]string{`pong "p"`, `text "ab"`},
		},
		{
			"pings between many", concat(frame(textPart, "1"), frame(pingFrame, "p"), frame(contPart, "2"), frame(pingFrame, "q"), frame(contPart, ""), frame(contEnd, "3")),
			[]string{`pong "p"`, `pong "q"`, `text "123"`},
		},
		{"all parts empty", concat(frame(textPart, ""), frame(contPart, ""), frame(contEnd, "")), []string{`text ""`}},
		{"only the middle", concat(frame(textPart, ""), frame(contPart, "middle"), frame(contEnd, "")), []string{`text "middle"`}},
		{
			"a hundred parts", concat(frame(textPart, "x"), repeated(100, frame(contPart, "x")), frame(contEnd, "x")),
			[]string{said("text", strings.Repeat("x", 102))},
		},
		{"two messages", repeated(2, concat(frame(textPart, "a"), frame(contEnd, "b"))), times(2, `text "ab"`)},
		{"an end without beginning", concat(frame(contEnd, "x"), frame(textFrame, "y")), fault},
		{"a part without beginning", concat(frame(contPart, "x"), frame(textFrame, "y")), fault},
		{
			"an end after the end", concat(frame(textPart, "a"), frame(contEnd, "b"), frame(contEnd, "c")),
			[]string{`text "ab"`, "close 1002"},
		},
		{"text within text", concat(frame(textPart, "a"), frame(textFrame, "b")), fault},
		{"a part of text within text", concat(frame(textPart, "a"), frame(textPart, "b")), fault},
		{"binary within text", concat(frame(textPart, "a"), frame(binaryFrame, "b")), fault},
		{"close between", concat(frame(textPart, "a"), closeWith(1000, ""), frame(contEnd, "b")), []string{"close 1000"}},
	})
}
