package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/terminal"
)

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
