//go:build unix

package terminal

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// lookAgain is how often, in milliseconds, an end of the wait is noticed.
const lookAgain = 500

// ReaderGone waits until nobody can read an output any more, as when grep -m1 has ended behind a
// pipe, and says true; or until the context ends. out is the output's descriptor.
func ReaderGone(ctx context.Context, out uintptr) bool {
	for ctx.Err() == nil {
		fds := []unix.PollFd{{Fd: int32(out)}} //nolint:gosec // descriptors are small
		n, err := unix.Poll(fds, lookAgain)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || fds[0].Revents&unix.POLLNVAL != 0:
			return false // it cannot be known here
		case n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			return true
		}
	}
	return false
}
