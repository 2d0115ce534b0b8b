package rehearsal

import "os/exec"

// apart does nothing: Windows has no process groups that can be killed.
func apart(*exec.Cmd) (end func()) { return func() {} }
