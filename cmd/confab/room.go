package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/serve"
)

// retention is how long messages are kept, as a flag: a span, forever or default.
type retention struct {
	keep  time.Duration // as chat.Head.Keep
	names bool          // forever and default can be said
}

// Set reads 90d, forever and default.
func (r *retention) Set(text string) error {
	switch {
	case r.names && text == "default":
		r.keep = 0
		return nil
	case text == "forever":
		r.keep = chat.KeepForever
		if !r.names {
			r.keep = 0
		}
		return nil
	}
	var s span
	if err := s.Set(text); err != nil {
		return err
	}
	if s <= 0 || chat.CheckKeep(time.Duration(s)) != nil {
		least := span(chat.MinKeep)
		return fmt.Errorf("want at least %v, in whole seconds, or forever", &least)
	}
	r.keep = time.Duration(s)
	return nil
}

// String is the form that Set reads.
func (r *retention) String() string {
	switch {
	case r.keep < 0, r.keep == 0 && !r.names:
		return "forever"
	case r.keep == 0:
		return "default"
	}
	s := span(r.keep)
	return s.String()
}

// Type is the word for it in help texts.
func (*retention) Type() string { return "time" }

func newRoom() *cobra.Command {
	h, keep := &hostFlags{}, &retention{names: true}
	cmd := &cobra.Command{
		Use:   "room [ROOM]",
		Short: "Show how long rooms keep their messages, or say it for one",
		Long: `List all rooms with how long they keep their messages. With a ROOM and --retention
say how long that one does: messages that are older are removed for good, at once and from then on.
"default" is what the server's --retention says, "forever" keeps everything whatever that is. The room
of two users is named as in a client: @alice,bob.`,
		Example: `  confab room
  confab room tea --retention 30d
  confab room announcements --retention forever
  confab room tea --retention default`,
		Args: arguments(0, 1, "one ROOM or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !cmd.Flags().Changed("retention") {
				return h.printRooms(cmd)
			}
			if len(args) == 0 || !cmd.Flags().Changed("retention") {
				const text = "confab room: a ROOM and --retention go together; neither lists the rooms"
				return usageError{errors.New(text)}
			}
			return h.setRetention(cmd, args[0], keep)
		},
	}
	cmd.Flags().Var(keep, "retention", "how long messages are kept, as 30d, or forever, or default")
	return h.defineJSON(cmd)
}

func (h *hostFlags) setRetention(cmd *cobra.Command, room string, keep *retention) error {
	seconds := int64(-1)
	if keep.keep >= 0 {
		seconds = int64(keep.keep / time.Second)
	}
	var now serve.KeptRoom
	body := map[string]any{"room": room, "keepSeconds": seconds}
	if err := h.ask(cmd, "/rooms", body, &now); err != nil {
		return err
	}
	return h.print(cmd, now, func(out io.Writer) {
		fmt.Fprintf(out, "The room %s keeps its messages: %s.\n", now.Name, keeps(&now))
	})
}

// printRooms reads all pages of the list and prints it.
func (h *hostFlags) printRooms(cmd *cobra.Command) error {
	all, after := []serve.KeptRoom{}, ""
	for {
		var page serve.KeptRooms
		if err := h.ask(cmd, "/rooms?after="+url.QueryEscape(after), nil, &page); err != nil {
			return err
		}
		all = append(all, page.Rooms...)
		if !page.More || len(page.Rooms) == 0 {
			break
		}
		after = page.Rooms[len(page.Rooms)-1].Room
	}
	return h.print(cmd, all, func(out io.Writer) {
		columns(out, func(w io.Writer) {
			fmt.Fprintln(w, "ROOM\tFIRST\tLAST\tKEEPS")
			for i := range all {
				fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", all[i].Name, all[i].FirstSeq, all[i].Seq, keeps(&all[i]))
			}
		})
	})
}

// keeps says how long a room keeps its messages.
func keeps(room *serve.KeptRoom) string {
	say := func(seconds int64) string {
		if seconds <= 0 {
			return "forever"
		}
		s := span(time.Duration(seconds) * time.Second)
		return s.String()
	}
	if room.KeepSeconds == 0 {
		return say(room.DefaultSeconds) + " (the default)"
	}
	return say(room.KeepSeconds)
}
