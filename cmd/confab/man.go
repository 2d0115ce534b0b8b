package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/confab-chat/confab/internal/version"
)

// newMan writes the manual pages; packagers call it.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write manual pages, one for each command",
		Example: `  confab man /usr/local/share/man/man1`,
		Hidden:  true,
		Args:    arguments(1, 1, "the FOLDER to write to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			day := time.Unix(0, 0).UTC() // the same pages from the same program
			header := &doc.GenManHeader{Section: "1", Source: "Confab " + version.Number, Date: &day}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			cmd.Printf("Wrote the manual pages to %s. Try: man -l %s/confab.1\n", args[0], args[0])
			return nil
		},
	}
}
