package main

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/signin"
)

func newKick() *cobra.Command {
	h, room := &hostFlags{}, ""
	cmd := &cobra.Command{
		Use:   "kick USER",
		Short: "Close all connections of somebody now, or remove them from one room",
		Long: `Close all connections of somebody and, where there are accounts, sign all their devices out:
they come back with a new link only. In open mode they can come back at once. To keep an account out
for good: confab user disable. With --room they are removed from that room, and nothing else.`,
		Example: `  confab kick bob
  confab kick bob --room tea`,
		Args: arguments(1, 1, "the USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if room != "" {
				return kickFrom(cmd, h, room, args[0])
			}
			var k serve.Kicked
			if err := h.ask(cmd, "/kick", map[string]string{"user": args[0]}, &k); err != nil {
				return err
			}
			cmd.Printf("Kicked %s: connections closed: %d, devices signed out: %d.\n",
				k.User, k.Connections, k.Devices)
			if k.Devices > 0 {
				cmd.Printf("To let %s in again: confab link %s\n", k.User, k.User)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&room, "room", "", "only remove them from this room")
	return h.define(cmd)
}

func newStatus() *cobra.Command {
	h := &hostFlags{}
	return h.defineJSON(&cobra.Command{
		Use:   "status",
		Short: "Show what the running server does",
		Example: `  confab status
  confab status --json --data /var/lib/confab`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var now serve.Status
			if err := h.ask(cmd, "/status", nil, &now); err != nil {
				return err
			}
			return h.print(cmd, now, func(out io.Writer) { printStatus(out, &now) })
		},
	})
}

func printStatus(out io.Writer, now *serve.Status) {
	state, who := "runs", "anybody, by any name: names are not verified (--auth open)"
	if now.Draining {
		state = "stops"
	}
	switch now.Auth {
	case linkMode:
		who = "people who have an account (--auth link)"
	case oidcMode:
		who = "people whom the issuer has signed in (--auth oidc)"
	case proxyMode:
		who = "people whom the proxy in front has signed in (--auth proxy)"
	}
	columns(out, func(w io.Writer) {
		fmt.Fprintf(w, "server\tConfab %s %s since %s (%v)\n", now.Version, state, day(now.Since),
			time.Since(now.Since).Round(time.Second))
		fmt.Fprintf(w, "may come in\t%s\n", who)
		fmt.Fprintf(w, "connections\t%d open, %d since the start\n", now.Connections, now.Total)
		fmt.Fprintf(w, "messages\t%d in, %d out, %d dropped for slow readers\n",
			now.MessagesIn, now.MessagesOut, now.Dropped)
	})
}

func newAudit() *cobra.Command {
	h, limit := &hostFlags{}, 0
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who invited, joined, was disabled or signed out",
		Example: `  confab audit
  confab audit --limit 1000 --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usageError{fmt.Errorf("--limit %d: want at least 1", limit)}
			}
			entries, err := h.entries(cmd, limit)
			if err != nil {
				return err
			}
			return h.print(cmd, entries, func(out io.Writer) { printAudit(out, entries) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many entries, from the youngest on")
	return h.defineJSON(cmd)
}

// entries reads the youngest entries of the audit log, a page at a time.
func (h *hostFlags) entries(cmd *cobra.Command, limit int) ([]signin.Entry, error) {
	all, before := []signin.Entry{}, ""
	for {
		var page struct {
			Entries []signin.Entry `json:"entries"`
			More    bool           `json:"more"`
		}
		most := min(limit-len(all), chat.MaxPage)
		path := fmt.Sprintf("/auth/audit?limit=%d&before=%s", most, url.QueryEscape(before))
		if err := h.ask(cmd, path, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Entries...)
		if !page.More || len(page.Entries) == 0 || len(all) >= limit {
			return all, nil
		}
		before = page.Entries[len(page.Entries)-1].ID
	}
}

func printAudit(out io.Writer, entries []signin.Entry) {
	columns(out, func(w io.Writer) {
		fmt.Fprintln(w, "WHEN\tWHO\tDID\tTO")
		for _, e := range entries {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", day(e.At), e.Actor, e.Action, e.Object)
		}
	})
}
