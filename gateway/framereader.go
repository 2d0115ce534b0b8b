package gateway

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// closing is why a connection ends: what the close frame says, and which counter counts it. What
// reads a client's bytes gives it where they are at fault, nil where they are not.
type closing struct {
	code   int
	reason string // at most 123 bytes
	cause  Cause
}

func protocolError(reason string) *closing { return &closing{1002, reason, CauseProtocol} }

// The faults of clients, with AWS's words where they are known.
var (
	faultBinary = &closing{1003, "Binary is not supported", CauseBinary}
	faultUTF8   = &closing{1007, "Invalid UTF-8", CauseUTF8}
	faultTooBig = &closing{1009, "Message too big", CauseTooBig}
	faultLength = protocolError("Invalid frame length")
)

// terms are what is asked of a client's messages and done with them. An API has AWS's; conformance
// suites talk to an echo server, which lets more through.
type terms struct {
	maxFrame, maxMessage int64 // bytes
	binary               bool  // binary messages are let through
	// put takes a message, or tells that too much is under way: then resume follows.
	put func(c *connection, op ws.OpCode, body string) bool
}

// awsTerms hands text to the routes.
var awsTerms = &terms{
	maxFrame: MaxFrame, maxMessage: MaxMessage,
	put: func(c *connection, _ ws.OpCode, body string) bool { return c.in.put(c, body) },
}

// frameReader takes a client's bytes as they come and finds messages and control frames in them.
// It keeps nothing but what it has received of an unfinished one.
type frameReader struct {
	head    [ws.MaxHeaderSize]byte // an unfinished header
	headLen uint8
	inFrame bool
	state   ws.State
	op      ws.OpCode // of the unfinished message
	frame   ws.Header
	got     int    // payload bytes of frame received
	message []byte // received of the unfinished message
	checked int    // bytes of message that are whole characters
	control []byte // received of the unfinished control frame
}

// idle tells whether the next byte begins a new message.
func (r *frameReader) idle() bool {
	return r.headLen == 0 && !r.inFrame && !r.state.Fragmented()
}

// next consumes b up to the end of the first message or control frame and gives its payload, which
// may be a part of b and is valid until the next call. Without one, all of b is consumed and op is
// ws.OpContinuation. After a fault the reader is of no more use.
func (r *frameReader) next(b []byte, t *terms) (n int, op ws.OpCode, payload []byte, fault *closing) {
	for {
		if !r.inFrame {
			k, ok, fault := r.header(b[n:], t)
			n += k
			if fault != nil || !ok {
				return n, ws.OpContinuation, nil, fault
			}
		}
		part := b[n:min(len(b), n+int(r.frame.Length)-r.got)]
		n += len(part)
		ws.Cipher(part, r.frame.Mask, r.got)
		r.got += len(part)
		control, done := r.frame.OpCode.IsControl(), int64(r.got) == r.frame.Length
		if control {
			payload = gather(&r.control, part, done)
		} else if payload, fault = r.data(part, done && r.frame.Fin); fault != nil {
			return n, ws.OpContinuation, nil, fault
		}
		if !done {
			return n, ws.OpContinuation, nil, nil
		}
		r.inFrame = false
		if control {
			return n, r.frame.OpCode, payload, nil
		}
		if r.frame.Fin {
			r.state = r.state.Clear(ws.StateFragmented)
			return n, r.op, payload, nil
		}
		r.state = r.state.Set(ws.StateFragmented)
	}
}

// data takes part of a message and gives the whole of it with the last one. Text is checked as it
// comes (RFC 6455 section 8.1): a client at fault learns that before the message has ended.
func (r *frameReader) data(part []byte, last bool) (payload []byte, fault *closing) {
	payload = gather(&r.message, part, last)
	if r.op != ws.OpText {
		return payload, nil
	}
	if last {
		rest := payload[r.checked:]
		r.checked = 0
		if !utf8.Valid(rest) {
			return nil, faultUTF8
		}
		return payload, nil
	}
	n, ok := wholeRunes(r.message[r.checked:])
	if !ok {
		return nil, faultUTF8
	}
	r.checked += n
	return nil, nil
}

