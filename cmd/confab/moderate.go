package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/signin"
)

// kickFrom removes a user from one room alone.
func kickFrom(cmd *cobra.Command, h *hostFlags, room, user string) error {
	var done signin.RemovedMember
	body := signin.RemovedMember{Room: room, User: user}
	if err := h.ask(cmd, "/rooms/remove", body, &done); err != nil {
		return err
	}
	cmd.Printf("Removed %s from the room %s. Into a public room they may come again.\n",
		done.User, done.Room)
	return nil
}

func newMessage() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "message",
		Short:   "Delete messages",
		Example: `  confab message delete tea 7`,
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	h := &hostFlags{}
	cmd.AddCommand(h.define(&cobra.Command{
		Use:   "delete ROOM SEQ",
		Short: "Take the text of anybody's message away",
		Long: `Take the text of anybody's message away: from the store, the history and, as soon as they hear
of it, from clients. Its number in the room, SEQ, stays.`,
		Example: `  confab message delete tea 7`,
		Args:    arguments(2, 2, "the ROOM, and the number SEQ of the message"),
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil || seq == 0 {
				return usageError{fmt.Errorf("%q: want the number of a message, 1 or more", args[1])}
			}
			var done signin.DeletedMessage
			body := signin.DeletedMessage{Room: args[0], Seq: seq}
			if err := h.ask(cmd, "/messages/delete", body, &done); err != nil {
				return err
			}
			cmd.Printf("Deleted message %d of the room %s.\n", done.Seq, done.Room)
			return nil
		},
	}))
	return cmd
}
