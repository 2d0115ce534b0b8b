package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/terminal"
	"github.com/confab-chat/confab/internal/wsline"
)

// Exit codes of the commands that talk to a server. A program that nobody reads any more ends by
// SIGPIPE, as those of the system do.
const (
	codeFailed      = 1
	codeUsage       = 2
	codeUnreachable = 3   // no server answers, or not in time
	codeInterrupted = 130 // as shells have it: 128 and the number of SIGINT
)

// exitCode is the one that an error means.
func exitCode(err error) int {
	switch {
	case isUsage(err), errors.Is(err, wsline.ErrNotHex):
		return codeUsage
	case errors.Is(err, wsline.ErrUnreachable):
		return codeUnreachable
	}
	return codeFailed
}

// converse opens a dialogue on the command's input and output, and ends with it. Ctrl-C is a
// person's way to say that it is over, and an interruption of a script.
func converse(
	cmd *cobra.Command, in io.Reader, prompt string, keep bool, talk func(*terminal.Console) error,
) error {
	out, errOut := outputs(cmd)
	console, err := terminal.OpenConsole(in, out, errOut, prompt, keep)
	if err != nil {
		return err
	}
	defer console.Close()
	err = talk(console)
	if errors.Is(err, context.Canceled) && console.Interactive() {
		return nil
	}
	return err
}

// outputs are the command's, which run has made files.
func outputs(cmd *cobra.Command) (out, errOut *os.File) {
	return cmd.OutOrStdout().(*os.File), cmd.ErrOrStderr().(*os.File)
}
