package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/store/sqlitestore"
)

// defaultData is the data folder of every command.
const defaultData = "./confab-data"

func newBackup() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy all data into one file, while the server runs or not",
		Long: `Copy all data into one new file. The server may run meanwhile; the copy is what was stored
when it began. FILE must not exist yet.`,
		Example: `  confab backup monday.confab
  confab backup --data /srv/chat /backup/chat.confab`,
		Args: arguments(1, 1, "the FILE to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			progress := progressLine(cmd, "copied", "pages")
			if err := sqlitestore.Backup(cmd.Context(), data, args[0], progress); err != nil {
				return err
			}
			cmd.Printf("Backed up %s to %s.\n", data, args[0])
			cmd.Printf("To use it: confab restore %s --data NEW-FOLDER\n", args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData, "the data folder")
	return cmd
}

func newCheck() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Read all data, or a backup, and report damage",
		Long: `Read everything in the data folder, or in a backup FILE, and compare it with its checksums.
Each damaged place is a line; the exit code is 1 when there is one.`,
		Example: `  confab check
  confab check monday.confab`,
		Args: arguments(0, 1, "one FILE or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := data
			if len(args) == 1 {
				path = args[0]
			}
			err := sqlitestore.Check(cmd.Context(), path, func(line string) { cmd.Println(line) })
			if err != nil {
				return err
			}
			cmd.Printf("%s is intact.\n", path)
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData, "the data folder")
	return cmd
}

func newRestore() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a new data folder from a backup",
		Long: `Make a new data folder from a backup. Every room gets a new epoch, so that clients which have
seen more than the backup holds are told to start over, instead of missing messages in silence.`,
		Example: `  confab restore monday.confab --data ./confab-restored
  confab serve --data ./confab-restored`,
		Args: arguments(1, 1, "the backup FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := sqlitestore.Restore(cmd.Context(), args[0], data); err != nil {
				return err
			}
			cmd.Printf("Restored %s into %s.\nNow run: confab serve --data %s\n", args[0], data, data)
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", "./confab-restored", "the folder to make; it must not exist")
	return cmd
}

// progressLine shows how far long work is, on standard error and only where it is a terminal.
func progressLine(cmd *cobra.Command, verb, unit string) func(done, total int) {
	if !isTerminal(cmd.ErrOrStderr()) {
		return func(int, int) {}
	}
	return func(done, total int) {
		fmt.Fprintf(cmd.ErrOrStderr(), "\r%s %d of %d %s", verb, done, total, unit)
		if done >= total {
			fmt.Fprintln(cmd.ErrOrStderr())
		}
	}
}
