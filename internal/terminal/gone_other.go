//go:build !unix

package terminal

import "context"

// ReaderGone waits until the context ends: here nobody tells that a reader has gone.
func ReaderGone(ctx context.Context, _ uintptr) bool {
	<-ctx.Done()
	return false
}
