//go:build unix && !linux

package lambdahost

import "syscall"

// childAttributes put a process into a group of its own.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// memory is not known here.
func (*tree) memory() int { return 0 }
