package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/cost"
)

func newCost() *cobra.Command {
	var l cost.Load
	sweep := true
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Say what the chat costs on AWS in a month",
		Long: `Say what a deployment of the chat on AWS costs in a month of 30 days, for what people do
in it. What each operation uses was measured; prices are those of one region, without free tier,
discounts, logs, storage and data transfer, and were entered by hand: compare them with AWS's
pages, which are printed. docs/cost.md says how the figures came about.`,
		Example: `  confab cost --people 10 --hours 176 --sessions 110 --messages 880 --room 10
  confab cost --people 1000 --hours 720 --sessions 360 --messages 0`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l.NoSweep = !sweep
			if !cmd.Flags().Changed("sessions") {
				l.Sessions = l.Hours / cost.MaxHours
			}
			if !cmd.Flags().Changed("room") {
				l.Room = l.People
			}
			if err := l.Check(); err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			prices, figures, err := cost.Known()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprint(out, cost.Table(figures.Bill(prices, l)))
			fmt.Fprintf(out, "\nPrices of %s, entered by hand in %s. Compare them:\n",
				prices.Region, prices.Entered)
			for _, page := range prices.Sources {
				fmt.Fprintln(out, "  "+page)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.Float64Var(&l.People, "people", 10, "how many people use the chat, with one connection each")
	f.Float64Var(&l.Hours, "hours", 176, "hours a month that each is connected, at most 720")
	f.Float64Var(&l.Sessions, "sessions", 0,
		"connections that each opens a month (default one for 2 hours, API Gateway's limit)")
	f.Float64Var(&l.Messages, "messages", 880, "messages a month that each sends to a room")
	f.Float64Var(&l.Direct, "direct", 0, "messages a month that each sends to one other")
	f.Float64Var(&l.Room, "room", 0,
		"connections that a message to a room reaches, the sender's too (default all)")
	f.BoolVar(&sweep, "sweep", true,
		"whether the schedule sweeps once a minute (the template's Sweep)")
	return cmd
}
