package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/shell"
	"github.com/confab-chat/confab/internal/terminal"
)

func newChat() *cobra.Command {
	f, chat := &chatFlags{}, &shell.Chat{}
	cmd := &cobra.Command{
		Use:   "chat [URL]",
		Short: "Talk, line by line",
		Long: `Talk, line by line. What is typed is said in the room; what begins with / is a
command: /join ROOM, /leave [ROOM], /msg USER TEXT, /who, /name NAME, /help, /quit. Each message is
printed as

  📨 Message from [alice]: [hello]

once it is stored, your own too. What is said while the line is down is sent when it is up again.
Pasted lines are one message. Where no person types, each line of the input is taken in turn, and
the command ends when all is stored; everything but messages is then said on standard error.

An address with ?dialect=direct makes it the client of the write-up with payloads by connection id:
it asks for its own id, prints what is said to all and what is sent to it alone, and has the
commands /direct ID OPERATION JSON, /id, /help and /quit.

` + exitCodes,
		Example: `  confab chat
  confab chat --name alice ws://127.0.0.1:8080/production
  confab chat https://chat.example -r tea
  confab chat --json | jq -r 'select(.event == "message") | .message'
  confab chat "ws://127.0.0.1:8080/production/?dialect=direct"`,
		Args: arguments(0, 1, "one URL or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runChat(cmd, f, chat, args)
		},
	}
	f.define(cmd, 30*time.Second, "how long connecting may take")
	roomFlag(cmd, &chat.Room, "lobby", "the room to begin in")
	return cmd
}

func runChat(cmd *cobra.Command, f *chatFlags, chat *shell.Chat, args []string) error {
	if _, _, err := f.prepare(cmd); err != nil {
		return err
	}
	if len(args) > 0 {
		f.server.URL = args[0]
	}
	chat.Server, chat.JSON, chat.Timeout = f.server, f.json, f.timeout
	return converse(cmd, cmd.InOrStdin(), "> ", false, func(console *terminal.Console) error {
		chat.Console = console
		return chat.Run(cmd.Context())
	})
}
