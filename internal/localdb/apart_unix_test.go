//go:build unix

package localdb

import (
	"syscall"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// Ctrl-C goes to all processes of a group: the engine is in another one than this.
func TestRun_apart(t *testing.T) {
	t.Parallel()
	engine, err := Run(tools.Program(t, "java"), tools.Path(t, "dynamodb/lib"))
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(engine.cmd.Process.Pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("the engine is in the group %d, %v, as this process", group, err)
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
}
