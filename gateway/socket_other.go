//go:build !(linux && (amd64 || arm64))

package gateway

import (
	"errors"
	"sync"
	"syscall"
)

// direct says that this system's sockets can be read and written here without blocking. They
// cannot: every connection goes through package net.
const direct = false

type sender struct{}

var senders = sync.Pool{New: func() any { return new(sender) }}

var errIndirect = errors.New("gateway: no direct access to sockets")

func (*sender) write(syscall.RawConn, []byte) (int, error) { return 0, errIndirect }

func send(uintptr, []byte) (int, error) { return 0, errIndirect }

func receive(uintptr, []byte) (int, bool, error) { return 0, false, errIndirect }
