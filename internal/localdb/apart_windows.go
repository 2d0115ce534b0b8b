package localdb

import "syscall"

// apart keeps an interrupt at the terminal from the engine: who uses it has last things to write.
var apart = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
