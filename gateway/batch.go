package gateway

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// batch is encoded messages, the same bytes for every receiver. It is shared by reference and goes
// back to the pool with its last holder.
type batch struct {
	bytes []byte
	ends  []int // where each message ends in bytes
	extra int   // frames that continue a message: of each 32 KB more that is billed
	refs  atomic.Int32
}

// maxPooled is the largest batch that is kept for reuse.
const maxPooled = 256 << 10

var batches = sync.Pool{New: func() any { return new(batch) }}

// newBatch gives an empty batch with one holder.
func newBatch() *batch {
	b := batches.Get().(*batch)
	b.bytes, b.ends = b.bytes[:0], b.ends[:0]
	b.extra = 0
	b.refs.Store(1)
	return b
}

func (b *batch) hold() { b.refs.Add(1) }

func (b *batch) release() {
	if b.refs.Add(-1) == 0 && cap(b.bytes) <= maxPooled {
		batches.Put(b)
	}
}

// text adds a text message: in frames of at most MaxFrame bytes, as AWS sends them, and valid
// UTF-8 whatever payload is.
func (b *batch) text(payload []byte) {
	if !utf8.Valid(payload) {
		payload = replaceInvalid(payload)
	}
	op := ws.OpText
	for {
		part := payload[:min(len(payload), MaxFrame)]
		payload = payload[len(part):]
		b.frame(op, len(payload) == 0, part)
		if len(payload) == 0 {
			break
		}
		op = ws.OpContinuation
		b.extra++
	}
	b.ends = append(b.ends, len(b.bytes))
}

// replaceInvalid puts U+FFFD in place of each invalid byte, as AWS does.
func replaceInvalid(payload []byte) []byte {
	var out bytes.Buffer
	for len(payload) > 0 {
		r, n := utf8.DecodeRune(payload)
		out.WriteRune(r)
		payload = payload[n:]
	}
	return out.Bytes()
}

// control adds a control frame.
func (b *batch) control(op ws.OpCode, payload []byte) {
	b.frame(op, true, payload)
	b.ends = append(b.ends, len(b.bytes))
}

// frame adds a server's frame, which has no mask (RFC 6455 section 5.2).
func (b *batch) frame(op ws.OpCode, fin bool, payload []byte) {
	first := byte(op)
	if fin {
		first |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b.bytes = append(b.bytes, first, byte(n))
	case n <= 0xffff:
		b.bytes = append(b.bytes, first, 126, byte(n>>8), byte(n))
	default:
		b.bytes = binary.BigEndian.AppendUint64(append(b.bytes, first, 127), uint64(n))
	}
	b.bytes = append(b.bytes, payload...)
}

// closeFrame adds a close frame; 1005 stands for none.
func (b *batch) closeFrame(code int, reason string) {
	if code == 1005 {
		b.control(ws.OpClose, nil)
		return
	}
	b.control(ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
}
