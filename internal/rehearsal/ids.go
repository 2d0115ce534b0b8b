package rehearsal

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// newTrace makes the root of a trace, as X-Ray has them (X-Ray Developer Guide, "Tracing header").
func newTrace() string {
	return fmt.Sprintf("1-%08x-%s", uint32(time.Now().Unix()), hex.EncodeToString(random(12)))
}

// newRequestID makes a request id of Lambda, a random UUID (RFC 9562, section 5.4).
func newRequestID() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // it never fails
	return b
}
