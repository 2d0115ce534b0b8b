package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/signin"
)

func newUser() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "List, disable and sign out people who have an account",
		Example: `  confab user list
  confab user disable bob
  confab user owner alice
  confab user devices alice`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newUserList(), newUserDisable(), newUserEnable())
	cmd.AddCommand(newUserDevices(), newUserSignOut(), newUserOwner())
	return cmd
}

func newUserList() *cobra.Command {
	h := &hostFlags{}
	return h.defineJSON(&cobra.Command{
		Use:   "list",
		Short: "List all accounts",
		Example: `  confab user list
  confab user list --json --data /var/lib/confab`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			users, err := h.users(cmd)
			if err != nil {
				return err
			}
			return h.print(cmd, users, func(out io.Writer) { printUsers(out, users) })
		},
	})
}

// users reads all pages of the list.
func (h *hostFlags) users(cmd *cobra.Command) ([]signin.User, error) {
	all, after := []signin.User{}, ""
	for {
		var page struct {
			Users []signin.User `json:"users"`
			More  bool          `json:"more"`
		}
		path := fmt.Sprintf("/auth/users?limit=%d&after=%s", chat.MaxPage, url.QueryEscape(after))
		if err := h.ask(cmd, path, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Users...)
		if !page.More || len(page.Users) == 0 {
			return all, nil
		}
		after = page.Users[len(page.Users)-1].Handle
	}
}

func printUsers(out io.Writer, users []signin.User) {
	if len(users) == 0 {
		fmt.Fprintln(out, "Nobody has an account yet. The first one: confab link --owner")
		return
	}
	columns(out, func(w io.Writer) {
		fmt.Fprintln(w, "HANDLE\tROLE\tSTATE\tSINCE")
		for _, u := range users {
			role, state := "member", "active"
			if u.Owner {
				role = "owner"
			}
			if u.Disabled {
				state = "disabled"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Handle, role, state, day(u.Since))
		}
	})
}

func newUserDisable() *cobra.Command {
	h := &hostFlags{}
	return h.define(&cobra.Command{
		Use:   "disable HANDLE",
		Short: "Keep somebody out, and close their connections at once",
		Long: `Keep somebody out: all devices are signed out, open connections are closed, and no link signs
the account in until it is enabled again. What was said stays, and so does the handle.`,
		Example: `  confab user disable bob`,
		Args:    arguments(1, 1, "the HANDLE of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := h.setDisabled(cmd, args[0], true)
			if err == nil {
				cmd.Printf("Disabled %s: connections are closed, devices signed out.\n"+
					"To undo it: confab user enable %s\n", u.Handle, u.Handle)
			}
			return err
		},
	})
}

func newUserEnable() *cobra.Command {
	h := &hostFlags{}
	return h.define(&cobra.Command{
		Use:     "enable HANDLE",
		Short:   "Let somebody in again who was disabled",
		Example: `  confab user enable bob`,
		Args:    arguments(1, 1, "the HANDLE of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := h.setDisabled(cmd, args[0], false)
			if err == nil {
				cmd.Printf("Enabled %s. To sign a device in: confab link %s\n", u.Handle, u.Handle)
			}
			return err
		},
	})
}

func (h *hostFlags) setDisabled(cmd *cobra.Command, handle string, off bool) (signin.User, error) {
	var u signin.User
	err := h.ask(cmd, "/auth/users/disable", map[string]any{"handle": handle, "disabled": off}, &u)
	return u, err
}

func newUserOwner() *cobra.Command {
	h, revoke := &hostFlags{}, false
	cmd := &cobra.Command{
		Use:   "owner HANDLE",
		Short: "Make somebody an owner, or a member again",
		Long: `Make somebody an owner, who may invite, disable, remove and delete, or with --revoke a member
again: then the links that they have made end.`,
		Example: `  confab user owner alice
  confab user owner alice --revoke`,
		Args: arguments(1, 1, "the HANDLE of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u signin.User
			body := map[string]any{"handle": args[0], "owner": !revoke}
			if err := h.ask(cmd, "/auth/users/owner", body, &u); err != nil {
				return err
			}
			role, undo := "an owner", " --revoke"
			if !u.Owner {
				role, undo = "a member", ""
			}
			cmd.Printf("%s is %s now. To undo it: confab user owner %s%s\n",
				u.Handle, role, u.Handle, undo)
			return nil
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "make an owner a member again")
	return h.define(cmd)
}

func newUserDevices() *cobra.Command {
	h := &hostFlags{}
	return h.defineJSON(&cobra.Command{
		Use:     "devices HANDLE",
		Short:   "List the devices that somebody is signed in on",
		Example: `  confab user devices alice`,
		Args:    arguments(1, 1, "the HANDLE of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer struct {
				Devices []signin.Device `json:"devices"`
			}
			path := "/auth/devices?handle=" + url.QueryEscape(args[0])
			if err := h.ask(cmd, path, nil, &answer); err != nil {
				return err
			}
			return h.print(cmd, answer.Devices, func(out io.Writer) {
				printDevices(out, args[0], answer.Devices)
			})
		},
	})
}

func printDevices(out io.Writer, handle string, devices []signin.Device) {
	if len(devices) == 0 {
		const text = "%s is signed in nowhere. To sign a device in: confab link %s\n"
		fmt.Fprintf(out, text, handle, handle)
		return
	}
	columns(out, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSIGNED IN\tLAST USED\tDEVICE")
		for _, d := range devices {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.ID, day(d.Made), day(d.Used), d.Device)
		}
	})
}

func newUserSignOut() *cobra.Command {
	h := &hostFlags{}
	return h.define(&cobra.Command{
		Use:   "sign-out HANDLE [DEVICE]",
		Short: "Sign somebody out, on one device or everywhere",
		Long: `Sign somebody out on the device with that id (see confab user devices), or everywhere. What
these devices have connected is closed.`,
		Example: `  confab user sign-out alice 3f2a9c81d0e4
  confab user sign-out alice`,
		Args: arguments(1, 2, "the HANDLE of an account, and one DEVICE or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"handle": args[0], "everywhere": true}
			if len(args) == 2 {
				body = map[string]any{"handle": args[0], "device": args[1]}
			}
			if err := h.ask(cmd, "/auth/sign-out", body, &struct{}{}); err != nil {
				return err
			}
			where := "everywhere"
			if len(args) == 2 {
				where = "on " + args[1]
			}
			cmd.Printf("Signed %s out %s. To sign a device in: confab link %s\n",
				args[0], where, args[0])
			return nil
		},
	})
}
