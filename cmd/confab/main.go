// Command confab is real-time chat that you own: `confab serve` and you can chat.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/shell"
	"github.com/confab-chat/confab/internal/terminal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, stop, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and gives the exit code: 0 done, 1 failed, 2 not understood, and
// those of the commands that talk to a server.
func run(ctx context.Context, stop func(), args []string, out, errOut *os.File) int {
	root := newRoot(stop)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return codeInterrupted // who has asked for it knows
	}
	var command commandFailed
	if errors.As(err, &command) {
		return int(command)
	}
	fmt.Fprintln(errOut, "confab:", terminal.Clean(sentence(err))) // servers have their say in it
	return exitCode(err)
}

// sentence gives an error for people: what the domain says to them, without its kind.
func sentence(err error) string {
	var e *chat.Error
	switch {
	case !errors.As(err, &e) || e.Message == "":
		return shell.Sentence(err)
	case e.Err != nil:
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}
