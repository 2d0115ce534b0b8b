//go:build linux && (amd64 || arm64) && !portable

package gateway

import (
	"syscall"
	"unsafe"
)

// A socket is used here without waiting and without telling the scheduler that a call may block,
// which with MSG_DONTWAIT it never does.

// send puts bytes on a socket until it takes no more.
func send(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		k, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd),
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
func receive(fd int, b []byte) (n int, again bool, err error) {
	for {
		k, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd),
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

// shut ends one direction of a socket or both. It fails where the peer has done so already.
func shut(fd, how int) error { return syscall.Shutdown(fd, how) }

// reset has the socket forget, when it is closed, what has not been sent.
func reset(fd int) error {
	return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}

const (
	shutWrite = syscall.SHUT_WR
	shutBoth  = syscall.SHUT_RDWR
)

// duplicate gives a socket that package net has no part in.
func duplicate(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var errno syscall.Errno
	err = raw.Control(func(old uintptr) {
		r, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		fd, errno = int(r), e
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return fd, err
}
