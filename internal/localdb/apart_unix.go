//go:build unix

package localdb

import "syscall"

// apart keeps an interrupt at the terminal from the engine: who uses it has last things to write.
var apart = &syscall.SysProcAttr{Setpgid: true}
