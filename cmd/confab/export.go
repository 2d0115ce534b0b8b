package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/export"
)

// exportFlags are those of confab export.
type exportFlags struct {
	data      string
	keepGoing bool
	sessions  bool
}

func newExport() *cobra.Command {
	f := &exportFlags{}
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the chat as lines of JSON, while the server runs or not",
		Long: `Write everything that was said, and by whom, as lines of JSON: rooms, members, read
markers, users, accounts, the audit log and messages, as they are when the export begins. Without FILE,
or with -, they go to standard output. FILE must not exist yet. docs/export.md describes the lines.

No secret is written, and nothing that signs in. With --sessions the SHA-256 of each session is, so
that people stay signed in after confab import.`,
		Example: `  confab export chat.jsonl
  confab export --data /var/lib/confab | gzip >chat.jsonl.gz
  confab export - | jq 'select(.type == "message" and .room == "tea") | .text'
  confab export rescued.jsonl --keep-going     # of a damaged folder, what can be read`,
		Args: arguments(0, 1, "one FILE or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := "-"
			if len(args) == 1 {
				file = args[0]
			}
			return f.run(cmd, file)
		},
	}
	s := cmd.Flags()
	s.StringVar(&f.data, "data", defaultData, "the data folder, or a backup")
	s.BoolVar(&f.keepGoing, "keep-going", false, "leave out what is damaged, and say what that is")
	s.BoolVar(&f.sessions, "sessions", false, "write who is signed in, too")
	return cmd
}

func (f *exportFlags) run(cmd *cobra.Command, file string) error {
	progress := progressLine(cmd, "exported", "messages")
	o := export.Options{
		Sessions: f.sessions,
		Progress: func(done, total int64) { progress(int(done), int(total)) },
	}
	damaged := 0
	if f.keepGoing {
		o.Damaged = func(line string) {
			damaged++
			fmt.Fprintln(cmd.ErrOrStderr(), line)
		}
	}
	err := writeNew(cmd, file, func(out io.Writer) error {
		return export.Write(cmd.Context(), f.data, out, o)
	})
	switch {
	case chat.Is(err, chat.Corrupt) && !f.keepGoing:
		return fmt.Errorf("%s; to export the rest: confab export --keep-going", sentence(err))
	case err != nil:
		return err
	case damaged > 0:
		return fmt.Errorf("exported all but what is damaged: %d places, named above", damaged)
	}
	if file != "-" {
		cmd.Printf("Exported %s to %s.\n", f.data, file)
		cmd.Printf("To make a data folder of it: confab import %s --data NEW-FOLDER\n", file)
	}
	return nil
}

// writeNew writes a file that is not there yet, for its owner alone; - is standard output. A file
// of that name was always complete.
func writeNew(cmd *cobra.Command, file string, write func(io.Writer) error) error {
	if file == "-" {
		return write(cmd.OutOrStdout())
	}
	if _, err := os.Lstat(file); err == nil {
		return chat.E(chat.Taken, "%s exists already", file)
	}
	part, err := os.OpenFile(file+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(write(part), part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}

func newImport() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a new data folder from an export",
		Long: `Make a new data folder of what confab export has written; - reads standard input.
Numbers and epochs are kept, so that clients go on where they were. A line that cannot be is named, and
then no folder is made. Who is not signed in by the export needs a new link: confab link HANDLE.`,
		Example: `  confab import chat.jsonl --data ./confab-new
  confab serve --data ./confab-new
  gunzip <chat.jsonl.gz | confab import - --data ./confab-new`,
		Args: arguments(1, 1, "the FILE to read"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), cmd, args[0], data)
		},
	}
	cmd.Flags().StringVar(&data, "data", "./confab-imported", "the folder to make; it must not exist")
	return cmd
}

func runImport(ctx context.Context, cmd *cobra.Command, file, data string) error {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	progress := func(int) {}
	if isTerminal(cmd.ErrOrStderr()) {
		progress = func(lines int) { fmt.Fprintf(cmd.ErrOrStderr(), "\rimported %d lines", lines) }
		defer fmt.Fprintln(cmd.ErrOrStderr())
	}
	if err := export.Read(ctx, in, data, progress); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	cmd.Printf("Imported %s into %s.\nNow run: confab serve --data %s\n", file, data, data)
	return nil
}
