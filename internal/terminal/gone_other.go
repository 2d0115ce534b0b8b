//go:build !unix

package terminal

import (
	"context"
	"os"
)

// ReaderGone waits until the context ends: here nobody tells that a reader has gone.
func ReaderGone(ctx context.Context, _ *os.File) bool {
	<-ctx.Done()
	return false
}
