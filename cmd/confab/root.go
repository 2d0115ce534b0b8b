package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/confab-chat/confab/internal/version"
)

// usageError is a command line that was not understood.
type usageError struct{ error }

func isUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

func newRoot(stop func()) *cobra.Command {
	root := &cobra.Command{
		Use:   "confab",
		Short: "Real-time chat that you own",
		Long: `Confab is real-time chat that you own: one program, one folder of data.

Start with:  confab serve
and, in another terminal:  confab chat`,
		Version:           version.Number,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: fromEnvironment,
		Args:              knownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	addGroup(root, "chat", "Talk, to any server:",
		newChat(), newSend(), newTail(), newHistory(), newUsers(), newRooms(),
		newLogin(), newLogout(), newTicket(), newWS())
	addGroup(root, "server", "Run a server, and look after it:",
		newServe(stop), newDoctor(), newStatus(), newAudit(),
		newLink(), newUser(), newKick(), newMessage(), newRoom(),
		newBackup(), newCheck(), newRestore(), newExport(), newImport())
	addGroup(root, "aws", "Run WebSocket APIs of API Gateway:", newRun(stop), newWhy(), newCost(), newPage())
	root.AddCommand(newMan())
	return root
}

// addGroup adds commands that stand together in the help.
func addGroup(root *cobra.Command, id, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, command := range commands {
		command.GroupID = id
		root.AddCommand(command)
	}
}

// fromEnvironment fills every flag that the command line leaves out from CONFAB_<NAME>, as
// CONFAB_ADDR for --addr.
func fromEnvironment(cmd *cobra.Command, _ []string) error {
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, set := os.LookupEnv(variable(f.Name))
		if !set || f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			bad = usageError{fmt.Errorf("environment variable %s: %w", variable(f.Name), err)}
		}
	})
	return bad
}

func variable(flag string) string {
	return "CONFAB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// knownCommand refuses what is no subcommand, and says which one may be meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		path := cmd.CommandPath() + " "
		hint = "do you mean " + path + strings.Join(similar, ", "+path) + "?"
	}
	return usageError{fmt.Errorf("unknown command %q; %s", args[0], hint)}
}

// arguments wants a number of arguments, and says what they are.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError{fmt.Errorf("%s: want %s", cmd.CommandPath(), what)}
		}
		return nil
	}
}
