package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/cost"
)

func newCost() *cobra.Command {
	var l cost.Load
	sweep := true
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Say what the chat costs on AWS in a month",
		Long: `Say what a deployment of the chat on AWS costs in a month of 30 days, for so many people.

Without more than --people it takes them for colleagues: connected 8 hours on each of 22 days,
with 40 messages a day each to a room that all are in. What each operation uses was measured.
Prices are those of one region, without free tier, discounts, taxes and data transfer, and
were entered by hand: compare them with AWS's pages, which are printed. docs/cost.md says how
the figures came about, and what is not in them.`,
		Example: `  # 20 colleagues, in rooms of 5
  confab cost --people 20 --room 5

  # 1,000 people who are connected day and night and say nothing
  confab cost --people 1000 --hours 720 --messages 0

  # the same with a heartbeat every 9 minutes, and an issuer's tokens to verify
  confab cost --people 1000 --hours 720 --messages 0 --heartbeat 540 --issuer`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l.NoSweep = !sweep
			if !cmd.Flags().Changed("sessions") {
				l.Sessions = l.Hours / cost.MaxHours
			}
			if !cmd.Flags().Changed("room") {
				l.Room = min(l.People, cost.MaxReceivers)
			}
			if err := l.Check(); err != nil {
				return usageError{err}
			}
			return printCost(cmd, l)
		},
	}
	f := cmd.Flags()
	quantity := func(to *float64, name string, value float64, usage string) {
		*to = value
		f.Var((*amount)(to), name, usage)
	}
	quantity(&l.People, "people", 10, "how many people use the chat, with one connection each")
	quantity(&l.Hours, "hours", 176, "hours a month that each is connected, at most 720")
	quantity(&l.Sessions, "sessions", 0,
		"connections that each opens a month (default one for 2 hours, when API Gateway ends it)")
	quantity(&l.Messages, "messages", 880, "messages a month that each sends to a room")
	quantity(&l.Room, "room", 0,
		"how many people such a room has, the sender too (default all, at most 5,000)")
	quantity(&l.Direct, "direct", 0, "messages a month that each sends to one other besides")
	quantity(&l.Kept, "kept", cost.YearKept, "how many months of messages are in the table")
	quantity(&l.Heartbeat, "heartbeat", cost.HeartbeatSeconds,
		"seconds between heartbeats, 10 to 540: the template's HeartbeatSeconds")
	f.BoolVar(&l.Issuer, "issuer", false,
		"whether an issuer's tokens are verified: the template's Issuer")
	f.BoolVar(&sweep, "sweep", true,
		"whether the schedule sweeps once a minute: the template's Sweep")
	return cmd
}

// amount is a flag's number, with an error for people.
type amount float64

// Set implements pflag.Value.
func (a *amount) Set(text string) error {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return errors.New("want a number, as 1000 or 2.5")
	}
	*a = amount(n)
	return nil
}

// String implements pflag.Value.
func (a *amount) String() string { return strconv.FormatFloat(float64(*a), 'g', -1, 64) }

// Type implements pflag.Value.
func (*amount) Type() string { return "number" }

// printCost prints what a load costs, and where the prices are from.
func printCost(cmd *cobra.Command, l cost.Load) error {
	prices, figures, err := cost.Known()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprint(out, cost.Text(prices, figures, l))
	fmt.Fprintf(out, "\nPrices of %s, entered by hand in %s. Compare them:\n",
		prices.Region, prices.Entered)
	for _, page := range prices.Sources {
		fmt.Fprintln(out, "  "+page)
	}
	return nil
}
