package rehearsal

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/mattn/go-isatty"
)

// Exec runs a command of the system's shell beside the stack, with the URL of the first stage in
// CONFAB_WS_URL and this process's own terminal, and gives its exit code. When ctx ends the command
// is asked to end, and killed after 5 s, with all that it has started where no terminal tells them
// of an interrupt.
func (r *Runner) Exec(ctx context.Context, command string) (code int, err error) {
	shell := []string{"sh", "-c", command}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/c", command}
	}
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if urls := r.URLs(); len(urls) > 0 {
		cmd.Env = append(cmd.Env, "CONFAB_WS_URL="+urls[0])
	}
	cmd.Env = append(cmd.Env, "CONFAB_LAMBDA_URL="+r.invoke)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	end := func() {}
	if !isatty.IsTerminal(os.Stdin.Fd()) { // which only its own group can read
		end = apart(cmd)
	}
	err = cmd.Run()
	if ctx.Err() != nil {
		end()
		return 0, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}
