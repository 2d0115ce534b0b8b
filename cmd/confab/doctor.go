package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/doctor"
	"github.com/confab-chat/confab/internal/serve"
)

func newDoctor() *cobra.Command {
	c := doctor.Config{}
	var stages []string // as serve has them, so that one environment does for both
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check disk, limits and the public address of a server",
		Long: `Check what a server needs: free space and the sync time of the disk, the limit of open files, and
whether the public address leads to the chat. Run it on the server's machine, with its settings. The
exit code is 1 when a check has failed.`,
		Example: `  confab doctor
  confab doctor --public-url https://chat.example --data /var/lib/confab`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := serve.ParsePublicURL(c.URL)
			if err != nil {
				return usageError{fmt.Errorf("--public-url: %w", err)}
			}
			if err := serve.CheckStages(stages); err != nil {
				return usageError{err}
			}
			c.URL, c.Stage = u.String(), stages[0]
			healthy, err := doctor.Examine(cmd.Context(), c, cmd.OutOrStdout())
			if err == nil && !healthy {
				err = errors.New("a check has failed")
			}
			return err
		},
	}
	s := cmd.Flags()
	s.StringVar(&c.Data, "data", defaultData, "the data folder")
	s.StringVar(&c.URL, "public-url", "http://"+cmp.Or(os.Getenv("CONFAB_ADDR"), defaultAddr),
		"where people reach the server")
	s.StringSliceVar(&stages, "stage", serve.DefaultStages, "the stages of the server; the first one is tried")
	return cmd
}
