package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/control"
	"github.com/confab-chat/confab/internal/qrcode"
)

// hostFlags are those of commands that ask the server on this machine.
type hostFlags struct {
	data string
	json bool
}

func (h *hostFlags) define(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&h.data, "data", defaultData, "the data folder of the server")
	return cmd
}

// defineJSON is define for commands that print lists.
func (h *hostFlags) defineJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&h.json, "json", false, "print JSON, for programs")
	return h.define(cmd)
}

func (h *hostFlags) ask(cmd *cobra.Command, path string, body, answer any) error {
	return control.NewClient(h.data).Ask(cmd.Context(), path, body, answer)
}

// print writes an answer as JSON, or as text for people.
func (h *hostFlags) print(cmd *cobra.Command, answer any, text func(io.Writer)) error {
	if !h.json {
		text(cmd.OutOrStdout())
		return nil
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(answer)
}

// columns prints lines whose fields are set apart by tabs.
func columns(out io.Writer, lines func(w io.Writer)) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	lines(w)
	_ = w.Flush() // the reader is gone
}

// day is a time for people who read a list.
func day(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// showLink prints a link, and its QR code where it is a terminal that it would be drawn on.
func showLink(out io.Writer, link string) {
	fmt.Fprintf(out, "\n  %s\n\n", link)
	if !isTerminal(out) {
		return
	}
	if drawn, err := qrcode.Draw(link); err == nil {
		fmt.Fprintln(out, drawn)
	}
}
