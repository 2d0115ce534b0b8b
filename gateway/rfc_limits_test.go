package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// Large messages, whole, in parts and in pieces: section 5.2 allows 2^63 bytes, section 10.4 limits.
func TestRFC6455_Large(t *testing.T) {
	const size = 1 << 20
	payload := strings.Repeat("0123456789abcdef", size/16)
	echo := runEcho(t)
	for _, kind := range []struct {
		name  string
		first byte
	}{{"text", textPart}, {"binary", binaryPart}} {
		want := said(kind.name, payload)
		whole := frame(kind.first|bitFin, payload)
		for _, piece := range []int{997, 64 << 10, len(whole)} {
			t.Run(fmt.Sprintf("%s in pieces of %d", kind.name, piece), func(t *testing.T) {
				if got := echo.play(t, exchange{send: whole}, piece); !slices.Equal(got, []string{want}) {
					t.Errorf("%d frames, want the message", len(got))
				}
			})
		}
		for _, part := range []int{64, 4096, 64 << 10} {
			t.Run(fmt.Sprintf("%s in frames of %d", kind.name, part), func(t *testing.T) {
				send := frame(kind.first, payload[:part])
				for i := part; i < size; i += part {
					send = append(send, frame(contPart, payload[i:i+part])...)
				}
				send = append(send, frame(contEnd, "")...)
				if got := echo.play(t, exchange{send: send}, len(send)); !slices.Equal(got, []string{want}) {
					t.Errorf("%d frames, want the message", len(got))
				}
			})
		}
	}
}

// Many small messages on one connection all come back, in order.
func TestRFC6455_Many(t *testing.T) {
	const count = 2000
	echo := runEcho(t)
	for _, size := range []int{0, 16, 1024} {
		payload := strings.Repeat("x", size)
		got := echo.play(t, exchange{send: repeated(count, frame(textFrame, payload))}, 1<<20)
		if !slices.Equal(got, times(count, said("text", payload))) {
			t.Errorf("%d messages of %d bytes, want %d", len(got), size, count)
		}
	}
}

// AWS's limits are 32 KB a frame and 128 KB a message. The frame that goes beyond one of them is
// refused at its header: its payload is not waited for.
func TestRFC6455_Limits(t *testing.T) {
	full := strings.Repeat("x", MaxFrame)
	over := append([]byte{contEnd, 0x80 | 1}, maskKey[:]...)
	for name, send := range map[string][]byte{
		"a frame of 32,769": append([]byte{textFrame, 0x80 | 126, 0x80, 0x01}, maskKey[:]...),
		"a message of 131,073": concat(frame(textPart, full), frame(contPart, full), frame(contPart, full),
			frame(contPart, full), over),
		"fragments without end": concat(frame(textPart, ""), repeated(MaxMessage, frame(contPart, "x")), over),
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, Config{})
			if got := r.play(t, exchange{send: send, want: []string{"close 1009"}}, len(send)); !slices.Equal(got, []string{"close 1009"}) {
				t.Errorf("%q, want close 1009", got)
			}
			eventually(t, "it is counted", func() bool { return r.Stats().Closed[CauseTooBig] == 1 })
		})
	}
}

// Compression is declined, as RFC 7692 section 5 lets a server do: the answer names no extension,
// and a compressed message is a frame with a reserved bit.
func TestRFC7692_CompressionIsDeclined(t *testing.T) {
	for _, offer := range []string{
		"permessage-deflate",
		"permessage-deflate; client_max_window_bits; server_max_window_bits=10",
		"permessage-deflate; server_no_context_takeover, permessage-deflate",
		"x-webkit-deflate-frame",
	} {
		t.Run(offer, func(t *testing.T) {
			h := newRecorder()
			r := run(t, Config{Routes: map[string]Route{"$default": {Handler: h}}})
			c := r.dial(t, "Sec-WebSocket-Extensions: "+offer)
			if got, offered := c.head.Header["Sec-Websocket-Extensions"]; offered {
				t.Errorf("extensions %q, want none", got)
			}
			post(t, r, r.onlyID(t), strings.Repeat("compressible ", 1000))
			f, err := c.read()
			if err != nil || f.Header.Rsv != 0 || len(f.Payload) != 13000 {
				t.Errorf("%+v %v, want a plain frame", f.Header, err)
			}
			c.send("plain")
			if _, e := h.next(t); e["body"] != "plain" {
				t.Errorf("body %v", e["body"])
			}
			// "Hello" compressed, as in RFC 7692 section 7.2.3.1
			c.raw(frame(textFrame|bitReserved, "\xf2\x48\xcd\xc9\xc9\x07\x00"))
			c.closed(1002, string(ws.ErrProtocolNonZeroRsv))
		})
	}
}
