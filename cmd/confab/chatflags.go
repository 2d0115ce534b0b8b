package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/shell"
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

// exitCodes explains them in the help of commands.
const exitCodes = `The exit code is 0 when it is done; 1 when the server refused something; 2 when
the command line is not understood; 3 when no server answers in time; 130 after Ctrl-C.`

// exitCode is the one that an error means.
func exitCode(err error) int {
	switch {
	case isUsage(err), errors.Is(err, wsline.ErrNotHex), errors.Is(err, shell.ErrSeveral):
		return codeUsage
	case errors.Is(err, wsline.ErrUnreachable), errors.Is(err, shell.ErrUnreachable):
		return codeUnreachable
	}
	return codeFailed
}

// chatFlags are those of commands that chat.
type chatFlags struct {
	server  shell.Server
	tls     tlsFlags
	timeout time.Duration
	json    bool
}

// define adds the flags. The time limit says what it is of.
func (f *chatFlags) define(cmd *cobra.Command, limit time.Duration, limited string) {
	s := cmd.Flags()
	s.StringVarP(&f.server.URL, "url", "u", "",
		"the server, as wss://chat.example/production; by default where confab login has "+
			"signed in, else ws://127.0.0.1:8080/production")
	f.defineWho(cmd)
	s.DurationVar(&f.timeout, "timeout", limit, limited+"; 0 for ever")
}

// defineWho adds the flags of all but the server.
func (f *chatFlags) defineWho(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.server.Name, "name", "",
		"who you are, where the server believes names; by default your name on this machine")
	s.BoolVar(&f.json, "json", false, "print a line of JSON for each event or row")
	f.tls.define(cmd)
}

// prepare reads the flags, and makes the program end with its reader.
func (f *chatFlags) prepare(cmd *cobra.Command) (*shell.Screen, shell.Notices, error) {
	out, errOut := outputs(cmd)
	if f.timeout < 0 {
		return nil, shell.Notices{}, usageError{errors.New("--timeout: want at least 0s")}
	}
	var err error
	f.server.TLS, err = f.tls.config()
	endWithReader(cmd.Context(), out)
	screen := &shell.Screen{Out: out, Style: terminal.StyleOf(out), JSON: f.json}
	return screen, shell.Notices{Out: errOut}, err
}

// outputs are the command's, which run has made files.
func outputs(cmd *cobra.Command) (out, errOut *os.File) {
	return cmd.OutOrStdout().(*os.File), cmd.ErrOrStderr().(*os.File)
}

// endWithReader ends the program as soon as nobody can read its output any more, by the signal that
// the next write would bring: grep -m1 behind a pipe does not wait for one. It watches until ctx ends.
func endWithReader(ctx context.Context, out *os.File) {
	descriptor := out.Fd()
	go func() {
		if terminal.ReaderGone(ctx, descriptor) {
			_, _ = out.WriteString("\n") // nobody gets it
		}
	}()
}

// roomFlag adds the flag of the room.
func roomFlag(cmd *cobra.Command, room *string, value, meaning string) {
	cmd.Flags().StringVarP(room, "room", "r", value, meaning)
}

// mustBe refuses flags that exclude one another.
func mustBe(good bool, format string, args ...any) error {
	if good {
		return nil
	}
	return usageError{fmt.Errorf(format, args...)}
}