// wholeRunes gives how many bytes of b are whole characters, and whether what is left can be the
// beginning of one.
func wholeRunes(b []byte) (n int, ok bool) {
	n = len(b)
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				n -= i
			}
			break
		}
	}
	return n, utf8.Valid(b[:n])
}

// gather appends part to what there is; the whole leaves whole, without a copy if part is all.
func gather(have *[]byte, part []byte, last bool) []byte {
	if len(*have) == 0 && last {
		return part
	}
	*have = append(*have, part...)
	if !last {
		return nil
	}
	whole := *have
	*have = nil
	return whole
}

// header takes bytes until a header is complete and checks it.
func (r *frameReader) header(b []byte, t *terms) (n int, ok bool, fault *closing) {
	if r.headLen == 0 {
		if n, r.frame, fault = parseHeader(b); n > 0 {
			fault = r.begin(fault, t)
			return n, fault == nil, fault
		}
	}
	for _, c := range b {
		r.head[r.headLen] = c
		r.headLen++
		n++
		k, h, fault := parseHeader(r.head[:r.headLen])
		if k > 0 {
			r.headLen, r.frame = 0, h
			fault = r.begin(fault, t)
			return n, fault == nil, fault
		}
	}
	return n, false, nil
}

// begin checks the header of the frame that begins, before anything of it is kept.
func (r *frameReader) begin(fault *closing, t *terms) *closing {
	if fault != nil {
		return fault
	}
	if err := ws.CheckHeader(r.frame, r.state.Set(ws.StateServerSide)); err != nil {
		return protocolError(err.Error())
	}
	if r.frame.OpCode == ws.OpBinary && !t.binary {
		return faultBinary
	}
	total := r.frame.Length
	if !r.frame.OpCode.IsControl() {
		total += int64(len(r.message))
	}
	if r.frame.Length > t.maxFrame || total > t.maxMessage {
		return faultTooBig
	}
	if r.frame.OpCode == ws.OpText || r.frame.OpCode == ws.OpBinary {
		r.op = r.frame.OpCode
	}
	r.inFrame, r.got = true, 0
	return nil
}

// parseHeader reads a frame header (RFC 6455 section 5.2); n is 0 when b is too short. A length must
// be written in the fewest bytes.
func parseHeader(b []byte) (n int, h ws.Header, fault *closing) {
	if len(b) < 2 {
		return 0, h, nil
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	h.Length = int64(b[1] & 0x7f)
	n = 2
	switch h.Length {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	at := n
	if h.Masked {
		n += 4
	}
	if len(b) < n {
		return 0, h, nil
	}
	switch h.Length {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
		if h.Length < 126 {
			return n, h, faultLength
		}
	case 127:
		length := binary.BigEndian.Uint64(b[2:])
		if length>>63 != 0 || length <= math.MaxUint16 {
			return n, h, faultLength
		}
		h.Length = int64(length)
	}
	if h.Masked {
		copy(h.Mask[:], b[at:])
	}
	return n, h, nil
}

// parseClose reads a close frame's payload as AWS reports it.
func parseClose(payload []byte) *closing {
	if len(payload) == 0 {
		return &closing{1005, "Client-side close frame status not set", CauseClient}
	}
	if len(payload) == 1 {
		return protocolError("Invalid close frame")
	}
	code, reason := int(binary.BigEndian.Uint16(payload)), string(payload[2:])
	if !validCode(code) {
		return protocolError("Invalid close code")
	}
	if !utf8.ValidString(reason) {
		return faultUTF8
	}
	return &closing{code, reason, CauseClient}
}

// validCode tells whether a close frame may carry code (RFC 6455 section 7.4 and its registry).
func validCode(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code == 1004, code == 1005, code == 1006:
		return false
	}
	return code >= 1000 && code <= 1014
}
