package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/shell"
)

const sendTimeout = 30 * time.Second

func newSend() *cobra.Command {
	f, s := &chatFlags{}, &shell.Send{}
	cmd := &cobra.Command{
		Use:   "send [TEXT...]",
		Short: "Send a message, or each line of the input as one",
		Long: `Send a message, and return when it is stored. Without a TEXT each line of the input
is a message, sent as it comes, while the command before the pipe goes on; empty lines are left out,
as are colours and other escape sequences, and a line of more than 16,384 bytes becomes several
messages. With --one the whole input is one message.

Whose line is down waits until it is up again, and nothing is sent twice. A room that you are not in
is joined, and made where there is none. Nothing is printed unless --verbose or --json asks for it.

` + exitCodes,
		Example: `  confab send hello
  confab send -r ops "deployed $(git rev-parse --short HEAD)"
  make 2>&1 | confab send -r builds
  git diff --stat | confab send --one --to bob
  confab send --id backup-2026-11-21 "backup done"   # stored once`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Text = strings.Join(args, " ")
			return runSend(cmd, f, s, len(args) > 0)
		},
	}
	f.define(cmd, sendTimeout, "how long a message may take; of lines only connecting")
	roomFlag(cmd, &s.Room, "", `the room (default "lobby")`)
	cmd.Flags().StringVar(&s.To, "to", "", "a user instead of a room")
	cmd.Flags().StringVar(&s.ID, "id", "", "the message's id, under which it is stored once")
	cmd.Flags().BoolVar(&s.Whole, "one", false, "the whole input is one message")
	cmd.Flags().BoolVarP(&s.Verbose, "verbose", "v", false, "say the number of each message")
	return cmd
}

func runSend(cmd *cobra.Command, f *chatFlags, s *shell.Send, given bool) error {
	for _, err := range []error{
		mustBe(s.Room == "" || s.To == "", "--room and --to: want one of them"),
		mustBe(!given || !s.Whole, "--one: want the input, not a TEXT"),
		mustBe(given || s.Whole || s.ID == "", "--id: want one message, not lines"),
		mustBe(!given || s.Text != "", "nothing to send: the text is empty"),
	} {
		if err != nil {
			return err
		}
	}
	var err error
	if s.Screen, s.Notices, err = f.prepare(cmd); err != nil {
		return err
	}
	if in := cmd.InOrStdin(); !given && isTerminal(in) {
		fmt.Fprintln(cmd.ErrOrStderr(), "Each line is a message; Ctrl-D ends.")
	}
	if s.Room == "" && s.To == "" {
		s.Room = "lobby"
	}
	s.Server, s.Input, s.Timeout = f.server, cmd.InOrStdin(), f.timeout
	return s.Run(cmd.Context())
}

// newTail makes the command that follows a room.
func newTail() *cobra.Command {
	f, t := &chatFlags{}, &shell.Tail{}
	var since string
	var end bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print a room's last messages, and those that come",
		Long: `Print a room's last messages, and those that come, each once and in order, a line
each as it comes. Further lines of a message are indented. On a terminal and behind a pipe what
could act on a terminal is written out; --json has every byte, in the form of docs/protocol.md. That
the line is down, and up again, is said on standard error. The command ends when nobody reads it any
more.

A room that you are not in is joined, and made where there is none.

` + exitCodes,
		Example: `  confab tail -r ops
  confab tail -r ops | grep --line-buffered deployed
  confab tail -r ops --since 15m
  confab tail -r ops --since 41 --json | jq -r .message
  confab tail -r builds --since 2026-11-21 --no-follow | wc -l`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t.Follow = !end
			return runTail(cmd, f, t, since)
		},
	}
	f.define(cmd, sendTimeout, "how long it may take to connect, and to print what is there")
	roomFlag(cmd, &t.Room, "lobby", "the room")
	cmd.Flags().IntVarP(&t.Last, "lines", "n", 10, "how many earlier messages to print first")
	cmd.Flags().BoolVar(&end, "no-follow", false, "end after the messages that are there")
	defineSince(cmd, &since)
	return cmd
}

func newHistory() *cobra.Command {
	f, t := &chatFlags{}, &shell.Tail{}
	var since string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Print a room's messages",
		Long: `Print a room's messages, in order, as confab tail does, and end. A public room that
you are not in is joined.

` + exitCodes,
		Example: `  confab history
  confab history -r ops -n 200
  confab history -r ops --since 2026-11-21 --json > ops.jsonl`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTail(cmd, f, t, since) },
	}
	f.define(cmd, 5*time.Minute, "how long all may take")
	roomFlag(cmd, &t.Room, "lobby", "the room")
	cmd.Flags().IntVarP(&t.Last, "lines", "n", 50, "how many messages")
	defineSince(cmd, &since)
	return cmd
}

func defineSince(cmd *cobra.Command, since *string) {
	cmd.Flags().StringVar(since, "since", "",
		"instead of a number of lines: all after a message's number, as 41, or from a time on, "+
			"as 15m or 7d ago, 2026-11-21 or \"2026-11-21 14:30\"")
}

func runTail(cmd *cobra.Command, f *chatFlags, t *shell.Tail, since string) error {
	var err error
	if t.Since, err = shell.ParseSince(since, time.Now()); err != nil {
		return usageError{err}
	}
	if err := mustBe(t.Last >= 0, "--lines %d: want at least 0", t.Last); err != nil {
		return err
	}
	if t.Screen, t.Notices, err = f.prepare(cmd); err != nil {
		return err
	}
	t.Server, t.Timeout = f.server, f.timeout
	return t.Run(cmd.Context())
}

func newUsers() *cobra.Command {
	f := &chatFlags{}
	var room string
	var online bool
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List the known users, or the members of a room",
		Long: `List the known users, or the members of a room: a name, a tab, and online or offline.

` + exitCodes,
		Example: `  confab users --online
  confab users -r ops --json | jq -r 'select(.online) | .user'`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			lists, err := f.lists(cmd)
			if err != nil {
				return err
			}
			return lists.Users(cmd.Context(), room, online)
		},
	}
	f.define(cmd, sendTimeout, "how long it may take")
	roomFlag(cmd, &room, "", "the members of this room")
	cmd.Flags().BoolVar(&online, "online", false, "only those who are there")
	return cmd
}

func newRooms() *cobra.Command {
	f := &chatFlags{}
	cmd := &cobra.Command{
		Use:   "rooms",
		Short: "List your rooms, your invitations and the public rooms",
		Long: `List your rooms with the number of their last message, your invitations, and the
public rooms that you are not in: a name and what you have to do with it, set apart by tabs.

` + exitCodes,
		Example: `  confab rooms
  confab rooms --json | jq -r .room`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			lists, err := f.lists(cmd)
			if err != nil {
				return err
			}
			return lists.Rooms(cmd.Context())
		},
	}
	f.define(cmd, sendTimeout, "how long it may take")
	return cmd
}

func (f *chatFlags) lists(cmd *cobra.Command) (*shell.Lists, error) {
	screen, notices, err := f.prepare(cmd)
	return &shell.Lists{Server: f.server, Timeout: f.timeout, Screen: screen, Notices: notices}, err
}
