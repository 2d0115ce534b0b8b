package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/signin"
)

// span is a duration that may be given in days.
type span time.Duration

const aDay = 24 * time.Hour

// Set reads 7d, and what time.ParseDuration reads.
func (s *span) Set(text string) error {
	days, isDays := strings.CutSuffix(text, "d")
	if !isDays {
		d, err := time.ParseDuration(text)
		*s = span(d)
		return err
	}
	n, err := strconv.ParseUint(days, 10, 16) // more would be over every limit anyway
	if err != nil {
		return errors.New("want a number of days before the d, as 7d")
	}
	*s = span(time.Duration(n) * aDay)
	return nil
}

// String is the form that Set reads.
func (s *span) String() string {
	if d := time.Duration(*s); d%aDay != 0 || d == 0 {
		return d.String()
	}
	return strconv.Itoa(int(time.Duration(*s)/aDay)) + "d"
}

// Type is the word for it in help texts.
func (*span) Type() string { return "time" }

// linkFlags are those of confab link.
type linkFlags struct {
	hostFlags
	uses  int
	life  span
	owner bool
	list  bool
	end   string
}

func newLink() *cobra.Command {
	f := &linkFlags{life: span(auth.InviteLife)}
	cmd := &cobra.Command{
		Use:   "link [HANDLE]",
		Short: "Make a link that lets people in",
		Long: `Make a link on the running server. Without arguments it is an invitation: who opens it picks
a handle and has an account. With a HANDLE it signs another device of that account in, for somebody
who is locked out. A link is shown once: the server keeps only what it needs to know it again.`,
		Example: `  confab link                       # invite one person, within 7 days
  confab link --uses 20 --for 2d    # invite a class
  confab link alice                 # alice has lost her devices
  confab link --owner               # somebody who may do everything
  confab link --list                # the links that are still good
  confab link --end 3f2a9c81d0e4    # end one of them`,
		Args: arguments(0, 1, "one HANDLE or none"),
		RunE: f.run,
	}
	s := cmd.Flags()
	s.IntVar(&f.uses, "uses", 1,
		fmt.Sprintf("how many people may come in by it, 1 to %d", auth.MaxUses))
	s.Var(&f.life, "for", "how long it is good, as 12h or 7d")
	s.BoolVar(&f.owner, "owner", false, "make a link for an owner: one use, one hour")
	s.BoolVar(&f.list, "list", false, "list the links that are still good")
	s.StringVar(&f.end, "end", "", "end the link with this id")
	return f.defineJSON(cmd)
}

func (f *linkFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	switch {
	case f.list:
		return f.printList(cmd)
	case f.end != "":
		id := map[string]string{"id": f.end}
		if err := f.ask(cmd, "/auth/links/end", id, &struct{}{}); err != nil {
			return err
		}
		cmd.Printf("Ended the link %s. Those who came by it stay: confab user list\n", f.end)
		return nil
	case f.owner:
		return f.make(cmd, "/auth/owner-link", struct{}{},
			"A link for an owner, who may invite, disable and remove",
			"Who opens it first picks a handle. More people: confab link")
	case len(args) == 1:
		return f.make(cmd, "/auth/devices", map[string]string{"handle": args[0]},
			"A link that signs a device of "+args[0]+" in",
			"Whoever opens it is "+args[0]+": give it to nobody else.")
	}
	seconds := int64(time.Duration(f.life) / time.Second)
	invitation := map[string]int64{"uses": int64(f.uses), "seconds": seconds}
	what := "An invitation for one person"
	if f.uses > 1 {
		what = fmt.Sprintf("An invitation for %d people", f.uses)
	}
	return f.make(cmd, "/auth/links", invitation, what,
		"Who opens it picks a handle. Who came: confab user list")
}

// check refuses flags that do not go together.
func (f *linkFlags) check(cmd *cobra.Command, args []string) error {
	kinds := len(args)
	for _, chosen := range []bool{f.owner, f.list, f.end != ""} {
		if chosen {
			kinds++
		}
	}
	limited := cmd.Flags().Changed("uses") || cmd.Flags().Changed("for")
	life := time.Duration(f.life)
	switch {
	case kinds > 1:
		const text = "confab link: only one of HANDLE, --owner, --list and --end can be"
		return usageError{errors.New(text)}
	case kinds == 1 && limited:
		return usageError{errors.New("confab link: --uses and --for are for invitations alone")}
	case f.uses < 1 || f.uses > auth.MaxUses:
		return usageError{fmt.Errorf("--uses %d: want 1 to %d", f.uses, auth.MaxUses)}
	case life < time.Minute || life > auth.MaxLinkLife:
		return usageError{fmt.Errorf("--for %v: want 1m to %dd", &f.life, auth.MaxLinkLife/aDay)}
	}
	return nil
}

// make asks for a link and shows it.
func (f *linkFlags) make(cmd *cobra.Command, path string, body any, what, next string) error {
	var made signin.NewLink
	if err := f.ask(cmd, path, body, &made); err != nil {
		return err
	}
	return f.print(cmd, made, func(out io.Writer) {
		fmt.Fprintf(out, "%s, good until %s:\n", what, day(made.Until))
		showLink(out, made.Link)
		fmt.Fprintf(out, "%s\nTo end it: confab link --end %s\n", next, made.ID)
	})
}

func (f *linkFlags) printList(cmd *cobra.Command) error {
	var answer struct {
		Links []signin.Link `json:"links"`
	}
	if err := f.ask(cmd, "/auth/links", nil, &answer); err != nil {
		return err
	}
	return f.print(cmd, answer.Links, func(out io.Writer) {
		if len(answer.Links) == 0 {
			fmt.Fprintln(out, "No link is good any more. A new one: confab link")
			return
		}
		columns(out, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tKIND\tUSED\tMADE\tGOOD UNTIL")
			for _, l := range answer.Links {
				fmt.Fprintf(w, "%s\t%s\t%d of %d\t%s\t%s\n",
					l.ID, l.Kind, l.Used, l.Uses, day(l.Made), day(l.Until))
			}
		})
	})
}
