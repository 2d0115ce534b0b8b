package gateway

import (
	"testing"

	"github.com/gobwas/ws"
)

// maxEcho is the largest message that the echo server lets through, in bytes.
const maxEcho = 16 << 20

// echoTerms let messages of both kinds through and send them back as they have come, each in one
// frame: what conformance suites expect of a server.
var echoTerms = &terms{
	maxFrame: maxEcho, maxMessage: maxEcho, binary: true,
	put: func(c *connection, op ws.OpCode, body string) bool {
		b := newBatch()
		defer b.release()
		b.control(op, []byte(body))
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state == open {
			c.write(b, true)
		}
		return true
	},
}

// runEcho serves an echo server on the connections, reader and frames of every API.
func runEcho(tb testing.TB) *rig {
	tb.Helper()
	r := run(tb, Config{})
	r.terms = echoTerms
	return r
}
