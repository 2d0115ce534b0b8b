//go:build linux && (amd64 || arm64)

package gateway

import (
	"sync"
	"syscall"
	"unsafe"
)

// direct says that this system's sockets can be read and written here without blocking.
const direct = true

// sender puts bytes on sockets without waiting and without telling the scheduler that a call may
// block, which with MSG_DONTWAIT it never does.
type sender struct {
	bytes []byte
	n     int
	err   error
	run   func(fd uintptr) // s.send, made once so that a delivery allocates nothing
}

var senders = sync.Pool{New: func() any {
	s := new(sender)
	s.run = s.send
	return s
}}

// write gives what the socket takes of b at once. An error says that the socket is dead.
func (s *sender) write(c syscall.RawConn, b []byte) (int, error) {
	s.bytes, s.n, s.err = b, 0, nil
	if err := c.Control(s.run); err != nil {
		return 0, err
	}
	return s.n, s.err
}

func (s *sender) send(fd uintptr) { s.n, s.err = send(fd, s.bytes) }

// send puts bytes on a socket until it takes no more.
func send(fd uintptr, b []byte) (n int, err error) {
	for n < len(b) {
		k, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(&b[n])), uintptr(len(b)-n),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			n += int(k)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return n, nil
		default:
			return n, errno
		}
	}
	return n, nil
}

// receive fills b with what has come; again says that nothing has.
func receive(fd uintptr, b []byte) (n int, again bool, err error) {
	for {
		k, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(k), false, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, true, nil
		default:
			return 0, false, errno
		}
	}
}
