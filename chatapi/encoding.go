package chatapi

import (
	"sync"

	"github.com/confab-chat/confab/wire"
)

// encoding is the frames of a post, one behind the other. Its memory is used again.
type encoding struct {
	buf    []byte
	frames [][]byte
}

// maxEncoding is the largest buffer that is kept, in bytes.
const maxEncoding = 256 << 10

var encodings = sync.Pool{New: func() any { return new(encoding) }}

// encode encodes the events of pushes.
func encode(pushes []push) *encoding {
	e := encodings.Get().(*encoding)
	for i := range pushes {
		from := len(e.buf)
		e.buf = wire.Append(e.buf, pushes[i].event)
		e.frames = append(e.frames, e.buf[from:]) // an earlier one stays valid when buf moves
	}
	return e
}

func (e *encoding) release() {
	if cap(e.buf) > maxEncoding {
		return
	}
	clear(e.frames)
	e.buf, e.frames = e.buf[:0], e.frames[:0]
	encodings.Put(e)
}
